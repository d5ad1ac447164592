"""When a shard may begin a session. Discord resets the token of a bot that begins too many in a day.

A program that crashes and is started again for hours must not come to that, though it remembers nothing of its starts:
Discord tells how many are left. While more than half are, a session begins at once. After that each start waits, the
longer the fewer are left, so that those of a day last for the day; the last ten are left for people who try things out.
Beside that Discord takes so many sessions within five seconds.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from discord.http import Route

from adapters.discord.whereabouts import Asking
from adapters.payloads import found_in, text_in
from core.errors import PlatformAway

logger = logging.getLogger(__name__)

#: Between two sessions of one bucket.
_APART_S = 5.1
_LEFT_FOR_PEOPLE = 10
#: The longest that is waited before Discord is asked again.
_ASK_AGAIN_S = 300.0
#: What is not worth a word.
_SHORT_S = 1.0


@dataclass(frozen=True, slots=True)
class StartLimit:
    """As GET /gateway/bot told."""

    url: str
    #: How many Discord would have.
    shards: int = 1
    total: int = 1000
    remaining: int = 1000
    reset_after_s: float = 0.0
    #: Sessions that may begin within five seconds.
    at_once: int = 1


def read_limit(told: object) -> StartLimit:
    """Raises PlatformAway where it can't be read."""
    url = text_in(told, "url")
    numbers = [found_in(told, "shards")] + [
        found_in(told, "session_start_limit", name) for name in ("total", "remaining", "reset_after", "max_concurrency")
    ]
    shards, total, remaining, reset_ms, at_once = (one if isinstance(one, int) else -1 for one in numbers)
    if not url or min(total, remaining, reset_ms) < 0 or min(shards, at_once) < 1:
        raise PlatformAway("what came instead of the gateway's address can't be read")
    return StartLimit(url, shards, total, remaining, reset_ms / 1000, at_once)


def pause_before(limit: StartLimit) -> float:
    """Seconds to wait before one more session begins."""
    if limit.remaining <= _LEFT_FOR_PEOPLE:
        return limit.reset_after_s
    half = limit.total / 2
    return max(0.0, 1 - limit.remaining / half) * limit.reset_after_s / limit.remaining if half else 0.0


class Starts:
    """Of one account, in this process."""

    def __init__(
        self,
        rest: Asking,
        apart_s: float = _APART_S,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._rest = rest
        self._apart_s = apart_s
        self._sleep = sleep
        self._clock = clock
        self._turns: dict[int, asyncio.Lock] = {}
        #: When the last session of a bucket began.
        self._last: dict[int, float] = {}

    async def ask(self) -> StartLimit:
        """Raises PlatformError."""
        return read_limit(await self._rest.request(Route("GET", "/gateway/bot")))

    @asynccontextmanager
    async def turn(self, shard: int) -> AsyncIterator[str]:
        """Where the session is to begin; it does within the block, and nothing else beside it. Raises PlatformError."""
        bucket = shard % (await self.ask()).at_once
        async with self._turns.setdefault(bucket, asyncio.Lock()):
            limit = await self._allowed()
            since = self._clock() - self._last.get(bucket, -self._apart_s)
            if since < self._apart_s:
                await self._sleep(self._apart_s - since)
            try:
                yield limit.url
            finally:
                self._last[bucket] = self._clock()

    async def _allowed(self) -> StartLimit:
        is_said = False
        while True:
            limit = await self.ask()
            pause_s = pause_before(limit)
            if pause_s > _SHORT_S and not is_said:
                is_said = True
                logger.warning(
                    "only %s of %s sessions are left for today: the next one begins in %.0f s",
                    *(limit.remaining, limit.total, pause_s),
                    extra={"action": "identify", "platform": "discord"},
                )
            await self._sleep(min(pause_s, _ASK_AGAIN_S))
            if limit.remaining > _LEFT_FOR_PEOPLE and pause_s <= _ASK_AGAIN_S:
                return limit
