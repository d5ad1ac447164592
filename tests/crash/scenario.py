"""What happens in a trial, drawn from its seed."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace

from tests.crash.fate import Doom
from tests.crash.weather import CallFault, Upheaval, Weather
from tests.platforms.kinds import KINDS, Kind
from tests.platforms.paper_sender import PaperEvent

#: Writes of the inbox, the leases and the outbox; calls on the platform.
WRITES = ("accept", "take", "begin", "resume", "progress", "record", "settle", "next_work", "renew", "say")
CALLS = {
    "discord": ("post", "edit", "find"),
    "slack": ("post", "start", "append", "stop", "find"),
    "telegram": ("post", "edit"),
    "post_only": ("post",),
}
#: Held there, a process has no call under way whose time the lease must cover.
_HELD_AT = [("after", name) for name in ("accept", "take", "begin", "progress", "record", "settle")] + [
    ("before", name) for name in ("begin", "progress", "record", "settle")
]


@dataclass(frozen=True, slots=True)
class Blow:
    """From outside: a bot is killed or held at a moment of its own."""

    after_s: float
    bot: int
    kills: bool


@dataclass(frozen=True, slots=True)
class Scenario:
    seed: str
    database: str
    kind: Kind
    bots: int
    #: (seconds, event): what people say.
    said: tuple[tuple[float, PaperEvent], ...]
    #: Of each bot: what happens to its first process, its second, ... by itself.
    dooms: tuple[tuple[Doom, ...], ...]
    blows: tuple[Blow, ...]
    weather: Weather
    words: int
    lease_s: float = 2.0
    #: Of a server that is told beforehand what goes wrong.
    faults: tuple[CallFault, ...] = ()
    #: Of the bot's messages: so many are deleted by somebody before they are whole.
    deletions: int = 0
    upheavals: tuple[Upheaval, ...] = ()
    #: Of Slack's: what happens is posted to the one bot, and does not come over its websockets.
    by_http: bool = False

    def told(self) -> str:
        dooms = " | ".join(
            ", ".join(
                f"{'kill' if doom.kills else 'hold'} {doom.moment} {doom.action} {doom.number}" for doom in of_bot
            )
            for of_bot in self.dooms
        )
        blows = ", ".join(f"{'kill' if b.kills else 'hold'} {b.bot} at {b.after_s:.2f} s" for b in self.blows)
        return f"{self.seed}: {self.database}, {self.kind.name}, {self.bots} bots; {dooms or 'no dooms'}; {blows}"


def all_dooms() -> list[tuple[str, Doom]]:
    """Every named state of every platform: (kind, doom)."""
    writes = [Doom(moment, name, 1) for name in WRITES for moment in ("before", "after")]
    found = [(kind, doom) for kind in KINDS for doom in writes]
    for kind, calls in CALLS.items():
        found += [(kind, Doom(moment, call, 1)) for call in calls for moment in ("before", "during", "after")]
    return found


def draw_scenario(seed: int, number: int) -> Scenario:
    """Trials go round the databases, and round all named states; everything else is left to chance."""
    draw = random.Random(f"{seed}/{number}")
    kind_name, doom = _shuffled_dooms(seed)[number % len(all_dooms())]
    database = "postgresql" if number % 2 else "sqlite"
    bots = draw.choice((1, 2, 2)) if database == "postgresql" else 1
    messages = draw.randint(2, 5)
    channels = draw.randint(1, 3)
    said = [
        (draw.uniform(0, 0.5), PaperEvent(f"m{n}", f"c{draw.randrange(channels)}", f"{seed}q{number}n{n}"))
        for n in range(messages)
    ]
    named = [replace(doom, number=draw.choice((1, 1, 2, 3)))]
    dooms, blows = draw_dooms(draw, named, CALLS[kind_name], bots), draw_blows(draw, bots)
    return Scenario(
        seed=f"{seed}/{number}",
        database=database,
        kind=replace(KINDS[kind_name], nonce_window_s=_nonce_window_s(draw, KINDS[kind_name])),
        bots=bots,
        said=tuple(said),
        dooms=dooms,
        blows=blows,
        weather=_weather(draw),
        words=draw.choice((3, 12, 25)),
    )


def _shuffled_dooms(seed: int) -> list[tuple[str, Doom]]:
    dooms = all_dooms()
    random.Random(seed).shuffle(dooms)
    return dooms


def draw_dooms(
    draw: random.Random, named: Sequence[Doom], calls: Sequence[str], bots: int
) -> tuple[tuple[Doom, ...], ...]:
    """The first bot meets those that are named, and perhaps more; the others meet what comes."""
    dooms = [[*named] if bot == 0 else _more_dooms(draw, calls) for bot in range(bots)]
    if draw.random() < 0.4:
        dooms[0] = [*named, *_more_dooms(draw, calls)]
    return tuple(tuple(of_bot) for of_bot in dooms)


def draw_blows(draw: random.Random, bots: int) -> tuple[Blow, ...]:
    number = draw.randint(0, 2)
    return tuple(Blow(draw.uniform(0.1, 1.2), draw.randrange(bots), draw.random() < 0.6) for _ in range(number))


def _more_dooms(draw: random.Random, calls: Sequence[str]) -> list[Doom]:
    found = []
    if draw.random() < 0.5:
        moment, action = draw.choice(_HELD_AT)
        found.append(Doom(moment, action, draw.choice((1, 2)), kills=False))
    if draw.random() < 0.5:
        found.append(Doom(draw.choice(("before", "during", "after")), draw.choice(calls), draw.choice((1, 2, 3))))
    draw.shuffle(found)
    return found


def _nonce_window_s(draw: random.Random, kind: Kind) -> float:
    """Where one's own messages can be found, a nonce may be forgotten early."""
    return draw.choice((0.3, kind.nonce_window_s)) if kind.capabilities.read_back else kind.nonce_window_s


def _weather(draw: random.Random) -> Weather:
    if draw.random() < 0.3:
        return Weather()
    return Weather(rate_limited=0.06, unanswered=0.05, unheard=0.04, away=0.03, late=0.02, redelivered=0.5)
