"""Calls on a platform: under a lease, with a deadline, and again where they failed.

Every call of a `Sender` may be repeated with the same words, so nothing here needs to know what is sent.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from core.dispatcher import Holding
from core.errors import PlatformAway, PlatformError, PlatformRefused, RateLimited, SendUnclear

_Result = TypeVar("_Result")

_FIRST_PAUSE_S = 0.5
_LONGEST_PAUSE_S = 30.0


@dataclass(frozen=True, slots=True)
class SendLimits:
    #: A call that fails so often in a row is left to a later try of the whole message.
    attempts: int = 6
    #: A platform that wants to be left alone for longer is left to a later try as well.
    longest_wait_s: float = 300.0


class Sending:
    def __init__(self, holding: Holding, timeout_s: float, limits: SendLimits) -> None:
        self._holding = holding
        self._timeout_s = timeout_s
        self._limits = limits

    async def once(self, call: Callable[[], Awaitable[_Result]]) -> _Result:
        """Raises PlatformError, or LeaseLost where too little of the lease is left for the call to end in it."""
        await self._holding.keep(self._timeout_s)
        try:
            async with asyncio.timeout(self._timeout_s):
                return await call()
        except TimeoutError:
            raise SendUnclear(f"the platform did not answer within {self._timeout_s:g} s") from None

    async def patiently(self, call: Callable[[], Awaitable[_Result]]) -> _Result:
        """Raises PlatformRefused at once, and what the last try raised."""
        pause_s = _FIRST_PAUSE_S
        for left in reversed(range(self._limits.attempts)):
            try:
                return await self.once(call)
            except PlatformRefused:
                raise
            except PlatformError as error:
                wait_s = error.retry_after_s if isinstance(error, RateLimited) else pause_s
                if not left or wait_s > self._limits.longest_wait_s:
                    raise
            await asyncio.sleep(wait_s)
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
        raise PlatformAway("nothing was tried")


def pause_after(error: PlatformError, usual_s: float) -> float:
    """How long to leave a platform alone."""
    return max(error.retry_after_s, usual_s) if isinstance(error, RateLimited) else usual_s
