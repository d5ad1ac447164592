"""A clock that stands still while somebody has something to do, and jumps to the next time that somebody waits for."""

import asyncio
import heapq
from collections.abc import Awaitable
from itertools import count

_STEPS = 20


class PaperTime:
    def __init__(self) -> None:
        self.now = 1000.0
        self._order = count()
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        wakes: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.now + seconds, next(self._order), wakes))
        await wakes

    async def until(self, *work: Awaitable[object]) -> list[object]:
        """Runs all of it to its end; gives what each came to, an error as a value."""
        tasks = [asyncio.ensure_future(one) for one in work]
        while not all(task.done() for task in tasks):
            for _ in range(_STEPS):
                await asyncio.sleep(0)
            if self._sleepers:
                self.now, _, wakes = heapq.heappop(self._sleepers)
                if not wakes.done():
                    wakes.set_result(None)
        return await asyncio.gather(*tasks, return_exceptions=True)
