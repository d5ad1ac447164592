"""What is wrong with listening is said once, when it begins; and once that it is over."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from adapters import trouble
from core.errors import PlatformError, PlatformRefused, RateLimited, SettingsError

_Found = TypeVar("_Found")

_WRONG_TOKEN = "BANTER_SLACK_APP_TOKEN: Slack knows no app by this token; set one that has the scope connections:write"  # noqa: S105
_REVOKED = (
    "Slack does not know the app's token any more: it was revoked; set BANTER_SLACK_APP_TOKEN to another one and "
    "start again"
)


class TokenRefused(PlatformRefused):
    """Slack knows no app by this token, or not any more."""


class Trouble:
    """Of one app's receiver, whatever the number of its connections."""

    def __init__(self, pauses: trouble.Pauses) -> None:
        self._trouble = trouble.Trouble("slack", pauses)
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
            await self._trouble.met("token", _REVOKED, is_slow=True)
        except RateLimited as error:
            await self._trouble.met("limited", str(error), at_least_s=error.retry_after_s)
        except PlatformRefused as error:
            await self._trouble.met("refused", str(error), is_slow=True)
        except PlatformError as error:
            await self._trouble.met("away", f"{error}; for a while, Slack brings again what is sent to the bot")
        else:
            self._is_known = True
            self._trouble.passed()
            return found
        return None
