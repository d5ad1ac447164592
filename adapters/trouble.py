"""What is wrong with listening to a platform is said once, when it begins; and once that it is over."""

import asyncio
import logging
from dataclasses import dataclass

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Pauses:
    """Between tries; they double."""

    first_s: float = 1.0
    #: So that what was away is found again soon.
    longest_s: float = 15.0
    #: Where only a person can help.
    slow_s: float = 120.0


class Trouble:
    """Of one account, whatever the number of its connections."""

    def __init__(self, platform: str, pauses: Pauses) -> None:
        self._platform = platform
        self._pauses = pauses
        #: What kind of trouble there is; "" while there is none.
        self._kind = ""
        self._pause_s = pauses.first_s

    async def met(self, kind: str, line: str, *, at_least_s: float = 0.0, is_slow: bool = False) -> None:
        """A while has passed when it returns."""
        if kind != self._kind:
            logger.warning("%s", line, extra={"action": "receive", "platform": self._platform, "trouble": kind})
            self._pause_s = self._pauses.first_s
        self._kind = kind
        pause_s = max(self._pause_s, at_least_s)
        self._pause_s = min(2 * self._pause_s, self._pauses.slow_s if is_slow else self._pauses.longest_s)
        await asyncio.sleep(pause_s)

    def passed(self) -> None:
        if self._kind:
            logger.info("the bot is listened to again", extra={"action": "receive", "platform": self._platform})
            self._kind, self._pause_s = "", self._pauses.first_s
