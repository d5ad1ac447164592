"""The outbox, the platforms and the handler, watched: they do what they did, and it is counted and timed."""

import asyncio
import time
from collections.abc import Awaitable
from typing import TypeVar

from core.dialogue import Attachment, SessionKey, TurnState
from core.dispatcher import Handler, Holding
from core.errors import (
    LeaseLost,
    PlatformAway,
    PlatformError,
    PlatformRefused,
    RateLimited,
    SendUnclear,
)
from core.measures import LEASES_LOST, Measures
from core.memory.grouped import GroupedWrites
from core.memory.leased import WaitingMessage, Work
from core.memory.outbox import Outbox
from core.memory.owed import Again, Beginning, Begun, Delivery, Ended, Resuming, Saying, Settled, Whole
from core.observer import Observer
from core.ports import Capabilities, Outgoing, Sender

_Result = TypeVar("_Result")

_RESULTS: dict[type[PlatformError], str] = {
    RateLimited: "rate_limited",
    PlatformAway: "away",
    SendUnclear: "unclear",
    PlatformRefused: "refused",
}


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

    async def show_work(self, handle: str, part: Outgoing, status: str) -> None:
        await self._watched("show_work", self._sender.show_work(handle, part, status), part.token)

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

    async def read(self, key: SessionKey, attachment: Attachment, limit_bytes: int) -> bytes:
        return await self._watched("read", self._sender.read(key, attachment, limit_bytes))

    async def name_thread(self, key: SessionKey, title: str) -> None:
        await self._watched("name", self._sender.name_thread(key, title))

    async def _watched(self, call: str, calling: Awaitable[_Result], token: str = "") -> _Result:
        begin, result = time.perf_counter(), "failed"
        try:
            answer = await calling
        except PlatformError as error:
            result = next((told for kind, told in _RESULTS.items() if isinstance(error, kind)), "failed")
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
