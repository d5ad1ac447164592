"""One websocket of Socket Mode: slack-sdk's client, which keeps it alive, held to one connection.

The SDK's client opens another connection by itself, with the address of the last one, for ever, and puts whatever comes
into a queue without a bound. Here a connection is opened once and tells when it ends; so much of what comes is handled
at once, and what finds no room is not acked, and comes again.
"""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.quiet import SILENT
from core.errors import PlatformAway

#: Events that are handled at once.
_ROOM = 64
#: For room.
_WAIT_S = 2.0
_OPEN_S = 10.0
_SEND_S = 5.0
_CLOSE_S = 5.0
_TOO_MANY = "too_many_websockets"

#: What an envelope's ack says besides its id; None: it is not acked.
Handle = Callable[[Mapping[str, Any]], Awaitable[Mapping[str, Any] | None]]


class Socket(SocketModeClient):
    def __init__(self, app_token: str, handle: Handle, ping_interval_s: float) -> None:
        super().__init__(
            app_token,
            logger=SILENT,
            web_client=AsyncWebClient(logger=SILENT, retry_handlers=[]),  # nobody calls anything through it
            ping_interval=ping_interval_s,
            on_error_listeners=[self._failed],
        )
        self._handle = handle
        self._handling: set[asyncio.Task[None]] = set()
        self._room = asyncio.Semaphore(_ROOM)
        #: Slack said hello; what it told of the connection.
        self.greeting: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
        #: Slack wants another one instead, or it broke.
        self.ending = asyncio.Event()
        #: There were more of them than Slack allows.
        self.is_one_too_many = False

    async def open(self, url: str) -> Mapping[str, Any]:
        """What Slack's hello says. Raises PlatformAway."""
        try:
            async with asyncio.timeout(_OPEN_S):
                self.current_session = await self.aiohttp_client_session.ws_connect(
                    url, autoping=False, heartbeat=self.ping_interval, proxy=_proxy_for(url)
                )
                self.message_receiver = asyncio.ensure_future(self.receive_messages())
                self.current_session_monitor = asyncio.ensure_future(self.monitor_current_session())
                return await self._greeted()
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError) as error:
            # an address holds a ticket, and so may the error's words
            raise PlatformAway(f"Slack's socket can't be opened ({type(error).__name__})") from None

    async def _greeted(self) -> Mapping[str, Any]:
        ended: asyncio.Future[Any] = asyncio.ensure_future(self.ending.wait())
        try:
            waited: set[asyncio.Future[Any]] = {ended, self.greeting}
            await asyncio.wait(waited, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ended.cancel()
        if not self.greeting.done():
            raise PlatformAway("Slack closed a socket that had just been opened")
        return self.greeting.result()

    async def aclose(self) -> None:
        """What is being handled is acked first; it has a deadline of its own."""
        await asyncio.gather(*self._handling, return_exceptions=True)
        with contextlib.suppress(TimeoutError, aiohttp.ClientError, OSError):
            async with asyncio.timeout(_CLOSE_S):
                await self.close()  # type: ignore[no-untyped-call]
        tasks = [self.message_processor, self.current_session_monitor, self.message_receiver]
        for task in tasks:
            if task is not None:
                task.cancel()
        await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)
        await self.aiohttp_client_session.close()

    async def connect_to_new_endpoint(self, force: bool = False) -> None:  # noqa: ARG002 - the SDK's signature
        """What the SDK does when the connection ends: whoever opened it opens another."""
        self.ending.set()

    async def enqueue_message(self, message: str) -> None:
        """What the SDK does with all that comes."""
        try:
            told = json.loads(message)
        except (ValueError, RecursionError):
            return
        if not isinstance(told, dict):
            return
        if told.get("type") == "hello":
            if not self.greeting.done():
                self.greeting.set_result(told)
        elif told.get("type") == "disconnect":
            self.is_one_too_many = told.get("reason") == _TOO_MANY
            self.ending.set()
        elif isinstance(told.get("envelope_id"), str):
            await self._begin(told)

    async def _begin(self, envelope: Mapping[str, Any]) -> None:
        try:  # pings are not answered meanwhile
            async with asyncio.timeout(_WAIT_S):
                await self._room.acquire()
        except TimeoutError:
            return
        task = asyncio.create_task(self._ack(envelope))
        self._handling.add(task)
        task.add_done_callback(self._handled)

    def _handled(self, task: asyncio.Task[None]) -> None:
        self._handling.discard(task)
        self._room.release()

    async def _ack(self, envelope: Mapping[str, Any]) -> None:
        said = await self._handle(envelope)
        if said is None:
            return
        with contextlib.suppress(TimeoutError, aiohttp.ClientError, OSError):  # it comes again, and is known as a copy
            async with asyncio.timeout(_SEND_S):
                await self.send_socket_mode_response({"envelope_id": envelope["envelope_id"], **said})

    async def _failed(self, _message: aiohttp.WSMessage) -> None:
        self.ending.set()


def _proxy_for(url: str) -> str | None:
    """aiohttp looks for a proxy of websockets' own; there is none."""
    parts = urlsplit(url)
    if parts.hostname is None or proxy_bypass(parts.hostname):
        return None
    return getproxies().get("https" if parts.scheme == "wss" else "http")
