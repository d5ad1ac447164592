"""How many calls Discord takes now, by the headers of its answers. Nothing about its limits is written down here.

discord.py's own bucket holds an answer back until the window is over, and forgets what is under way when a window
begins. This one stands in its place: an answer is given out at once, and whoever comes next waits, in line.
"""

import asyncio
import contextlib
from collections.abc import Mapping

import aiohttp
import discord
from discord.http import Ratelimit

from adapters.discord.flow import Flow

#: A window that ends so much later than the one that was known is another one.
_ANOTHER_WINDOW_S = 0.25
#: Nothing is known of the window yet: its first answer is on its way.
_UNKNOWN_S = 0.25
#: Seconds without a call after which a bucket may be forgotten.
_FORGOTTEN_AFTER_S = 300.0


class Bucket(Ratelimit):
    """Calls that count together."""

    def __init__(self, longest_wait_s: float, flow: Flow) -> None:
        super().__init__(longest_wait_s)
        self._flow = flow
        self._longest_wait_s = longest_wait_s
        #: The least that an answer left over in this window, whatever is under way now.
        self._left_over = self.limit
        #: Of the loop's clock; None where no answer of this window came yet.
        self._ends_at: float | None = None
        self._line = asyncio.Lock()
        self._changed = asyncio.Event()
        #: The longest that a window was seen to last; 0 where none was seen.
        self.window_s = 0.0

    @property
    def free(self) -> int:
        """So many calls may begin now."""
        if self._ends_at is not None and self._loop.time() >= self._ends_at:
            self._left_over, self._ends_at = self.limit, None
        return self._left_over - self.outgoing

    def left_s(self) -> float:
        """How long it takes until there is room again."""
        return _UNKNOWN_S if self._ends_at is None else max(0.0, self._ends_at - self._loop.time())

    def is_inactive(self) -> bool:
        is_old = self._loop.time() - self._last_request >= _FORGOTTEN_AFTER_S
        return is_old and not self.outgoing and not self._line.locked()

    def limited(self, seconds: float) -> None:
        """Discord says so, whatever was counted."""
        self._left_over = 0
        self._ends_at = max(self._ends_at or 0.0, self._loop.time() + seconds)

    async def acquire(self) -> None:
        """Raises discord.RateLimited where it would take too long."""
        self._last_request = self._loop.time()
        async with self._line:
            while self.free <= 0:
                if self.left_s() > self._longest_wait_s:
                    raise discord.RateLimited(self.left_s())
                self._changed.clear()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self.left_s()):
                        await self._changed.wait()
            self.outgoing += 1
        try:
            await self._flow.take()
        except BaseException:
            await self.__aexit__()
            raise

    async def __aexit__(self, *_: object) -> None:
        self.outgoing -= 1
        self._changed.set()

    def update(self, response: aiohttp.ClientResponse, *, use_clock: bool = False) -> None:  # noqa: ARG002
        self.read(response.headers)

    def read(self, headers: Mapping[str, str]) -> None:
        """An answer that leaves more over than an earlier one of the same window was overtaken by it."""
        try:
            limit, left_over = int(headers["X-RateLimit-Limit"]), int(headers["X-RateLimit-Remaining"])
            reset_after_s = float(headers["X-RateLimit-Reset-After"])
        except (KeyError, ValueError):
            return
        ends_at = self._loop.time() + max(0.0, reset_after_s)
        if self._ends_at is None or ends_at > self._ends_at + _ANOTHER_WINDOW_S:
            self._left_over, self._ends_at = left_over, ends_at
        else:
            self._left_over = min(self._left_over, left_over)
        self.limit, self.remaining = max(1, limit), left_over
        self.window_s = max(self.window_s, reset_after_s)
