"""The way to Discord's REST API: one client whose every call ends, and what its errors mean for the core.

What a failed call came to is told by where it ended. One that never left may be made again; one that ended after it was
written, or with a 5xx, may have been carried out.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import discord
from discord.http import Route

from adapters.discord.paced_http import Call, Manner, PacedHttp
from adapters.discord.quiet import silence
from adapters.discord.refusals import WrongToken, meaning
from adapters.payloads import text_in
from core.errors import PlatformAway, PlatformError, PlatformRefused, RateLimited, SendUnclear

logger = logging.getLogger(__name__)

_LOGIN_DEADLINE_S = 15.0
#: Below what `Capabilities.send_timeout_s` leaves.
_DEADLINE_S = 12.0
#: What discord.py may make again and again.
_ASKED_DEADLINE_S = 45.0
_CONNECT_TIMEOUT_S = 5.0
#: A token that Discord does not know is not shown to it again before: it bans who fails too often.
_WRONG_TOKEN_PAUSE_S = 15.0

#: Nothing of the request was written.
_NEVER_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
)


class DiscordRest:
    """Of one bot. It logs in by itself with the first call."""

    def __init__(self, token: str) -> None:
        silence()
        self._token = token
        self._http: PacedHttp | None = None
        self._logging_in = asyncio.Lock()
        #: The bot's own account, as Discord tells it.
        self._me: object = None
        self._application: object = None
        #: By `time.monotonic`: until then the token is not shown to Discord.
        self._wrong_until = 0.0

    async def open(self) -> None:
        """Logs in, where that was not done yet. Raises PlatformError."""
        await self._client()

    async def user_id(self) -> str:
        """The bot's own. Raises PlatformError."""
        await self._client()
        return text_in(self._me, "id")

    async def application(self) -> object:
        """What Discord tells of the bot's application, asked for once. Raises PlatformError."""
        if self._application is None:
            self._application = await self.request(Route("GET", "/applications/@me"))
        return self._application

    async def application_id(self) -> str:
        return text_in(await self.application(), "id")

    async def request(
        self,
        route: Route,
        *,
        json: object = None,
        params: Mapping[str, str | int] | None = None,
        form: Sequence[Mapping[str, object]] | None = None,
        manner: Manner = Manner.ASKED,
    ) -> object:
        """What Discord answers: JSON, or "" where it has nothing to say. `form` is as discord.py takes it (multipart).

        Raises PlatformError.
        """
        http = await self._client()
        http.check_room(route, manner)
        call = Call(route, manner)
        told: dict[str, Any] = {} if json is None else {"json": json}
        told |= {} if params is None else {"params": dict(params)}
        told |= {} if form is None else {"form": [dict(field) for field in form]}
        deadline_s = _ASKED_DEADLINE_S if manner is Manner.ASKED else _DEADLINE_S
        timeout = aiohttp.ClientTimeout(total=deadline_s, sock_connect=_CONNECT_TIMEOUT_S)
        try:
            with translated():
                async with asyncio.timeout(deadline_s):
                    return await http.request(route, timeout=timeout, trace_request_ctx=call, **told)
        except WrongToken as wrong:
            self._is_wrong(wrong)
            raise
        except SendUnclear:
            if call.has_left:
                raise
            raise PlatformAway("Discord takes nothing more now") from None

    def window_s(self, route: Route) -> float:
        """The time between two calls like this that Discord's headers ask for; 0 where nothing is known."""
        bucket = None if self._http is None else self._http.bucket_of(route)
        return bucket.window_s / max(1, bucket.limit - 1) if bucket else 0.0

    async def aclose(self) -> None:
        http, self._http = self._http, None
        if http is not None:
            await http.close()

    async def _client(self) -> PacedHttp:
        async with self._logging_in:
            if self._wrong_until > time.monotonic():
                raise WrongToken
            if self._http is None:
                self._http = await self._logged_in()
            return self._http

    async def _logged_in(self) -> PacedHttp:
        http = PacedHttp(proxy_for(Route.BASE))
        try:
            with translated():
                async with asyncio.timeout(_LOGIN_DEADLINE_S):
                    self._me = await http.static_login(self._token)
        except PlatformError as error:
            await http.close()
            if isinstance(error, WrongToken):
                self._is_wrong(error)
                raise
            raise error if isinstance(error, RateLimited) else PlatformAway(str(error)) from None
        except BaseException:
            await http.close()
            raise
        return http

    def _is_wrong(self, wrong: WrongToken) -> None:
        """Said once: it is the same token for as long as this process runs."""
        if not self._wrong_until:
            logger.error("%s; what is owed is kept until then", wrong, extra={"action": "login"})
        self._wrong_until = time.monotonic() + _WRONG_TOKEN_PAUSE_S


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Whatever discord.py or the connection raises comes out as a PlatformError, and none of its words with it."""
    try:
        yield
    except discord.LoginFailure:
        raise WrongToken from None
    except discord.RateLimited as limited:
        raise RateLimited("too much was sent", limited.retry_after) from None
    except discord.HTTPException as error:
        raise _refusal(error) from None
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise _unanswered(error) from None
    except (discord.DiscordException, AttributeError, KeyError, TypeError, ValueError):
        raise SendUnclear("Discord's answer could not be read") from None


def _refusal(error: discord.HTTPException) -> PlatformError:
    if error.status == 429:
        return RateLimited("too much was sent", _CONNECT_TIMEOUT_S)
    code = error.code if isinstance(error.code, int) else 0
    return meaning(error.status, code)


def _unanswered(error: Exception) -> PlatformError:
    if isinstance(error, aiohttp.InvalidURL):
        return PlatformRefused("the address of Discord's API is none; see discord.api_url")
    if isinstance(error, _NEVER_SENT):
        return PlatformAway(f"Discord can't be reached ({type(error).__name__})")
    return SendUnclear(f"the connection ended before Discord's answer ({type(error).__name__})")


def proxy_for(url: str) -> str | None:
    """The proxy that the environment names for that address."""
    parts = urlsplit(url)
    if not parts.hostname or proxy_bypass(parts.hostname):
        return None
    return getproxies().get(parts.scheme)
