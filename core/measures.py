"""What is counted and timed while people are answered, and the port through which that is told.

Numbers under fixed words: no kind is ever a text, a name or an id, so nothing leaks, and the series are few.
"""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Counter:
    """Something that happens."""

    name: str
    meaning: str
    #: What its kinds are kinds of.
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Histogram:
    """Something that is long or large."""

    name: str
    meaning: str
    #: Upper bounds of its classes, growing.
    bounds: tuple[float, ...]
    labels: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gauge:
    """Something that is looked at when somebody asks."""

    name: str
    meaning: str


class Measures(Protocol):
    """Where it is kept. The kinds stand in the order of the labels."""

    def count(self, counter: Counter, *kinds: str) -> None: ...

    def observe(self, histogram: Histogram, value: float, *kinds: str) -> None: ...


class Unmeasured:
    """Keeps nothing."""

    def count(self, counter: Counter, *kinds: str) -> None: ...

    def observe(self, histogram: Histogram, value: float, *kinds: str) -> None: ...


UNMEASURED = Unmeasured()

_MOMENTS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_WAITS_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)

REPLIES = Counter("banter_replies", "Messages that came to their end.", ("outcome",))
RETRIES = Counter("banter_answer_retries", "Answers that failed and are tried again later.")
SENDS = Counter("banter_platform_calls", "Calls on platforms.", ("platform", "call", "result"))
LEASES_LOST = Counter("banter_leases_lost", "Places that another process took over while this one answered there.")
GROUPS_REFUSED = Counter(
    "banter_database_groups_refused", "Groups of writes that the database refused, whose items were carried out alone."
)
RECEIVER_FAILURES = Counter("banter_receiver_failures", "Receivers that ended and were begun again.", ("platform",))

WAIT_S = Histogram("banter_wait_seconds", "From a message's arrival to the beginning of its answer.", _WAITS_S)
ENGINE_WAIT_S = Histogram("banter_engine_wait_seconds", "In the queue of the engine or the server.", _WAITS_S)
FIRST_TOKEN_S = Histogram("banter_first_token_seconds", "From the request to its first token.", _WAITS_S)
TOKENS_PER_S = Histogram(
    "banter_tokens_per_second", "Of one reply, after its first token.", (1, 2.5, 5, 10, 25, 50, 100, 250, 500)
)
REPLY_S = Histogram("banter_reply_seconds", "From a message's arrival to its last send.", _WAITS_S)
SEND_S = Histogram("banter_platform_call_seconds", "One call on a platform.", _MOMENTS_S, ("platform",))
WRITE_S = Histogram("banter_database_write_seconds", "One transaction of writes.", _MOMENTS_S)
WRITE_GROUP = Histogram("banter_database_write_group", "Writes in one transaction.", (1, 2, 4, 8, 16, 32, 64, 128, 256))

INBOX_WAITING = Gauge("banter_inbox_waiting", "Messages that wait to be answered.")
INBOX_BEGUN = Gauge("banter_inbox_begun", "Messages that are being answered, by any process.")
INBOX_OLDEST_S = Gauge("banter_inbox_oldest_seconds", "Since the oldest message came that is owed an answer.")
LEASES_HELD = Gauge("banter_leases_held", "Places at which this process answers.")
ENGINE_WAITING = Gauge("banter_engine_waiting", "Requests in the engine's queue.")
ENGINE_RUNNING = Gauge("banter_engine_running", "Replies that the engine writes now.")
DATABASE_S = Gauge("banter_database_seconds", "How long the database took to answer when it was looked at last.")
READY = Gauge("banter_ready", "1 where people can be answered now.")

COUNTERS = (REPLIES, RETRIES, SENDS, LEASES_LOST, GROUPS_REFUSED, RECEIVER_FAILURES)
HISTOGRAMS = (WAIT_S, ENGINE_WAIT_S, FIRST_TOKEN_S, TOKENS_PER_S, REPLY_S, SEND_S, WRITE_S, WRITE_GROUP)
GAUGES = (
    INBOX_WAITING,
    INBOX_BEGUN,
    INBOX_OLDEST_S,
    LEASES_HELD,
    ENGINE_WAITING,
    ENGINE_RUNNING,
    DATABASE_S,
    READY,
)
