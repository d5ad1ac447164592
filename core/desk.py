"""Where replies to one place are written: one pen, and whoever wants to change what was said takes it away first.

A reply is interrupted gracefully: a send that is under way ends, its handle is written down, and whoever writes on
begins with what the database says.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable

from core.delivery import ReplyDelivery
from core.sending import ReplyInterrupted

#: A reply that does not end by itself within so long is cut off.
_GRACE_S = 30.0


class Writing:
    """A reply that is being written."""

    def __init__(self, task: asyncio.Task[object] | None) -> None:
        self._task = task
        self._is_forced = False
        self.is_interrupted = False
        self.over = asyncio.Event()
        self._reply: ReplyDelivery | None = None
        self._stop: Callable[[], Awaitable[object]] | None = None

    def sends(self, reply: ReplyDelivery) -> None:
        """From now on there is something to send."""
        self._reply = reply
        self.go_on()

    def generates(self, stop: Callable[[], Awaitable[object]]) -> None:
        """From now on the model is asked, until `stop` is called."""
        self._stop = stop
        self.go_on()

    def go_on(self) -> None:
        """Raises ReplyInterrupted."""
        if self.is_interrupted:
            raise ReplyInterrupted

    async def interrupt(self, grace_s: float) -> None:
        self.is_interrupted = True
        if self._reply is not None:
            self._reply.interrupt()
        if self._stop is not None:
            await self._stop()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(grace_s):
                await self.over.wait()
                return
        if self._task is not None:
            self._is_forced = True
            self._task.cancel()
        await self.over.wait()

    def was_forced(self) -> bool:
        """Whether a cancellation was this one's, and nobody else's."""
        return self._is_forced and self._task is not None and self._task.uncancel() == 0


class Desk:
    """For as long as a place is leased."""

    def __init__(self, grace_s: float = _GRACE_S) -> None:
        self._grace_s = grace_s
        #: Held by whoever begins to answer, and by whoever changes what was said.
        self.lock = asyncio.Lock()
        #: What was read of the inbox may say something else by now.
        self.is_stale = False
        self._writing: Writing | None = None

    def was_changed(self) -> bool:
        """Whether the inbox has to be read again; asked once for each change."""
        was_changed, self.is_stale = self.is_stale, False
        return was_changed

    @contextlib.asynccontextmanager
    async def writing(self) -> AsyncIterator[Writing]:
        """Raises ReplyInterrupted where somebody interrupts what is done in it."""
        writing = self._writing = Writing(asyncio.current_task())
        try:
            yield writing
        except asyncio.CancelledError:
            if writing.was_forced():
                raise ReplyInterrupted from None
            raise
        finally:
            self._writing = None
            writing.over.set()

    async def interrupt(self) -> None:
        """When it returns, nobody writes here. The lock is held, so that nobody begins."""
        if self._writing is not None:
            await self._writing.interrupt(self._grace_s)
