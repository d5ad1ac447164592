"""A terminal of a sandbox's prompt, with somebody at it."""

import asyncio

_WAIT_S = 20.0


class Terminal:
    """What a person types, and what is printed, line by line."""

    def __init__(self) -> None:
        self._typed: asyncio.Queue[str | None] = asyncio.Queue()
        self._printed: asyncio.Queue[str] = asyncio.Queue()

    async def ask(self) -> str | None:
        async with asyncio.timeout(_WAIT_S):
            return await self._typed.get()

    def write(self, line: str) -> None:
        self._printed.put_nowait(line)

    def types(self, line: str | None) -> None:
        self._typed.put_nowait(line)

    async def next(self) -> str:
        async with asyncio.timeout(_WAIT_S):
            return await self._printed.get()
