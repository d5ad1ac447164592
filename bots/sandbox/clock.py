"""A platform's own time: this machine's, and as far ahead of it as it was ordered to be."""

import asyncio
import time


class Clock:
    def __init__(self) -> None:
        self._ahead_s = 0.0
        self._advanced = asyncio.Event()

    def now(self) -> float:
        """Unix seconds."""
        return time.time() + self._ahead_s

    def advance(self, seconds: float) -> None:
        """Whoever waits for a time that is over now goes on."""
        self._ahead_s += seconds
        self._advanced.set()
        self._advanced = asyncio.Event()

    async def until(self, moment: float) -> None:
        while (left_s := moment - self.now()) > 0:
            advanced = self._advanced
            try:
                async with asyncio.timeout(left_s):
                    await advanced.wait()
            except TimeoutError:
                continue
