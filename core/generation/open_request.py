"""A request on this side, from its submission to its last event, in as many engines as it takes."""

import asyncio
from collections.abc import Awaitable
from typing import TypeVar

from core.dialogue import FinishReason
from core.errors import RequestFailed
from core.generation.exchange import Exchange

T = TypeVar("T")

#: The engine ends a request at its deadline by itself; so much later it is ended here.
DEADLINE_GRACE_S = 10.0
#: The same for one that was cancelled.
CANCEL_GRACE_S = 2.0
#: A request that ran while the engine died so often runs alone.
DEATHS_BEFORE_ALONE = 2
#: And at so many it fails: it is to blame.
DEATHS_BEFORE_FAILURE = 3


class EndedHere(Exception):
    """It was cancelled or is out of time, and the engine hasn't ended it."""

    def __init__(self, reason: FinishReason) -> None:
        super().__init__(reason)
        self.reason = reason


class OpenRequest:
    def __init__(self, timeout_s: float) -> None:
        self._begun_at = asyncio.get_running_loop().time()
        self._deadline = self._begun_at + timeout_s
        self._cancelled_at: float | None = None
        self._clock: asyncio.Timeout | None = None
        self._exchange: Exchange | None = None
        self._deaths = 0
        #: Whether it was given to an engine that is gone.
        self.resumed = False

    @property
    def alone(self) -> bool:
        return self._deaths >= DEATHS_BEFORE_ALONE

    @property
    def spent_s(self) -> float:
        return asyncio.get_running_loop().time() - self._begun_at

    @property
    def left_s(self) -> float:
        return max(self._deadline - asyncio.get_running_loop().time(), 0.0)

    def cancel(self) -> None:
        """Ends it at once where the engine hasn't got it; else the engine has a moment to end it in order."""
        if self._cancelled_at is not None:
            return
        self._cancelled_at = asyncio.get_running_loop().time()
        if self._exchange is not None:
            self._exchange.cancel()
        if self._clock is not None and not self._clock.expired():
            self._clock.reschedule(self._end_at)

    async def before_end(self, work: Awaitable[T]) -> T:
        """Waits for something, as long as the request lasts. Raises EndedHere."""
        try:
            async with asyncio.timeout_at(self._end_at) as self._clock:
                return await work
        except TimeoutError:
            raise EndedHere(self._reason) from None
        finally:
            self._clock = None

    def take_back(self) -> None:
        """No engine has it now. Raises EndedHere where there is no sense in giving it to one."""
        self._exchange = None
        if self._end_at <= asyncio.get_running_loop().time():
            raise EndedHere(self._reason)

    def give(self, exchange: Exchange) -> None:
        """An engine has got it."""
        self._exchange = exchange
        if self._cancelled_at is not None:
            exchange.cancel()

    def lose(self) -> None:
        """The engine is gone. Raises RequestFailed where the request is to blame."""
        self.resumed = True
        if self._exchange is not None and self._exchange.started:
            self._deaths += 1
        if self._deaths >= DEATHS_BEFORE_FAILURE:
            raise RequestFailed(
                f"the engine ended {self._deaths} times while it worked on this request, which is not tried again; "
                "see engine.log in the data folder"
            )

    @property
    def _end_at(self) -> float:
        sent = self._exchange is not None
        end = self._deadline + sent * DEADLINE_GRACE_S
        if self._cancelled_at is not None:
            end = min(end, self._cancelled_at + sent * CANCEL_GRACE_S)
        return end

    @property
    def _reason(self) -> FinishReason:
        return FinishReason.DEADLINE if self._cancelled_at is None else FinishReason.CANCELLED
