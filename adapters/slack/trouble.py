"""What is wrong with listening is said once, when it begins; and once that it is over."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from core.errors import PlatformError, PlatformRefused, RateLimited, SettingsError

logger = logging.getLogger(__name__)

_Found = TypeVar("_Found")

_WRONG_TOKEN = "BANTER_SLACK_APP_TOKEN: Slack knows no app by this token; set one that has the scope connections:write"  # noqa: S105
_REVOKED = (
    "Slack does not know the app's token any more: it was revoked; set BANTER_SLACK_APP_TOKEN to another one and "
    "start again"
)


class TokenRefused(PlatformRefused):
    """Slack knows no app by this token, or not any more."""


@dataclass(frozen=True, slots=True)
class Pauses:
    """Between tries; they double."""

    first_s: float = 1.0
    #: So that what was away is found again soon.
    longest_s: float = 15.0
    #: Where only a person can help.
    slow_s: float = 120.0


class Trouble:
    """Of one app's receiver, whatever the number of its connections."""

    def __init__(self, pauses: Pauses) -> None:
        self._pauses = pauses
        #: What kind of trouble there is; "" while there is none.
        self._kind = ""
        self._pause_s = pauses.first_s
        #: The token was good once.
        self._is_known = False

    async def through(self, step: Callable[[], Awaitable[_Found]]) -> _Found | None:
        """What the step gave; None where it gave nothing, and then a while has passed.

        Raises SettingsError where the token never was good, and whatever is no error of a platform's.
        """
        try:
            found = await step()
        except TokenRefused:
            if not self._is_known:
                raise SettingsError(_WRONG_TOKEN) from None
            await self._met("token", _REVOKED, is_slow=True)
        except RateLimited as error:
            await self._met("limited", str(error), at_least_s=error.retry_after_s)
        except PlatformRefused as error:
            await self._met("refused", str(error), is_slow=True)
        except PlatformError as error:
            await self._met("away", f"{error}; for a while, Slack brings again what is sent to the bot")
        else:
            self._passed()
            return found
        return None

    async def _met(self, kind: str, line: str, *, at_least_s: float = 0.0, is_slow: bool = False) -> None:
        if kind != self._kind:
            logger.warning("%s", line, extra={"action": "receive", "platform": "slack", "trouble": kind})
            self._pause_s = self._pauses.first_s
        self._kind = kind
        pause_s = max(self._pause_s, at_least_s)
        self._pause_s = min(2 * self._pause_s, self._pauses.slow_s if is_slow else self._pauses.longest_s)
        await asyncio.sleep(pause_s)

    def _passed(self) -> None:
        self._is_known = True
        if self._kind:
            logger.info("the bot is listened to again", extra={"action": "receive", "platform": "slack"})
            self._kind, self._pause_s = "", self._pauses.first_s
