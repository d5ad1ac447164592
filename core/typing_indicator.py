"""Shows that somebody writes, for as long as they do, and always ends it."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

from core.dialogue import SessionKey
from core.errors import PlatformError
from core.ports import Capabilities, Sender

_END_TIMEOUT_S = 5.0
#: A reply that is there sooner needs no indicator, nor the calls for it.
_FIRST_AFTER_S = 0.1


class TypingIndicator:
    """Nothing happens where the platform has none. What goes wrong with it is nobody's concern."""

    def __init__(self, sender: Sender, capabilities: Capabilities, key: SessionKey, reply_to_id: str) -> None:
        self._sender = sender
        self._can = capabilities
        self._place = (key, reply_to_id)
        self._status = ""
        #: Until it is seen.
        self._beginning: asyncio.TimerHandle | None = None
        self._task: asyncio.Task[None] | None = None

    def begin(self) -> None:
        if self._can.typing_interval_s and self._beginning is None:
            self._beginning = asyncio.get_running_loop().call_later(_FIRST_AFTER_S, self._show)

    def say(self, status: str) -> None:
        """Why it takes long, where the platform can show that beside it."""
        if status != self._status and self._beginning is not None:
            self._status = status
            self._show()

    def _show(self) -> None:
        for earlier in (self._beginning, self._task):
            if earlier is not None:
                earlier.cancel()
        self._task = asyncio.create_task(self._keep())

    async def end(self) -> None:
        beginning, self._beginning = self._beginning, None
        task, self._task = self._task, None
        if beginning is not None:
            beginning.cancel()
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            await _quietly(lambda: self._sender.end_typing(*self._place))

    async def _keep(self) -> None:
        while True:
            await _quietly(lambda: self._sender.show_typing(*self._place, self._status))
            await asyncio.sleep(self._can.typing_interval_s)


async def _quietly(call: Callable[[], Awaitable[None]]) -> None:
    with contextlib.suppress(PlatformError, TimeoutError):
        async with asyncio.timeout(_END_TIMEOUT_S):
            await call()
