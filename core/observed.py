"""The outbox, the platforms and the handler, watched: they do what they did, and it is counted and timed.

Each message that comes to its end leaves one line in the log: numbers and fixed words, never what was said.
"""

import asyncio
import logging
import time
from collections import OrderedDict
from collections.abc import Awaitable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

from core.dialogue import SessionKey, TurnState
from core.dispatcher import Handler, Holding
from core.errors import LeaseLost, PlatformAway, PlatformError, PlatformRefused, RateLimited, SendUnclear
from core.measures import (
    ENGINE_WAIT_S,
    FIRST_TOKEN_S,
    LEASES_LOST,
    REPLIES,
    REPLY_S,
    RETRIES,
    SEND_S,
    SENDS,
    TOKENS_PER_S,
    WAIT_S,
    Measures,
)
from core.memory.grouped import GroupedWrites
from core.memory.leases import WaitingMessage, Work
from core.memory.outbox import Outbox
from core.memory.owed import Again, Beginning, Begun, Delivery, Ended, Resuming, Saying, Settled, Whole
from core.memory.recording import ReplyRecord
from core.ports import Capabilities, Outgoing, Sender

logger = logging.getLogger(__name__)

_Result = TypeVar("_Result")

#: More replies than one process writes at once; beyond that the oldest story is forgotten.
_STORIES = 4096
_RESULTS: dict[type[PlatformError], str] = {
    RateLimited: "rate_limited",
    PlatformAway: "away",
    SendUnclear: "unclear",
    PlatformRefused: "refused",
}


@dataclass(slots=True)
class _Story:
    """What is known of a reply until it ends."""

    session: int | None = None
    wait_s: float | None = None
    edits: int = 0
    failures: int = 0
    record: ReplyRecord | None = None


class Observer:
    """The stories of the replies that this process writes."""

    def __init__(self, measures: Measures) -> None:
        self.measures = measures
        #: By the message's row.
        self._stories: OrderedDict[int, _Story] = OrderedDict()
        #: A reply's token → its message's row.
        self._rows: OrderedDict[str, int] = OrderedDict()

    def begun(self, message: WaitingMessage, delivery: Delivery, session: int | None) -> None:
        story = self._story(message.id)
        self._name(message, delivery)
        story.session = session if story.session is None else story.session
        if story.wait_s is None:
            story.wait_s = _since(message.accepted_at)
            self.measures.observe(WAIT_S, story.wait_s)

    def said(self, message: WaitingMessage, delivery: Delivery) -> None:
        self._story(message.id)
        self._name(message, delivery)

    def recorded(self, whole: Whole) -> None:
        record, story = whole.record, self._story(whole.message.id)
        story.record, story.session = record, whole.session.id
        for histogram, value in ((ENGINE_WAIT_S, record.queue_s), (FIRST_TOKEN_S, record.first_token_s)):
            if value is not None:
                self.measures.observe(histogram, value)
        if (pace := _tokens_per_s(record)) is not None:
            self.measures.observe(TOKENS_PER_S, pace)

    def sent(self, platform: str, call: str, result: str, seconds: float, token: str = "") -> None:
        self.measures.count(SENDS, platform, call, result)
        self.measures.observe(SEND_S, seconds, platform)
        story = self._stories.get(self._rows.get(token, 0))
        if story is not None:
            story.edits += call in ("update", "append") and result == "ok"
            story.failures += result != "ok"

    def put_off(self) -> None:
        self.measures.count(RETRIES)

    def ended(self, message: WaitingMessage, outcome: TurnState, delivery: Delivery | None = None) -> None:
        """One line for each reply."""
        story = self._stories.pop(message.id, _Story())
        if delivery is not None:
            self._rows.pop(delivery.token, None)
        total_s = _since(message.accepted_at)
        self.measures.count(REPLIES, outcome.value)
        self.measures.observe(REPLY_S, total_s)
        parts = sum(part.handle is not None for part in delivery.parts) if delivery is not None else 0
        told = {
            "action": "reply",
            "platform": message.inbound.session_key.platform.value,
            "session": story.session,
            "outcome": outcome.value,
            "attempts": message.attempts + 1,
            "parts": parts,
            "edits": story.edits,
            "retries": story.failures,
            "wait_s": _rounded(story.wait_s),
            "total_s": _rounded(total_s),
        }
        logger.info("answered", extra=told | _of_model(story.record))

    def _story(self, row: int) -> _Story:
        story = self._stories.setdefault(row, _Story())
        if len(self._stories) > _STORIES:
            self._stories.popitem(last=False)
        return story

    def _name(self, message: WaitingMessage, delivery: Delivery) -> None:
        self._rows[delivery.token] = message.id
        if len(self._rows) > _STORIES:
            self._rows.popitem(last=False)


class ObservedOutbox(Outbox):
    """The outbox, telling how replies come along."""

    def __init__(self, writes: GroupedWrites, observer: Observer) -> None:
        super().__init__(writes)
        self._observer = observer

    async def begin(self, beginning: Beginning) -> Begun:
        begun = await super().begin(beginning)
        self._tell_begun(beginning.messages[0], begun)
        return begun

    async def resume(self, resuming: Resuming) -> Begun | None:
        begun = await super().resume(resuming)
        if begun is not None:
            self._tell_begun(resuming.message, begun)
        return begun

    async def again(self, again: Again) -> Begun:
        begun = await super().again(again)
        self._tell_begun(again.message, begun)
        return begun

    def hear(self, message: WaitingMessage, begun: Begun) -> None:
        self._tell_begun(message, begun)

    async def say(self, saying: Saying) -> Delivery:
        delivery = await super().say(saying)
        self._observer.said(saying.message, delivery)
        return delivery

    async def record(self, whole: Whole) -> Delivery:
        delivery = await super().record(whole)
        self._observer.recorded(whole)
        return delivery

    async def settle(self, settled: Settled) -> Work | None:
        work = await super().settle(settled)
        self._observer.ended(settled.message, settled.delivery.ends_as, settled.delivery)
        return work

    async def settle_beside(self, settled: Settled) -> None:
        await super().settle_beside(settled)
        self._observer.ended(settled.message, settled.delivery.ends_as, settled.delivery)

    async def close(self, ended: Ended) -> None:
        """What needs no answer, as a reaction does, is no reply."""
        await super().close(ended)
        if ended.state is TurnState.FAILED:
            self._observer.ended(ended.message, ended.state)

    async def end(self, ended: Ended) -> Work | None:
        work = await super().end(ended)
        if ended.state is TurnState.WAITING:
            self._observer.put_off()
        else:
            self._observer.ended(ended.message, ended.state)
        return work

    def _tell_begun(self, message: WaitingMessage, begun: Begun) -> None:
        session = None if begun.session is None else begun.session.id
        self._observer.begun(message, begun.delivery, session)


class ObservedSender:
    """A `Sender`, telling how each call went."""

    def __init__(self, sender: Sender, platform: str, observer: Observer) -> None:
        self._sender = sender
        self._platform = platform
        self._observer = observer

    def capabilities(self, key: SessionKey) -> Capabilities:
        return self._sender.capabilities(key)

    async def open(self, part: Outgoing) -> str:
        return await self._watched("open", self._sender.open(part), part.token)

    async def update(self, handle: str, part: Outgoing) -> None:
        await self._watched("update", self._sender.update(handle, part), part.token)

    async def append(self, handle: str, part: Outgoing, text: str) -> None:
        await self._watched("append", self._sender.append(handle, part, text), part.token)

    async def close(self, handle: str, part: Outgoing) -> None:
        await self._watched("close", self._sender.close(handle, part), part.token)

    async def find(self, part: Outgoing) -> str | None:
        return await self._watched("find", self._sender.find(part), part.token)

    async def withdraw(self, handle: str, part: Outgoing) -> None:
        await self._watched("withdraw", self._sender.withdraw(handle, part), part.token)

    async def show_typing(self, key: SessionKey, reply_to_id: str, status: str) -> None:
        await self._watched("typing", self._sender.show_typing(key, reply_to_id, status))

    async def end_typing(self, key: SessionKey, reply_to_id: str) -> None:
        await self._watched("typing", self._sender.end_typing(key, reply_to_id))

    async def _watched(self, call: str, calling: Awaitable[_Result], token: str = "") -> _Result:
        begin, result = time.perf_counter(), "failed"
        try:
            answer = await calling
        except PlatformError as error:
            result = _RESULTS.get(type(error), "failed")
            raise
        except asyncio.CancelledError:  # it took too long, or nobody needs it any more
            result = "cancelled"
            raise
        else:
            result = "ok"
            return answer
        finally:
            self._observer.sent(self._platform, call, result, time.perf_counter() - begin, token)


class ObservedHandler:
    """A `Handler`, telling of leases that were lost."""

    def __init__(self, handler: Handler, measures: Measures) -> None:
        self._handler = handler
        self._measures = measures

    async def serve(self, holding: Holding, work: Work) -> None:
        try:
            await self._handler.serve(holding, work)
        except LeaseLost:
            self._measures.count(LEASES_LOST)
            raise
        except asyncio.CancelledError:
            if holding.lease.left_s <= 0:  # nobody takes a place before
                self._measures.count(LEASES_LOST)
            raise

    async def interrupt(self, holding: Holding, message: WaitingMessage) -> None:
        await self._handler.interrupt(holding, message)


def _since(moment: datetime) -> float:
    return max((datetime.now(UTC) - moment).total_seconds(), 0.0)


def _tokens_per_s(record: ReplyRecord) -> float | None:
    if record.tokens is None or record.total_s is None or record.first_token_s is None:
        return None
    tokens, seconds = len(record.tokens.ids) - 1, record.total_s - record.first_token_s
    return tokens / seconds if tokens > 0 and seconds > 0 else None


def _of_model(record: ReplyRecord | None) -> dict[str, object]:
    """Nothing of what was said without the model."""
    if record is None:
        return {}
    return {
        "model": record.model,
        "finish_reason": record.finish_reason.value,
        "tokens": 0 if record.tokens is None else len(record.tokens.ids),
        "prompt_tokens": record.prompt_tokens,
        "queue_s": _rounded(record.queue_s),
        "first_token_s": _rounded(record.first_token_s),
        "tokens_per_s": _rounded(_tokens_per_s(record)),
    }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
