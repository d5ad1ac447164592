"""Whether this machine's clock is right: a wrong one makes certificates look invalid, and dates in dialogues lie."""

import logging
import time
from collections.abc import Callable
from email.utils import parsedate_to_datetime

logger = logging.getLogger(__name__)

_TOLERATED_S = 60.0
#: What OpenSSL says of a certificate whose time it is not.
_SIGNS = ("not yet valid", "has expired")


class ClockCheck:
    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._is_told = False

    def compare(self, date: str) -> None:
        """The `Date` of an answer that came just now. Said once, until it is right again."""
        try:
            off_s = self._clock() - parsedate_to_datetime(date).timestamp()
        except ValueError:
            return
        is_wrong = abs(off_s) > _TOLERATED_S
        if is_wrong and not self._is_told:
            logger.warning(
                "this machine's clock is %.0f s %s Telegram's; set it by NTP",
                abs(off_s),
                "ahead of" if off_s > 0 else "behind",
                extra={"action": "clock", "platform": "telegram"},
            )
        self._is_told = is_wrong


def blames_clock(error: Exception) -> bool:
    """Whether a certificate's time was wrong, which more often is this machine's."""
    return any(sign in str(error) for sign in _SIGNS)
