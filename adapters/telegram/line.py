"""The receiver's own line to the Bot API: what is answered comes raw, and what is wrong is told apart.

It stands beside python-telegram-bot, which parses all updates of an answer at once. The token is in every address, so
no address and no foreign error gets out of here.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx2

from adapters.telegram.clock import ClockCheck, blames_clock
from core.errors import PlatformAway, PlatformError, PlatformRefused, RateLimited, SettingsError

TELEGRAM = "https://api.telegram.org"
#: Of one answer; a hundred updates are far smaller.
_LIMIT_BYTES = 32 << 20
_CONNECT_S = 10.0


@dataclass(frozen=True, slots=True)
class Address:
    """Where the bot's account is reached."""

    token: str = field(repr=False)
    base_url: str = TELEGRAM


class TokenRefused(PlatformRefused):
    """Telegram knows no bot by this token, or not any more."""


class Contested(PlatformError):
    """Somebody else listens to the same account."""


class Line:
    """To one account."""

    def __init__(self, client: httpx2.AsyncClient, clock: ClockCheck) -> None:
        self._client = client
        self._clock = clock

    async def ask(self, method: str, words: Mapping[str, object], timeout_s: float) -> bytes:
        """The answer's body. Raises TokenRefused, Contested, RateLimited, PlatformRefused, PlatformAway."""
        timeout = httpx2.Timeout(timeout_s, connect=_CONNECT_S)
        async with (
            _translated(),
            asyncio.timeout(timeout_s),
            self._client.stream("POST", method, json=words, timeout=timeout) as response,
        ):
            self._clock.compare(response.headers.get("Date", ""))
            body = await _whole(response)
        if response.status_code != httpx2.codes.OK:
            raise _refusal(response.status_code, body)
        return body


@asynccontextmanager
async def open_line(address: Address) -> AsyncIterator[Line]:
    """Raises SettingsError."""
    try:
        client = httpx2.AsyncClient(base_url=f"{address.base_url}/bot{address.token}/")
    except httpx2.InvalidURL:
        raise SettingsError(
            "BANTER_TELEGRAM_TOKEN: no address can be made of it; set the token that @BotFather shows"
        ) from None
    async with client:
        yield Line(client, ClockCheck())


async def _whole(response: httpx2.Response) -> bytes:
    received = bytearray()
    async for part in response.aiter_bytes():
        received += part
        if len(received) > _LIMIT_BYTES:
            raise PlatformAway("an answer of Telegram's was too long")
    return bytes(received)


@asynccontextmanager
async def _translated() -> AsyncIterator[None]:
    """Whatever httpx2 raises. A call of the receiver's may always be made again."""
    try:
        yield
    except (httpx2.HTTPError, TimeoutError) as error:
        if blames_clock(error):
            reason = "Telegram's certificate is out of its time: is this machine's clock right?"
        else:
            reason = f"Telegram can't be reached ({type(error).__name__})"
        raise PlatformAway(reason) from None


def _refusal(status: int, body: bytes) -> PlatformError:
    told = told_in(body)
    reason = str(told.get("description") or f"HTTP {status}")
    if status in (httpx2.codes.UNAUTHORIZED, httpx2.codes.NOT_FOUND):  # 404: it doesn't even look like a token
        return TokenRefused("Telegram knows no bot by this token")
    if status == httpx2.codes.CONFLICT:
        return Contested(reason)
    if status == httpx2.codes.TOO_MANY_REQUESTS:
        parameters = told.get("parameters")
        after_s = parameters.get("retry_after") if isinstance(parameters, Mapping) else None
        return RateLimited("Telegram wants to be left alone", float(after_s) if isinstance(after_s, int) else 1.0)
    if status < httpx2.codes.INTERNAL_SERVER_ERROR:
        return PlatformRefused(f"Telegram refused: {reason}")
    return PlatformAway(f"Telegram is out of order (HTTP {status})")


def told_in(body: bytes) -> Mapping[str, object]:
    try:
        found: object = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, Mapping) else {}
