"""Tells somebody who waits long why, and again when the reason changes. A short wait is not spoken of."""

import asyncio
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

from core.generation.request import Waiting


class Patience:
    """For one reply, from the moment when it is asked for until it is whole."""

    def __init__(self, tell: Callable[[Waiting], Awaitable[None]], short_s: float) -> None:
        """`tell` must not fail; `short_s`: so long nothing is said from now on."""
        self._tell = tell
        self._short_s = short_s
        self._latest = Waiting()
        self._changed = asyncio.Event()
        self._ending = False
        self._beginning: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    def heard(self, waiting: Waiting) -> None:
        self._latest = waiting
        self._changed.set()

    async def __aenter__(self) -> Self:
        self._beginning = asyncio.get_running_loop().call_later(self._short_s, self._begin)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """What is being said is said to its end: it may be a message of its own."""
        if self._beginning is not None:
            self._beginning.cancel()
        self._ending = True
        self._changed.set()
        if self._task is not None:
            await self._task

    def _begin(self) -> None:
        self._changed.set()
        self._task = asyncio.create_task(self._keep_telling())

    async def _keep_telling(self) -> None:
        while not self._ending:
            await self._changed.wait()
            if not self._ending:
                self._changed.clear()
                await self._tell(self._latest)
