"""A webhook: Telegram brings each update, and takes 200 for "kept".

So 200 is said when the update was committed, and anything else makes Telegram bring it again, later and later, for a
day. What it brings again is known as a copy. Updates of one chat come one after another.

Only Telegram knows the secret; a request without it is read no further. No address, header or body is ever logged.
What is beside the way (a webhook that somebody else took away, an address that Telegram can't reach) is looked at now
and then, since nobody would notice otherwise.
"""

import asyncio
import hmac
import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from adapters.handing_over import hand_over
from adapters.telegram.beside import beside
from adapters.telegram.line import Address, Contested, Line, TokenRefused, open_line, told_in
from adapters.telegram.moves import Moves
from adapters.telegram.presses import Presses
from adapters.telegram.trouble import Pauses, Trouble
from adapters.telegram.updates import KINDS, Updates
from core.errors import PlatformRefused, SettingsError, StorageError
from core.ports import Accept

logger = logging.getLogger(__name__)

_HEADER = "X-Telegram-Bot-Api-Secret-Token"
_SECRET = re.compile(r"[A-Za-z0-9_-]{1,256}")
_ASK_S = 15.0
_READ_S = 15.0
#: Telegram would wait longer, but not for ever.
_ACCEPT_S = 30.0


@dataclass(frozen=True, slots=True)
class WebhookOptions:
    #: As Telegram reaches it: https://bots.example.org/telegram
    url: str
    #: 1–256 of A–Z, a–z, 0–9, _ and -.
    secret: str = field(repr=False)
    #: At once, as Telegram makes them.
    connections: int = 40
    #: Of one update; real ones are far smaller.
    limit_bytes: int = 1 << 20
    #: How often it is looked at what Telegram knows of it.
    check_s: float = 300.0
    #: When Telegram may bring again what could not be kept.
    retry_after_s: int = 5
    pauses: Pauses = field(default_factory=Pauses)

    def __post_init__(self) -> None:
        if not _SECRET.fullmatch(self.secret):
            raise ValueError("a webhook's secret has 1–256 letters, digits, _ and -")


class Webhook:
    """Implements `Receiver`; what Telegram brings is for `receive`."""

    def __init__(self, address: Address, updates: Updates, moves: Moves, options: WebhookOptions) -> None:
        self._address = address
        self._updates = updates
        self._moves = moves
        self._options = options
        self._trouble = Trouble(options.pauses)
        #: None while nobody takes anything in.
        self._taking: tuple[Accept, Presses] | None = None
        self._requests = 0
        self._idle = asyncio.Event()
        self._is_set = self._was_set = False
        #: What Telegram met last, as it told.
        self._told = ""

    async def run(self, accept: Accept) -> None:
        """Until it is cancelled; the webhook stays, and Telegram keeps what comes meanwhile.

        Raises SettingsError where the token is wrong or Telegram does not take the address.
        """
        async with (
            open_line(self._address) as line,
            beside(line, self._updates.account, self._moves, accept) as presses,
        ):
            self._taking, self._is_set = (accept, presses), False
            try:
                while True:
                    if await self._trouble.through(partial(self._check, line)):
                        await asyncio.sleep(self._options.check_s)
            finally:
                self._taking = None
                await self._finish_requests()

    async def receive(self, request: Request) -> Response:
        """What Telegram brings."""
        given = request.headers.get(_HEADER, "").encode()
        if not hmac.compare_digest(given, self._options.secret.encode()):
            return Response(status_code=403)
        try:
            async with asyncio.timeout(_READ_S):
                body = await self._body(request)
        except (TimeoutError, ClientDisconnect):
            return Response(status_code=408)
        if body is None:
            return Response(status_code=413)
        self._requests += 1
        try:
            return await self._take(body.decode("utf-8", "replace"))
        finally:
            self._requests -= 1
            if not self._requests:
                self._idle.set()

    async def _body(self, request: Request) -> bytes | None:
        """None where it is too long."""
        received = bytearray()
        async for part in request.stream():
            received += part
            if len(received) > self._options.limit_bytes:
                return None
        return bytes(received)

    async def _take(self, raw: str) -> Response:
        if self._taking is None:
            return self._later()
        accept, presses = self._taking
        understood = self._updates.understand(raw)
        try:
            async with asyncio.timeout(_ACCEPT_S):
                if understood.arrivals:
                    await hand_over(accept, understood.arrivals)
        except (StorageError, TimeoutError):
            return self._later()
        if understood.query_id:
            presses.answer([understood.query_id])
        return Response(status_code=200)

    def _later(self) -> Response:
        return Response(status_code=503, headers={"Retry-After": str(self._options.retry_after_s)})

    async def _finish_requests(self) -> None:
        """Those that are under way have a deadline of their own."""
        self._idle.clear()
        if self._requests:
            await self._idle.wait()

    async def _check(self, line: Line) -> None:
        """Sets it, or looks whether it still is. Raises SettingsError, PlatformError."""
        if not self._is_set:
            await self._set(line)
            return
        told = told_in(await line.ask("getWebhookInfo", {}, _ASK_S)).get("result")
        info = told if isinstance(told, Mapping) else {}
        if info.get("url") != self._options.url:
            self._is_set = False
            raise Contested("it took the webhook away, or set one of its own")
        self._tell(str(info.get("last_error_message", "")), info.get("last_error_date"))

    async def _set(self, line: Line) -> None:
        words = {
            "url": self._options.url,
            "secret_token": self._options.secret,
            "max_connections": self._options.connections,
            "allowed_updates": KINDS,
        }
        try:
            await line.ask("setWebhook", words, _ASK_S)
        except TokenRefused:
            raise
        except PlatformRefused as refusal:
            if self._was_set:
                raise
            raise SettingsError(f"the webhook's address is not taken: {refusal}") from None
        self._is_set = self._was_set = True

    def _tell(self, error: str, at: object) -> None:
        """What Telegram met when it brought something; each time once."""
        told = f"{at} {error}"
        if error and told != self._told:
            logger.warning("Telegram could not bring what was sent to the bot: %s", error, extra={"action": "webhook"})
        self._told = told
