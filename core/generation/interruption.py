"""A request's two ends from outside, cancellation and deadline, wherever it is waiting just then."""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator
from typing import TypeVar

from core.dialogue import FinishReason

Item = TypeVar("Item")


class Interrupted(Exception):
    """The request was cancelled, or its time is over."""

    def __init__(self, reason: FinishReason) -> None:
        super().__init__(reason)
        self.reason = reason


class Interruption:
    def __init__(self, timeout_s: float) -> None:
        self.deadline = time.monotonic() + timeout_s
        self._cancelled = asyncio.Event()

    def cancel(self) -> None:
        self._cancelled.set()

    async def over(self, items: AsyncGenerator[Item, None]) -> AsyncGenerator[Item, None]:
        """The items until they end. Raises Interrupted, after `items` has let go of all that it held."""
        stop = asyncio.create_task(self._cancelled.wait())
        try:
            async with contextlib.aclosing(items):
                while found := await self._next(items, stop):
                    yield found[0]
        finally:
            stop.cancel()
            await asyncio.gather(stop, return_exceptions=True)

    async def _next(self, items: AsyncGenerator[Item, None], stop: asyncio.Task[bool]) -> list[Item]:
        """One item; none at the end."""
        coming = asyncio.create_task(_first(items))
        left_s = max(self.deadline - time.monotonic(), 0.0)
        try:
            await asyncio.wait([coming, stop], timeout=left_s, return_when=asyncio.FIRST_COMPLETED)
            if stop.done():
                raise Interrupted(FinishReason.CANCELLED)
            if not coming.done():
                raise Interrupted(FinishReason.DEADLINE)
            return coming.result()
        finally:
            coming.cancel()
            await asyncio.gather(coming, return_exceptions=True)


async def _first(items: AsyncGenerator[Item, None]) -> list[Item]:
    async for item in items:
        return [item]
    return []
