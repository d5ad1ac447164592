"""Groups that have another id now: the sender meets them, the receiver tells the core of them.

A group that became a supergroup refuses what is sent to it, and names the id that it has instead.
"""

import asyncio
from collections import OrderedDict

_LIMIT = 1000


class Moves:
    """From the sender to the receiver. What is dropped is met again with the next thing that is sent there."""

    def __init__(self, limit: int = _LIMIT) -> None:
        self._limit = limit
        #: Old id → new id, the oldest first.
        self._met: OrderedDict[str, str] = OrderedDict()
        self._is_met = asyncio.Event()

    def tell(self, old: str, new: str) -> None:
        if old not in self._met and len(self._met) >= self._limit:
            return
        self._met[old] = new
        self._is_met.set()

    async def next(self) -> tuple[str, str]:
        """A group's old id and its new one; it waits for them."""
        await self._is_met.wait()
        move = self._met.popitem(last=False)
        if not self._met:
            self._is_met.clear()
        return move
