"""What happens in a trial on the local Slack, drawn from its seed.

Websockets have no states of their own: before and after an event is taken in are before and after the inbox's
`accept`, and the blows from outside fall between them. Calls that a trial would hardly make are made likely: a stream
is asked for again only where it is in doubt, and a message is changed as it grows only where there are no streams.
"""

import random
from dataclasses import replace

from tests.crash.fate import Doom
from tests.crash.scenario import WRITES, Scenario, draw_blows, draw_dooms
from tests.crash.slack_place import LEASE_S, SEND_TIMEOUT_S
from tests.crash.weather import CallFault, Upheaval, Weather
from tests.platforms.kinds import SLACK
from tests.platforms.paper_sender import PaperEvent

START, APPEND, STOP = "chat.startStream", "chat.appendStream", "chat.stopStream"
POST, UPDATE, FIND, STATUS = "chat.postMessage", "chat.update", "conversations.replies", "agents.sessions.setStatus"
CALLS = (POST, START, APPEND, STOP, UPDATE, FIND, STATUS)
#: DMs with two people, where each question begins a thread; a channel, where it does too; two threads of another
#: channel, and a group DM.
PLACES = ("anna", "ben", "channel", "thread 1", "thread 2", "group")
NO_STREAMS, STORM = "no streams", "storm"
_UPHEAVALS = ("cut", "refresh", "warning", "mute", "away", "age")
#: Of a question whose long answer has two parts in streams, and more where it is changed as it grows.
_LONG = "o" * 400
_WORDS = {POST: (3,), START: (20, 40), APPEND: (40,), STOP: (20, 40), UPDATE: (40,), STATUS: (20, 40)}
_LATE_S = SEND_TIMEOUT_S + 0.4
_FAULTS = (
    *(CallFault("drop_after", method, 0) for method in (START, POST, START, POST, APPEND, STOP, UPDATE)),
    CallFault("drop_before", "", 0),
    CallFault("delay_before", "", 0, seconds=0.05),
    *(CallFault("delay_after", method, 0, seconds=_LATE_S) for method in (START, POST, STOP, APPEND)),
    CallFault("answer", "", 0, status=429, retry_after_s=3),
    CallFault("answer", START, 0, status=429, retry_after_s=3),
    CallFault("answer", STOP, 0, status=429, retry_after_s=20),
    CallFault("answer", "", 0, status=502),
    CallFault("answer", "", 0, status=200, error="internal_error"),
    CallFault("answer_after", START, 0, status=502),
    CallFault("answer_after", POST, 0, status=502),
    CallFault("answer_after", STOP, 0, status=200, error="internal_error"),
    CallFault("answer", APPEND, 0, status=200, error="message_not_in_streaming_state"),
    CallFault("answer", FIND, 0, status=502),
    CallFault("drop_after", FIND, 0),
    CallFault("drop_before", "apps.connections.open", 0),
    CallFault("answer", "apps.connections.open", 0, status=502),
)


def all_slack_dooms() -> list[Doom]:
    """Every named state."""
    writes = [Doom(moment, name, 1) for name in WRITES for moment in ("before", "after")]
    return writes + [Doom(moment, call, 1) for call in CALLS for moment in ("before", "during", "after")]


def draw_slack_scenario(seed: int, number: int) -> Scenario:
    """Trials go round the databases, and round all named states; everything else is left to chance."""
    draw = random.Random(f"slack {seed}/{number}")
    dooms = _shuffled_dooms(seed)
    rounds, turn = divmod(number, len(dooms))
    doom, database = dooms[turn], ("sqlite", "postgresql")[(rounds + turn) % 2]  # of each state both
    bots = draw.choice((1, 2, 2)) if database == "postgresql" else 1
    places = draw.sample(PLACES, draw.randint(1, 3))
    words = draw.choice(_WORDS.get(doom.action, (3, 20, 40)))
    said = tuple(_said(draw, f"{seed}q{number}n{n}", f"m{n}", places, words) for n in range(draw.randint(2, 5)))
    return Scenario(
        seed=f"{seed}/{number}",
        database=database,
        kind=SLACK,
        bots=bots,
        said=said,
        dooms=draw_dooms(draw, _named(draw, doom, words), CALLS[:4], bots),
        blows=draw_blows(draw, bots),
        weather=Weather(redelivered=0.5),
        words=words,
        lease_s=LEASE_S,
        faults=_faults(draw),
        deletions=draw.choice((0, 0, 1, 2)),
        upheavals=_upheavals(draw, doom),
        by_http=bots == 1 and draw.random() < 0.3,
    )


def _named(draw: random.Random, doom: Doom, words: int) -> list[Doom]:
    if doom.action != FIND:
        return [replace(doom, number=draw.choice((1, 1, 2, 3)))]
    in_doubt = Doom(draw.choice(("during", "after")), POST if words == min(_WORDS[POST]) else START, 1)
    return [in_doubt, doom]


def _said(draw: random.Random, text: str, name: str, places: list[str], words: int) -> tuple[float, PaperEvent]:
    place = draw.choice(places)
    person = place if place in ("anna", "ben") else draw.choice(("anna", "ben"))
    is_long = words == max(_WORDS[APPEND]) and draw.random() < 0.3
    return draw.uniform(0, 0.5), PaperEvent(name, place, text + _LONG * is_long, person)


def _faults(draw: random.Random) -> tuple[CallFault, ...]:
    if draw.random() < 0.3:
        return ()
    return tuple(replace(draw.choice(_FAULTS), after=draw.choice((0, 0, 1, 2, 4))) for _ in range(draw.randint(3, 9)))


def _upheavals(draw: random.Random, doom: Doom) -> tuple[Upheaval, ...]:
    happens = [Upheaval(draw.choice(_UPHEAVALS), draw.uniform(0.1, 1.5)) for _ in range(draw.randint(0, 3))]
    if doom.action == UPDATE or (doom.action not in (START, APPEND, STOP, FIND) and draw.random() < 0.2):
        happens.append(Upheaval(NO_STREAMS))
    if draw.random() < 0.3:
        happens.append(Upheaval(STORM))
    return tuple(happens)


def _shuffled_dooms(seed: int) -> list[Doom]:
    dooms = all_slack_dooms()
    random.Random(seed).shuffle(dooms)
    return dooms
