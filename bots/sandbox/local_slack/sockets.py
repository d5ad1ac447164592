"""Socket Mode: tickets, connections, envelopes and their acknowledgements.

An envelope goes to one of the connections, each in its turn. A connection is told to go with `disconnect`, shortly
before or when it ends.
"""

import asyncio
import contextlib
import json
import time
import uuid
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_slack.bringing import Answer, Kind, Parcel
from bots.sandbox.local_slack.ids import secret_text
from bots.sandbox.local_slack.refusals import Refused
from bots.sandbox.local_slack.world import World

#: As Slack says it: about five hours.
_CONNECTION_S = 18_060
_LARGEST_ACK = 1 << 20


@dataclass(slots=True)
class Socket:
    id: str
    wire: web.WebSocketResponse
    began: float
    transport: asyncio.Transport | None = field(default=None, repr=False)
    #: Envelopes that went over it.
    sent: int = 0
    acks: int = 0
    pings: int = 0
    #: It is quiet from now on, as a connection is that was lost without a word.
    is_mute: bool = False
    ended: float | None = None

    def to_json(self) -> JsonObject:
        told: JsonObject = {"id": self.id, "began": self.began, "ended": self.ended, "is_open": self.ended is None}
        return told | {"sent": self.sent, "acks": self.acks, "is_mute": self.is_mute}


@dataclass(slots=True)
class Sockets:
    """All of an app's."""

    world: World
    #: Every one that there ever was.
    sockets: list[Socket] = field(default_factory=list)
    _tickets: dict[str, float] = field(default_factory=dict)
    _acks: dict[str, asyncio.Future[JsonObject | None]] = field(default_factory=dict)
    _turn: int = 0

    def new_url(self) -> str:
        """Good once, and for a while only."""
        ticket = secret_text()
        self._tickets[ticket] = self.world.clock.now() + self.world.options.limits.ticket_age_s
        where = self.world.url.replace("http://", "ws://")
        return f"{where}/link/?ticket={ticket}&app_id={self.world.options.app.id}"

    @property
    def open(self) -> list[Socket]:
        return [socket for socket in self.sockets if socket.ended is None]

    async def connect(self, request: web.Request) -> web.StreamResponse:
        expires = self._tickets.pop(request.query.get("ticket", ""), 0.0)
        if expires <= self.world.clock.now():
            return web.Response(status=404, text="invalid ticket")
        wire = web.WebSocketResponse(autoping=False, max_msg_size=_LARGEST_ACK)
        await wire.prepare(request)
        if len(self.open) >= self.world.options.limits.sockets:
            await wire.send_json(
                {"type": "disconnect", "reason": "too_many_websockets", "debug_info": {"host": "local"}}
            )
            await wire.close()
            return wire
        socket = Socket(f"s{len(self.sockets) + 1}", wire, time.monotonic(), request.transport)
        self.sockets.append(socket)
        await wire.send_json(self._hello())
        self.world.changes.happen()
        try:
            await self._listen(socket)
        finally:
            socket.ended = time.monotonic()
            self.world.changes.happen()
        return wire

    async def bring(self, parcel: Parcel) -> Answer:
        socket = self._next()
        if socket is None:
            return Answer(is_ack=False, reason="connection_failed")
        envelope_id = str(uuid.uuid4())
        envelope: JsonObject = {"envelope_id": envelope_id, "type": parcel.kind.value, "payload": parcel.payload}
        envelope["accepts_response_payload"] = parcel.kind is not Kind.EVENT
        if parcel.kind is Kind.EVENT:
            envelope |= {"retry_attempt": parcel.retry, "retry_reason": parcel.reason}
        acked: asyncio.Future[JsonObject | None] = asyncio.get_running_loop().create_future()
        self._acks[envelope_id] = acked
        socket.sent += 1
        try:
            return await self._answered(socket, envelope, acked)
        finally:
            del self._acks[envelope_id]

    async def refresh(self, socket_id: str = "", reason: str = "refresh_requested") -> None:
        """Tells connections to make room for new ones; "" for all of them. `warning`: soon; else they end now."""
        for socket in self.open:
            if socket_id not in {"", socket.id}:
                continue
            with contextlib.suppress(ConnectionError, RuntimeError):
                await socket.wire.send_json({"type": "disconnect", "reason": reason, "debug_info": {"host": "local"}})
                if reason != "warning":
                    await socket.wire.close()

    def mute(self, socket_id: str) -> None:
        """It takes nothing and says nothing any more, and does not end: pings stay unanswered too. "" for all."""
        for socket in self.open:
            if socket_id in {"", socket.id}:
                socket.is_mute = True

    def cut(self, socket_id: str) -> None:
        """The connection breaks, without a word. "" for all."""
        for socket, transport in [(one, one.transport) for one in self.open]:
            if socket_id in {"", socket.id} and transport is not None:
                transport.abort()

    async def aclose(self) -> None:
        for socket in self.open:
            with contextlib.suppress(ConnectionError, RuntimeError, TimeoutError):
                async with asyncio.timeout(1):
                    await socket.wire.close()

    async def _answered(
        self, socket: Socket, envelope: JsonObject, acked: "asyncio.Future[JsonObject | None]"
    ) -> Answer:
        limit = self.world.clock.now() + self.world.options.limits.ack_s
        if not socket.is_mute:
            try:
                await socket.wire.send_json(envelope)
            except (ConnectionError, RuntimeError):
                return Answer(is_ack=False, reason="connection_failed", over=socket.id)
        waiting = asyncio.ensure_future(self.world.clock.until(limit))
        try:
            both: set[asyncio.Future[JsonObject | None] | asyncio.Future[None]] = {acked, waiting}
            await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
        if not acked.done():
            return Answer(is_ack=False, reason="timeout", over=socket.id)
        return Answer(is_ack=True, status=200, response=acked.result(), over=socket.id)

    async def _listen(self, socket: Socket) -> None:
        async for said in socket.wire:
            if socket.is_mute:
                continue
            if said.type is WSMsgType.PING:
                socket.pings += 1
                await socket.wire.pong(said.data)
            elif said.type is WSMsgType.TEXT:
                self._take(socket, said.data)

    def _take(self, socket: Socket, text: str) -> None:
        try:
            said = json.loads(text)
        except ValueError:
            return
        if not isinstance(said, dict):
            return
        acked = self._acks.get(str(said.get("envelope_id")))
        if acked is not None and not acked.done():
            socket.acks += 1
            payload = said.get("payload")
            acked.set_result(payload if isinstance(payload, dict) else None)

    def _next(self) -> Socket | None:
        there = self.open
        if not there:
            return None
        self._turn += 1
        return there[self._turn % len(there)]

    def _hello(self) -> JsonObject:
        debug: JsonObject = {"host": "local", "started": "2026-01-01 00:00:00.000", "build_number": 1}
        return {
            "type": "hello",
            "num_connections": len(self.open),
            "connection_info": {"app_id": self.world.options.app.id},
            "debug_info": debug | {"approximate_connection_time": _CONNECTION_S},
        }


def open_connection(sockets: Sockets, token: str) -> JsonObject:
    """apps.connections.open. Raises Refused."""
    if not token.startswith("xapp-"):
        raise Refused("not_allowed_token_type" if token else "not_authed")
    if token != sockets.world.app_token:
        raise Refused("invalid_auth")
    return {"url": sockets.new_url()}
