"""What happens in a trial on the local Bot API server, drawn from its seed.

`getUpdates` has no states of its own: before and after it are after and before the inbox's `accept`, and during it is
whenever nothing else is done, where the blows from outside fall.
"""

import random
from dataclasses import replace

from tests.crash.fate import Doom
from tests.crash.scenario import WRITES, Scenario, draw_blows, draw_dooms
from tests.crash.telegram_place import LEASE_S, SEND_TIMEOUT_S
from tests.crash.weather import CallFault, Weather
from tests.platforms.kinds import TELEGRAM
from tests.platforms.paper_sender import PaperEvent

CALLS = ("sendMessage", "editMessageText", "sendChatAction")
#: Private chats with two people, a group, and two topics of a forum, which share its rates.
PLACES = ("anna", "ben", "group", "topic 1", "topic 2")
#: Of a question whose long answer has two parts.
_LONG = "o" * 220
_LATE_S = SEND_TIMEOUT_S + 0.4
_FAULTS = (
    CallFault("drop_after", "sendMessage", 0),
    CallFault("drop_after", "sendMessage", 0),
    CallFault("drop_after", "editMessageText", 0),
    CallFault("drop_before", "", 0),
    CallFault("delay_before", "", 0, seconds=0.05),
    CallFault("delay_after", "sendMessage", 0, seconds=_LATE_S),
    CallFault("delay_after", "editMessageText", 0, seconds=_LATE_S),
    CallFault("answer", "", 0, status=429, retry_after_s=3),
    CallFault("answer", "", 0, status=502),
    CallFault("answer_after", "sendMessage", 0, status=502),
    CallFault("drop_after", "getUpdates", 0),
    CallFault("drop_before", "getUpdates", 0),
    CallFault("delay_after", "getUpdates", 0, seconds=0.2),
    CallFault("answer", "getUpdates", 0, status=502),
    CallFault("answer", "getUpdates", 0, status=429),
)


def all_telegram_dooms() -> list[Doom]:
    """Every named state."""
    writes = [Doom(moment, name, 1) for name in WRITES for moment in ("before", "after")]
    return writes + [Doom(moment, call, 1) for call in CALLS for moment in ("before", "during", "after")]


def draw_telegram_scenario(seed: int, number: int) -> Scenario:
    """Trials go round the databases, and round all named states; everything else is left to chance."""
    draw = random.Random(f"telegram {seed}/{number}")
    dooms = _shuffled_dooms(seed)
    rounds, turn = divmod(number, len(dooms))
    doom, database = dooms[turn], ("sqlite", "postgresql")[(rounds + turn) % 2]  # of each state both
    bots = draw.choice((1, 2, 2)) if database == "postgresql" else 1
    places = draw.sample(PLACES, draw.randint(1, 3))
    words = draw.choice((3, 12, 25))
    said = tuple(_said(draw, f"{seed}q{number}n{n}", f"m{n}", places, words) for n in range(draw.randint(2, 5)))
    named = [replace(doom, number=draw.choice((1, 1, 2, 3)))]
    return Scenario(
        seed=f"{seed}/{number}",
        database=database,
        kind=TELEGRAM,
        bots=bots,
        said=said,
        dooms=draw_dooms(draw, named, CALLS[:2], bots),
        blows=draw_blows(draw, bots),
        weather=Weather(redelivered=0.5),
        words=words,
        lease_s=LEASE_S,
        faults=_faults(draw),
        deletions=draw.choice((0, 0, 1, 2)),
    )


def _said(draw: random.Random, text: str, name: str, places: list[str], words: int) -> tuple[float, PaperEvent]:
    place = draw.choice(places)
    person = place if place in ("anna", "ben") else draw.choice(("anna", "ben"))
    is_long = words == 25 and draw.random() < 0.3
    return draw.uniform(0, 0.5), PaperEvent(name, place, text + _LONG * is_long, person)


def _faults(draw: random.Random) -> tuple[CallFault, ...]:
    if draw.random() < 0.3:
        return ()
    return tuple(replace(draw.choice(_FAULTS), after=draw.randint(0, 6)) for _ in range(draw.randint(3, 9)))


def _shuffled_dooms(seed: int) -> list[Doom]:
    dooms = all_telegram_dooms()
    random.Random(seed).shuffle(dooms)
    return dooms
