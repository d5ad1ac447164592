"""What is counted: each call, each reply, one line for each message, and no word of anybody."""

import asyncio
import logging
from collections import Counter as Tally
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bots.metrics import PrometheusMeasures
from core.dialogue import (
    Attachment,
    FinishReason,
    InboundMessage,
    Person,
    Platform,
    Role,
    SessionKey,
    TokenizedText,
    Turn,
    TurnState,
)
from core.dispatcher import Holding
from core.errors import LeaseLost, MessageGone, PlatformAway, RateLimited
from core.measures import COUNTERS, GAUGES, HISTOGRAMS, INBOX_WAITING, LEASES_LOST, REPLIES, SENDS, Counter, Histogram
from core.memory.leased import Lease, WaitingMessage, Work
from core.memory.owed import Delivery, SentPart, Whole
from core.memory.recording import ReplyRecord
from core.memory.sessions import Session
from core.observed import ObservedHandler, ObservedSender
from core.observer import Observer
from core.ports import Capabilities, Outgoing

KEY = SessionKey(Platform.TELEGRAM, "banter", "", "42")
ANNA = Person(Platform.TELEGRAM, "", "17", "Anna Canary")
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
SAID = InboundMessage(KEY, ANNA, "m1", "my secret canary", NOW)
MESSAGE = WaitingMessage(7, TurnState.WAITING, 1, NOW, NOW, None, SAID)
LEASE = Lease("place", "me", 1, until=1e12)
SESSION = Session(3, KEY, "banter", "tiny", True, None, NOW, NOW)
RECORD = ReplyRecord(
    "a canary sings",
    "tiny",
    FinishReason.STOP,
    tokens=TokenizedText("t", (1, 2, 3, 4, 5)),
    prompt_tokens=40,
    queue_s=0.5,
    first_token_s=1.0,
    total_s=3.0,
)
DELIVERY = Delivery(9, "token", parts=(SentPart(0, "h1"), SentPart(1, "h2"), SentPart(2)))


class Kept:
    """Measures that can be looked at."""

    def __init__(self) -> None:
        self.counted: Tally[tuple[str, ...]] = Tally()
        self.observed: dict[str, list[float]] = {}

    def count(self, counter: Counter, *kinds: str) -> None:
        assert len(kinds) == len(counter.labels)
        self.counted[counter.name, *kinds] += 1

    def observe(self, histogram: Histogram, value: float, *kinds: str) -> None:
        assert len(kinds) == len(histogram.labels)
        self.observed.setdefault(histogram.name, []).append(value)


class FailingSender:
    """Raises what it is told to, one after another, and then does what it is asked."""

    def __init__(self, *errors: BaseException) -> None:
        self._errors = list(errors)

    def capabilities(self, key: SessionKey) -> Capabilities:
        return Capabilities(edits=True)

    async def open(self, part: Outgoing) -> str:
        self._fail()
        return "handle"

    async def update(self, handle: str, part: Outgoing) -> None:
        self._fail()

    async def append(self, handle: str, part: Outgoing, text: str) -> None:
        self._fail()

    async def close(self, handle: str, part: Outgoing) -> None:
        self._fail()

    async def find(self, part: Outgoing) -> str | None:
        return None

    async def withdraw(self, handle: str, part: Outgoing) -> None:
        self._fail()

    async def show_typing(self, key: SessionKey, reply_to_id: str, status: str) -> None: ...

    async def end_typing(self, key: SessionKey, reply_to_id: str) -> None: ...

    async def read(self, key: SessionKey, attachment: Attachment, limit_bytes: int) -> bytes:
        return b""

    async def name_thread(self, key: SessionKey, title: str) -> None: ...

    async def show_work(self, handle: str, part: Outgoing, status: str) -> None: ...

    def _fail(self) -> None:
        if self._errors:
            raise self._errors.pop(0)


@pytest.fixture
def kept() -> Kept:
    return Kept()


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "core.observer")
    return caplog


async def test_each_call_is_counted_by_how_it_went(kept: Kept) -> None:
    sender = ObservedSender(
        FailingSender(
            RateLimited("slowly", 3.0),
            PlatformAway("gone"),
            MessageGone("deleted"),
            asyncio.CancelledError(),
            ValueError("a bug"),
        ),
        "telegram",
        Observer(kept),
    )
    part = Outgoing(KEY, "m1", "token", 0, "hello")

    for error in (RateLimited, PlatformAway, MessageGone, asyncio.CancelledError, ValueError):
        with pytest.raises(error):
            await sender.open(part)
    assert await sender.open(part) == "handle"
    await sender.update("handle", part)

    results = {key[3]: count for key, count in kept.counted.items() if key[:3] == (SENDS.name, "telegram", "open")}
    assert results == {"rate_limited": 1, "away": 1, "refused": 1, "cancelled": 1, "failed": 1, "ok": 1}
    assert kept.counted[SENDS.name, "telegram", "update", "ok"] == 1
    assert len(kept.observed["banter_platform_call_seconds"]) == 7


async def test_a_reply_leaves_one_line_with_its_numbers(kept: Kept, lines: pytest.LogCaptureFixture) -> None:
    observer = Observer(kept)
    sender = ObservedSender(FailingSender(RateLimited("slowly", 3.0)), "telegram", observer)
    part = Outgoing(KEY, "m1", DELIVERY.token, 0, "hello")

    observer.begun(MESSAGE, DELIVERY, SESSION.id)
    with pytest.raises(RateLimited):
        await sender.open(part)
    await sender.open(part)
    await sender.update("h1", part)
    observer.recorded(Whole(LEASE, MESSAGE, SESSION, Turn(5, Role.PERSON, SAID.text), RECORD, DELIVERY))
    observer.ended(MESSAGE, TurnState.DELIVERED, DELIVERY)

    [line] = lines.records
    told = vars(line)
    expected = {
        "action": "reply",
        "platform": "telegram",
        "session": 3,
        "outcome": "delivered",
        "attempts": 2,
        "parts": 2,
        "edits": 1,
        "retries": 1,
        "model": "tiny",
        "finish_reason": "stop",
        "tokens": 5,
        "prompt_tokens": 40,
        "queue_s": 0.5,
        "first_token_s": 1.0,
        "tokens_per_s": 2.0,
    }
    assert {key: told[key] for key in expected} == expected
    assert told["total_s"] >= told["wait_s"] > 0
    assert "anary" not in str(told)
    assert kept.counted[REPLIES.name, "delivered"] == 1
    assert kept.observed["banter_tokens_per_second"] == [2.0]


def test_a_message_that_is_begun_again_waited_once(kept: Kept) -> None:
    observer = Observer(kept)

    observer.begun(MESSAGE, DELIVERY, SESSION.id)
    observer.begun(MESSAGE, DELIVERY, SESSION.id)

    assert len(kept.observed["banter_wait_seconds"]) == 1


def test_what_was_said_without_the_model_has_a_line_too(kept: Kept, lines: pytest.LogCaptureFixture) -> None:
    Observer(kept).ended(MESSAGE, TurnState.REFUSED)

    [line] = lines.records
    assert (vars(line)["outcome"], "model" in vars(line)) == ("refused", False)


def test_replies_that_never_end_here_are_forgotten(kept: Kept) -> None:
    observer = Observer(kept)

    for row in range(10_000):
        observer.begun(replace(MESSAGE, id=row), replace(DELIVERY, token=str(row)), row)

    assert len(observer._stories) == len(observer._rows) == 4096


class LosingHandler:
    def __init__(self, error: BaseException) -> None:
        self._error = error

    async def serve(self, holding: Holding, work: Work) -> None:
        raise self._error

    async def interrupt(self, holding: Holding, message: WaitingMessage) -> None: ...


@pytest.mark.parametrize(
    ("error", "until", "lost"),
    [
        (LeaseLost("gone"), 1e12, 1),
        (asyncio.CancelledError(), 0.0, 1),  # the dispatcher ends what it could not renew
        (asyncio.CancelledError(), 1e12, 0),  # and what it drains
    ],
)
async def test_a_lease_that_is_lost_is_counted(kept: Kept, error: BaseException, until: float, lost: int) -> None:
    lease = replace(LEASE, until=until)
    handler = ObservedHandler(LosingHandler(error), kept)

    with pytest.raises(type(error)):
        await handler.serve(Holding(lease, None), Work(lease, ()))  # type: ignore[arg-type]

    assert kept.counted[LEASES_LOST.name,] == lost


def test_every_series_is_there_from_the_start() -> None:
    text = PrometheusMeasures().text({INBOX_WAITING: 3}).decode()

    for measure in (*COUNTERS, *HISTOGRAMS, *GAUGES):
        assert f"# HELP {measure.name}" in text
    assert "banter_inbox_waiting 3.0" in text
    assert "banter_leases_held NaN" in text


def test_prometheus_reads_what_was_counted() -> None:
    measures = PrometheusMeasures()

    measures.count(REPLIES, "delivered")
    measures.count(REPLIES, "delivered")
    measures.count(LEASES_LOST)
    measures.observe(HISTOGRAMS[0], 0.3)
    text = measures.text({}).decode()

    assert 'banter_replies_total{outcome="delivered"} 2.0' in text
    assert "banter_leases_lost_total 1.0" in text
    assert 'banter_wait_seconds_bucket{le="0.25"} 0.0' in text
    assert 'banter_wait_seconds_bucket{le="0.5"} 1.0' in text
