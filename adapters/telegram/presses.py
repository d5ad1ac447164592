"""Whoever presses a button sees it wait until the press is answered. Nothing waits for that but the person."""

import asyncio
import contextlib
from collections.abc import Iterable

from adapters.telegram.line import Line
from core.errors import PlatformError

#: More at once are left to the client, which gives up waiting by itself.
_MOST = 50
_TIMEOUT_S = 5.0


class Presses:
    def __init__(self, line: Line) -> None:
        self._line = line
        self._tasks: set[asyncio.Task[None]] = set()

    def answer(self, query_ids: Iterable[str]) -> None:
        """What came of them is seen in the reply; so nothing is said."""
        for query_id in query_ids:
            if len(self._tasks) >= _MOST:
                return
            task = asyncio.create_task(self._answer(query_id))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """Those that are under way are sent."""
        await asyncio.gather(*self._tasks)

    async def _answer(self, query_id: str) -> None:
        """One that is too old is refused, and one that is lost is not missed."""
        with contextlib.suppress(PlatformError, TimeoutError):
            async with asyncio.timeout(_TIMEOUT_S):
                await self._line.ask("answerCallbackQuery", {"callback_query_id": query_id}, _TIMEOUT_S)
