"""What people are shown after an ack: nothing else waits for it, and no more of it is under way than a bound allows."""

import asyncio
import logging
from collections.abc import Awaitable

from adapters.payloads import NotUnderstood
from core.errors import PlatformError, StorageError

logger = logging.getLogger(__name__)

#: More at once are left undone: whoever pressed presses again.
_MOST = 50
#: None has reason to take longer; each call in it has a deadline of its own.
_TIMEOUT_S = 15.0
#: When the program ends.
_LAST_S = 2.0


class Responses:
    def __init__(self, most: int = _MOST, timeout_s: float = _TIMEOUT_S) -> None:
        self._most = most
        self._timeout_s = timeout_s
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def has_room(self) -> bool:
        return len(self._tasks) < self._most

    def begin(self, response: Awaitable[None]) -> None:
        """Where there is room."""
        task = asyncio.create_task(self._carry_out(response))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def aclose(self) -> None:
        """Those that are under way have a little while."""
        tasks = set(self._tasks)
        if tasks:
            await asyncio.wait(tasks, timeout=_LAST_S)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _carry_out(self, response: Awaitable[None]) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):
                await response
        except (PlatformError, StorageError, NotUnderstood) as error:
            logger.info("somebody was shown nothing: %s", error, extra={"action": "respond", "platform": "slack"})
        except Exception as error:  # noqa: BLE001 - its words may be a person's; the next one must be shown
            reason = type(error).__name__
            logger.warning("somebody was shown nothing: %s", reason, extra={"action": "respond", "platform": "slack"})
