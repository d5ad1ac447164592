"""Calls on a platform: under a lease, with a deadline, and again where they failed.

Every call of a `Sender` may be repeated with the same words, so nothing here needs to know what is sent.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from core.dispatcher import Holding
from core.errors import MessageGone, PlatformAway, PlatformError, PlatformRefused, RateLimited, SendUnclear

logger = logging.getLogger(__name__)

_Result = TypeVar("_Result")

#: A pause may end a little before its time.
_CLOCKS_DIFFER_S = 0.02


class ReplyInterrupted(Exception):
    """Somebody changes what the reply is about: whoever writes it begins again with what is stored."""


@dataclass(frozen=True, slots=True)
class SendLimits:
    #: A call that fails so often in a row is left to a later try of the whole message.
    attempts: int = 6
    #: After a call that failed; it doubles with each failure.
    first_pause_s: float = 0.5
    longest_pause_s: float = 30.0
    #: A platform that wants to be left alone for longer is left to a later try as well.
    longest_wait_s: float = 300.0


class Send(Protocol):
    """`Sending.once` or `Sending.patiently`."""

    def __call__(self, call: Callable[[], Awaitable[_Result]], /) -> Awaitable[_Result]: ...


class Sending:
    def __init__(self, holding: Holding, timeout_s: float, limits: SendLimits) -> None:
        self._holding = holding
        self._timeout_s = timeout_s
        self._limits = limits
        #: By `time.monotonic`: until then the platform wants to be left alone.
        self._quiet_until = 0.0
        self._interrupted = asyncio.Event()

    def interrupt(self) -> None:
        """A call that is under way ends by itself, and nobody tries patiently any more."""
        self._interrupted.set()

    async def once(self, call: Callable[[], Awaitable[_Result]]) -> _Result:
        """Raises PlatformError, or LeaseLost where too little of the lease is left for the call to end in it.

        A platform that wants to be left alone is not called.
        """
        left_s = self._quiet_until - time.monotonic()
        if left_s > _CLOCKS_DIFFER_S:
            raise RateLimited("the platform wants to be left alone", left_s)
        await self._holding.keep(self._timeout_s)
        try:
            async with asyncio.timeout(self._timeout_s):
                return await call()
        except RateLimited as limited:
            self._quiet_until = time.monotonic() + limited.retry_after_s
            raise
        except TimeoutError:
            raise SendUnclear(f"the platform did not answer within {self._timeout_s:g} s") from None

    async def _pause(self, seconds: float) -> None:
        if seconds > 0:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await self._interrupted.wait()
        if self._interrupted.is_set():
            raise ReplyInterrupted

    async def patiently(self, call: Callable[[], Awaitable[_Result]]) -> _Result:
        """Raises PlatformRefused at once, what the last try raised, or ReplyInterrupted."""
        limits, usual_s = self._limits, self._limits.first_pause_s
        pause_s = min(self._quiet_until - time.monotonic(), limits.longest_wait_s)
        for left in reversed(range(limits.attempts)):
            await self._pause(pause_s)
            try:
                return await self.once(call)
            except PlatformRefused:
                raise
            except PlatformError as error:
                pause_s = error.retry_after_s if isinstance(error, RateLimited) else usual_s
                if not left or pause_s > limits.longest_wait_s:
                    raise
            usual_s = min(2 * usual_s, limits.longest_pause_s)
        raise PlatformAway("nothing was tried")


async def is_there(changing: Awaitable[None]) -> bool:
    """Whether the message that is changed is there still."""
    try:
        await changing
    except MessageGone:
        logger.info("a message was deleted before it was whole, and is sent again", extra={"action": "send"})
        return False
    return True


def pause_after(error: PlatformError, usual_s: float) -> float:
    """How long to leave a platform alone."""
    return max(error.retry_after_s, usual_s) if isinstance(error, RateLimited) else usual_s
