"""What happens in a trial on the local Discord, drawn from its seed.

The gateway has no states of its own: before and after an event is taken in are before and after the inbox's `accept`,
and the blows from outside fall between them. Calls that a trial would hardly make are made likely: a channel is read
again where a send is in doubt, and interactions are answered where somebody uses a command.
"""

import random
from dataclasses import replace

from tests.crash.discord_place import LEASE_S, SEND_TIMEOUT_S
from tests.crash.fate import Doom
from tests.crash.scenario import WRITES, Blow, Scenario, draw_dooms
from tests.crash.weather import CallFault, Upheaval, Weather
from tests.platforms.kinds import DISCORD
from tests.platforms.paper_sender import PaperEvent

POST, EDIT, FIND, THREAD = "create_message", "edit_message", "get_messages", "thread_from_message"
ACK, RESPOND = "callback", "edit_response"
CALLS = (POST, EDIT, FIND, THREAD, ACK, RESPOND)
ASK, ELSEWHERE, NEW_POST = "ask", "elsewhere", "new post"
#: DMs with two people; a channel, where each mention begins a thread; text in a voice channel, where none can be; a
#: thread and a forum's post that are there, and a new post; a command, and one in a server that the bot is not in.
PLACES = ("anna", "ben", "channel", "voice", "thread", "post", NEW_POST, ASK, ELSEWHERE)
#: What people do by commands: nothing of it can be fetched later.
COMMANDS = frozenset({ASK, ELSEWHERE})

#: The interactions' time is over.
AGE = "age"
_UPHEAVALS = (
    *("cut", "cut", "reconnect", "invalid", "resumable", "close", "expired", "mute", "forgotten"),
    *("refused", "away", "held", "storm", "archive"),
)
#: Of a question whose long answer has two parts.
_LONG = "o" * 60
_WORDS = (3, 20, 40)
_MOST_COMMANDS = 2
_LAST_SAID_S, _LAST_BLOW_S = 2.0, 1.5
#: A blow after which somebody speaks so soon hits a bot that is down by then.
_SOON_S = 0.3
_LATE_S = SEND_TIMEOUT_S + 0.4
_FAULTS = (
    *(CallFault("drop_after", method, 0) for method in (POST, EDIT, POST, THREAD, POST, RESPOND, ACK)),
    CallFault("drop_before", "", 0),
    CallFault("delay_before", "", 0, seconds=0.05),
    *(CallFault("delay_after", method, 0, seconds=_LATE_S) for method in (POST, EDIT, THREAD, RESPOND)),
    CallFault("answer", "", 0, status=429),
    CallFault("answer", POST, 0, status=429),
    CallFault("answer", POST, 0, status=429, error="global"),
    CallFault("answer", EDIT, 0, status=429),
    CallFault("answer", "", 0, status=502),
    *(CallFault("answer_after", method, 0, status=502) for method in (POST, EDIT, THREAD, RESPOND)),
    CallFault("answer", THREAD, 0, status=403, error="50013"),
    CallFault("answer", FIND, 0, status=502),
    CallFault("drop_after", FIND, 0),
    CallFault("drop_before", "gateway_bot", 0),
    CallFault("answer", "gateway_bot", 0, status=502),
    CallFault("answer", "me", 0, status=502),
)


def all_discord_dooms() -> list[Doom]:
    """Every named state."""
    writes = [Doom(moment, name, 1) for name in WRITES for moment in ("before", "after")]
    return writes + [Doom(moment, call, 1) for call in CALLS for moment in ("before", "during", "after")]


def draw_discord_scenario(seed: int, number: int) -> Scenario:
    """Trials go round the databases, and round all named states; everything else is left to chance."""
    draw = random.Random(f"discord {seed}/{number}")
    dooms = _shuffled_dooms(seed)
    rounds, turn = divmod(number, len(dooms))
    doom, database = dooms[turn], ("sqlite", "postgresql")[(rounds + turn) % 2]  # of each state both
    bots = draw.choice((1, 2, 2)) if database == "postgresql" else 1
    words = draw.choice(_WORDS)
    blows = _blows(draw, bots)
    said = _all_said(draw, f"{seed}q{number}", _places(draw, doom), words, blows)
    return Scenario(
        seed=f"{seed}/{number}",
        database=database,
        kind=DISCORD,
        bots=bots,
        said=said,
        dooms=draw_dooms(draw, _named(draw, doom), CALLS[:4], bots),
        blows=blows,
        weather=Weather(),
        words=words,
        lease_s=LEASE_S,
        faults=_faults(draw),
        deletions=draw.choice((0, 0, 1, 2)),
        upheavals=_upheavals(draw, {event.channel for _, event in said}),
    )


def _named(draw: random.Random, doom: Doom) -> list[Doom]:
    if doom.action != FIND:
        return [replace(doom, number=draw.choice((1, 1, 2, 3) if doom.action not in (THREAD, ACK) else (1, 1, 2)))]
    in_doubt = Doom(draw.choice(("during", "after")), POST, draw.choice((1, 2)))
    return [in_doubt, replace(doom, number=draw.choice((1, 2)))]


def _places(draw: random.Random, doom: Doom) -> list[str]:
    """With one in which the doom is met."""
    needed = {ACK: [ASK, ELSEWHERE], RESPOND: [ASK, ELSEWHERE], THREAD: ["channel"], POST: ["channel", "voice", "anna"]}
    first = draw.choice(needed.get(doom.action, PLACES))
    others = [place for place in PLACES if place != first]
    return [first, *draw.sample(others, draw.randint(0, 2))]


def _all_said(
    draw: random.Random, text: str, places: list[str], words: int, blows: tuple[Blow, ...]
) -> tuple[tuple[float, PaperEvent], ...]:
    """Somebody speaks in the first place, and somebody just after each blow."""
    times = [blow.after_s + draw.uniform(0, _SOON_S) for blow in blows]
    times += [draw.uniform(0, _LAST_SAID_S) for _ in range(draw.randint(2, 4))]
    where = _few_commands(draw, [places[0], *(draw.choice(places) for _ in times[1:])])
    draw.shuffle(times)
    return tuple(
        (at, _event(draw, f"{text}n{n}", f"m{n}", place, words))
        for n, (at, place) in enumerate(zip(times, where, strict=True))
    )


def _few_commands(draw: random.Random, where: list[str]) -> list[str]:
    """Whoever is told nothing asks again, and each of these may be answered, one after another."""
    often = [number for number, place in enumerate(where) if place in COMMANDS][_MOST_COMMANDS:]
    messages = [place for place in PLACES if place not in COMMANDS]
    return [draw.choice(messages) if number in often else place for number, place in enumerate(where)]


def _event(draw: random.Random, text: str, name: str, place: str, words: int) -> PaperEvent:
    person = {"anna": "anna", ELSEWHERE: "ben", "ben": "ben"}.get(place) or draw.choice(("anna", "ben"))
    is_long = words == max(_WORDS) and draw.random() < 0.4
    return PaperEvent(name, place, text + _LONG * is_long, person)


def _blows(draw: random.Random, bots: int) -> tuple[Blow, ...]:
    number = draw.randint(0, 2)
    return tuple(
        Blow(draw.uniform(0.1, _LAST_BLOW_S), draw.randrange(bots), draw.random() < 0.7) for _ in range(number)
    )


def _faults(draw: random.Random) -> tuple[CallFault, ...]:
    if draw.random() < 0.3:
        return ()
    return tuple(replace(draw.choice(_FAULTS), after=draw.choice((0, 0, 1, 2, 4))) for _ in range(draw.randint(3, 9)))


def _upheavals(draw: random.Random, places: set[str]) -> tuple[Upheaval, ...]:
    happens = [Upheaval(draw.choice(_UPHEAVALS), draw.uniform(0.1, 2.0)) for _ in range(draw.randint(0, 4))]
    if ASK in places and ELSEWHERE not in places and draw.random() < 0.3:  # there nothing can be said later
        happens.append(Upheaval(AGE, draw.uniform(0.5, 2.0)))
    return tuple(happens)


def _shuffled_dooms(seed: int) -> list[Doom]:
    dooms = all_discord_dooms()
    random.Random(seed).shuffle(dooms)
    return dooms
