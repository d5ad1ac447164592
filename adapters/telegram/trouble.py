"""What is wrong with listening is said once, when it begins; and once that it is over."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from adapters.telegram.line import Contested, TokenRefused
from core.errors import PlatformError, PlatformRefused, RateLimited, SettingsError, StorageError

logger = logging.getLogger(__name__)

_WRONG_TOKEN = "BANTER_TELEGRAM_TOKEN: Telegram knows no bot by this token; set the one that @BotFather shows for yours"  # noqa: S105
_REVOKED = "Telegram does not know the bot's token any more: it was revoked; set BANTER_TELEGRAM_TOKEN and start again"


@dataclass(frozen=True, slots=True)
class Pauses:
    """Between tries; they double."""

    first_s: float = 1.0
    #: So that what was away is found again soon.
    longest_s: float = 15.0
    #: Where another process is to be left alone, or only a person can help.
    slow_s: float = 120.0


class Trouble:
    """Of one account's receiver."""

    def __init__(self, pauses: Pauses, clock: Callable[[], float] = time.monotonic) -> None:
        self._pauses = pauses
        self._clock = clock
        #: What kind of trouble there is; "" while there is none.
        self._kind = ""
        self._pause_s = pauses.first_s
        self._good_since: float | None = None
        #: The token was good once.
        self._is_known = False

    @property
    def is_on(self) -> bool:
        """Nothing went well since it began."""
        return bool(self._kind) and self._good_since is None

    async def through(self, step: Callable[[], Awaitable[object]]) -> bool:
        """Whether the step was made; after one that was not, a while has passed.

        Raises SettingsError where the token never was good, and whatever is no error of a platform or the database.
        """
        try:
            await step()
        except TokenRefused:
            if not self._is_known:
                raise SettingsError(_WRONG_TOKEN) from None
            await self._met("token", _REVOKED, is_slow=True)
        except Contested as error:
            await self._met("contested", f"another process listens to this bot: {error}", is_slow=True)
        except RateLimited as error:
            await self._met("limited", str(error), at_least_s=error.retry_after_s)
        except PlatformRefused as error:
            await self._met("refused", str(error), is_slow=True)
        except PlatformError as error:
            await self._met("away", f"{error}; what is sent to the bot waits there")
        except StorageError as error:
            await self._met("database", f"what was sent to the bot could not be kept, and waits at Telegram: {error}")
        else:
            self._passed()
            return True
        return False

    async def _met(self, kind: str, line: str, *, at_least_s: float = 0.0, is_slow: bool = False) -> None:
        if kind != self._kind:
            logger.warning("%s", line, extra={"action": "receive", "platform": "telegram", "trouble": kind})
            self._pause_s = self._pauses.first_s
        self._kind, self._good_since = kind, None
        pause_s = max(self._pause_s, at_least_s)
        self._pause_s = min(2 * self._pause_s, self._pauses.slow_s if is_slow else self._pauses.longest_s)
        await asyncio.sleep(pause_s)

    def _passed(self) -> None:
        self._is_known = True
        if not self._kind:
            return
        now = self._clock()
        if self._good_since is None:
            self._good_since = now
        # two processes that take an account from each other both listen well now and then
        if self._kind != "contested" or now - self._good_since > self._pauses.slow_s:
            logger.info("the bot is listened to again", extra={"action": "receive", "platform": "telegram"})
            self._kind, self._pause_s = "", self._pauses.first_s
