"""Socket Mode: Slack brings what happens over websockets that the program opens.

Slack ends each connection after some hours, and brings each event over any one of them. So there are two at least, and
a new one is open before the old one is closed: what is being handled on the old one is acked on it first. What came
over a connection that broke comes again over another one, and is known as a copy.
"""

import asyncio
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from adapters.slack.api import Clients
from adapters.slack.bolt_app import ACKED
from adapters.slack.intake import Intake
from adapters.slack.kept import raw_of
from adapters.slack.refusals import Refused
from adapters.slack.trouble import TokenRefused, Trouble
from adapters.slack.websocket import Socket
from adapters.trouble import Pauses
from core.errors import PlatformAway, SendUnclear, SettingsError

logger = logging.getLogger(__name__)

_ASK_S = 15.0
_BAD_TOKEN = frozenset(
    {
        "invalid_auth",
        "not_authed",
        "account_inactive",
        "token_revoked",
        "token_expired",
        "not_allowed_token_type",
        "missing_scope",
    }
)
_ANOTHERS_TOKEN = "BANTER_SLACK_APP_TOKEN: it is another app's; set the one of the app whose bot token is set"  # noqa: S105


@dataclass(frozen=True, slots=True)
class SocketOptions:
    #: xapp-…, with the scope connections:write.
    app_token: str = field(repr=False)
    #: Slack allows ten.
    connections: int = 2
    #: Between the first openings, so that Slack does not end them together.
    stagger_s: float = 1.0
    ping_interval_s: float = 5.0
    #: A connection that ended sooner than this is followed by the next one after a pause.
    short_s: float = 10.0
    pauses: Pauses = field(default_factory=Pauses)


class SocketMode:
    def __init__(self, intake: Intake, clients: Clients, options: SocketOptions) -> None:
        self._intake = intake
        self._clients = clients
        self._options = options
        self._trouble = Trouble(options.pauses)

    async def run(self) -> None:
        """Until it is cancelled. Raises SettingsError where the token is wrong."""
        lines = [asyncio.create_task(self._keep(number)) for number in range(self._options.connections)]
        try:
            await asyncio.wait(lines, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for line in lines:
                line.cancel()
            ends = await asyncio.gather(*lines, return_exceptions=True)
        for end in ends:
            if isinstance(end, Exception):
                raise end

    async def _keep(self, number: int) -> None:
        """One of the connections, for as long as the program runs."""
        await asyncio.sleep(number * self._options.stagger_s)
        socket: Socket | None = None
        pause_s = self._options.pauses.first_s
        clock = asyncio.get_running_loop().time
        try:
            while True:
                fresh = await self._trouble.through(self._open)
                if fresh is None:
                    continue
                socket, old = fresh, socket
                if old is not None:
                    await old.aclose()
                opened_at = clock()
                await socket.ending.wait()
                if socket.is_one_too_many:
                    await socket.aclose()  # there would be one more otherwise, and it would be ended as well
                if clock() - opened_at > self._options.short_s:
                    pause_s = self._options.pauses.first_s
                else:
                    await asyncio.sleep(pause_s)
                    pause_s = min(2 * pause_s, self._options.pauses.longest_s)
        finally:
            if socket is not None:
                await socket.aclose()

    async def _open(self) -> Socket:
        """Raises TokenRefused, PlatformError, SettingsError."""
        url = await self._address()
        socket = Socket(self._options.app_token, self._handle, self._options.ping_interval_s)
        try:
            hello = await socket.open(url)
            self._compare(hello)
        except BaseException:
            await socket.aclose()
            raise
        logger.info("a connection to Slack is open", extra={"action": "receive", "platform": "slack"})
        return socket

    async def _address(self) -> str:
        """It holds a ticket, and is good for one connection. Raises TokenRefused, PlatformError."""
        try:
            async with asyncio.timeout(_ASK_S):
                told = await self._clients.call(self._options.app_token, "apps.connections.open", {})
        except Refused as refusal:
            if refusal.code in _BAD_TOKEN:
                raise TokenRefused("Slack knows no app by this token") from None
            raise
        except (SendUnclear, TimeoutError):
            raise PlatformAway("Slack gives no address for a connection") from None
        url = told.get("url")
        if not isinstance(url, str):
            raise PlatformAway("what came instead of Slack's answer can't be read")
        return url

    def _compare(self, hello: Mapping[str, Any]) -> None:
        told = hello.get("connection_info")
        app_id = told.get("app_id") if isinstance(told, Mapping) else None
        if isinstance(app_id, str) and app_id != self._intake.app_id:
            raise SettingsError(_ANOTHERS_TOKEN)

    async def _handle(self, envelope: Mapping[str, Any]) -> Mapping[str, Any] | None:
        """What its ack says besides its id; None: it is not acked."""
        body = envelope.get("payload")
        if isinstance(body, dict):
            ack = await self._intake.take(body)
        else:
            ack = await self._intake.bury(raw_of(envelope), "it has no payload")
        if ack.status != ACKED:
            return None
        if not ack.body or not envelope.get("accepts_response_payload"):
            return {}
        return {"payload": json.loads(ack.body)}
