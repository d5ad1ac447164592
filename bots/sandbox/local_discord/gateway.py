"""The gateway: HELLO, IDENTIFY or RESUME, heartbeats, and what ends a connection.

Close codes are Discord's; RECONNECT (7) and INVALID_SESSION (9) come by request and where the rules say so.
"""

import asyncio
import contextlib
import json
import time
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from bots.sandbox.json_values import JsonObject, list_in, object_in
from bots.sandbox.local_discord import intents
from bots.sandbox.local_discord.connections import Connection, new_connection
from bots.sandbox.local_discord.refusals import TooOften
from bots.sandbox.local_discord.sessions import Session, Sessions
from bots.sandbox.local_discord.starts import Starts
from bots.sandbox.local_discord.telling import whole_guild
from bots.sandbox.local_discord.world import Event, World

_HEARTBEAT, _IDENTIFY, _PRESENCE, _VOICE, _RESUME, _RECONNECT, _MEMBERS, _INVALID, _HELLO, _ACK = (
    1, 2, 3, 4, 6, 7, 8, 9, 10, 11,
)  # fmt: skip
_LONGEST = 4096
_UNKNOWN, _OPCODE, _DECODE, _NOT_YET, _WRONG_TOKEN, _ALREADY, _SEQ, _TOO_OFTEN = 4000, 4001, 4002, 4003, 4004, 4005, 4007, 4008  # fmt: skip  # noqa: E501
_SHARD, _VERSION, _INTENTS, _DISALLOWED = 4010, 4012, 4013, 4014
#: A session that a client closes so is over.
_GOODBYES = {1000, 1001}
#: After these the client has to begin another one.
_ENDING = {_WRONG_TOKEN, _SEQ, 4009}
_GRACE = 1.5


@dataclass(slots=True)
class Gateway:
    """All of an app's connections."""

    world: World
    sessions: Sessions
    starts: Starts
    #: Every one that there ever was.
    connections: list[Connection] = field(default_factory=list)
    #: The next connections are refused, with this status.
    refuse_status: int = 0

    def routes(self) -> list[web.RouteDef]:
        paths = ("/gateway/", "/gateway", "/resume/", "/resume")
        return [web.get(path, self._connect, allow_head=False) for path in paths]

    @property
    def open(self) -> list[Connection]:
        return [one for one in self.connections if one.ended is None]

    async def _connect(self, request: web.Request) -> web.StreamResponse:
        if self.refuse_status:
            return web.Response(status=self.refuse_status)
        if request.query.get("compress", "zlib-stream") != "zlib-stream":  # zstd is not in this Python
            return web.Response(status=400, text="only zlib-stream")
        wire = web.WebSocketResponse(max_msg_size=1 << 20)
        await wire.prepare(request)
        connection = new_connection(len(self.connections) + 1, wire, request)
        self.connections.append(connection)
        interval_s = self.world.options.limits.heartbeat_s
        connection.send({"op": _HELLO, "s": None, "t": None, "d": {"heartbeat_interval": int(interval_s * 1000)}})
        if request.query.get("v", "10") != "10":
            connection.close(_VERSION)
        writing = asyncio.create_task(connection.write())
        watching = asyncio.create_task(self._watch_heart(connection, interval_s))
        self.world.changes.happen()
        try:
            await self._listen(connection)
        finally:
            self._leave(connection)
            if connection.is_closing:  # its last frame is on its way
                await asyncio.wait({writing}, timeout=1)
            for task in (writing, watching):
                task.cancel()
            await asyncio.gather(writing, watching, return_exceptions=True)
        return wire

    def reconnect(self, connection_id: str = "") -> None:
        """Asks them to come again; "" for all."""
        for connection in self._named(connection_id):
            connection.send({"op": _RECONNECT, "d": None, "s": None, "t": None})

    def invalidate(self, connection_id: str, *, is_resumable: bool) -> None:
        for connection in self._named(connection_id):
            if not is_resumable and connection.session_id in self.sessions.sessions:
                self.sessions.sessions[connection.session_id].is_dead = True
            self._say_invalid(connection, is_resumable=is_resumable)

    def close(self, connection_id: str, code: int) -> None:
        for connection in self._named(connection_id):
            connection.close(code)

    def cut(self, connection_id: str) -> None:
        for connection in self._named(connection_id):
            connection.cut()

    def mute(self, connection_id: str) -> None:
        for connection in self._named(connection_id):
            connection.is_mute = True

    def ask_heartbeat(self, connection_id: str) -> None:
        for connection in self._named(connection_id):
            connection.asked.append(time.monotonic())
            connection.send({"op": _HEARTBEAT, "d": None, "s": None, "t": None})

    def end_all(self, code: int = _WRONG_TOKEN) -> None:
        """Every session is over."""
        for session in self.sessions.sessions.values():
            session.is_dead = True
        for connection in self.open:
            connection.close(code)

    async def aclose(self) -> None:
        for connection in self.open:
            with contextlib.suppress(ConnectionError, RuntimeError, TimeoutError):
                async with asyncio.timeout(1):
                    await connection.wire.close(code=1001)

    def _named(self, connection_id: str) -> list[Connection]:
        return [one for one in self.open if connection_id in {"", one.id}]

    async def _listen(self, connection: Connection) -> None:
        async for said in connection.wire:
            if connection.is_mute:
                continue
            if said.type not in {WSMsgType.TEXT, WSMsgType.BINARY}:
                continue
            if not self._may_say(connection):
                connection.close(_TOO_OFTEN)
            elif len(said.data) > _LONGEST:
                connection.close(_DECODE)
            else:
                self._take(connection, said.data)

    def _may_say(self, connection: Connection) -> bool:
        rates = self.world.options.rates
        try:
            if not rates.is_unlimited:
                now = self.world.clock.now()
                self.world.tallies.check("gateway", connection.id, rates.gateway, now, "user")
        except TooOften:
            self.world.excesses["gateway"] += 1
            return False
        return True

    def _take(self, connection: Connection, text: str | bytes) -> None:
        try:
            said = object_in(json.loads(text))
        except ValueError:
            connection.close(_DECODE)
            return
        op, data = said.get("op"), object_in(said.get("d"))
        if op == _HEARTBEAT:
            connection.heartbeats.append(time.monotonic())
            connection.send({"op": _ACK, "d": None, "s": None, "t": None})
            self.world.changes.happen()
        elif op in {_IDENTIFY, _RESUME}:
            if connection.session_id:
                connection.close(_ALREADY)
            else:
                (self._identify if op == _IDENTIFY else self._resume)(connection, data)
        elif op not in {_PRESENCE, _VOICE, _MEMBERS}:
            connection.close(_OPCODE)
        elif not connection.session_id:
            connection.close(_NOT_YET)

    def _identify(self, connection: Connection, data: JsonObject) -> None:
        wanted, shard = data.get("intents"), _shard_in(data.get("shard"))
        refusal = self._refusal(data, wanted, shard)
        if refusal:
            connection.close(refusal)
            return
        assert shard is not None  # noqa: S101 - else it was refused
        assert isinstance(wanted, int)  # noqa: S101
        if not self.starts.take(shard[0]):
            self._say_invalid(connection, is_resumable=False)
            return
        session = self.sessions.begin(shard, wanted, connection)
        connection.session_id, connection.shard = session.id, shard
        self._say_ready(session)
        self.world.changes.happen()

    def _refusal(self, data: JsonObject, wanted: object, shard: tuple[int, int] | None) -> int:
        """The close code; 0 where all is right."""
        if str(data.get("token", "")).removeprefix("Bot ") != self.world.token:
            return _WRONG_TOKEN
        if shard is None:
            return _SHARD
        if not isinstance(wanted, int) or not intents.is_known(wanted):
            return _INTENTS
        forbidden = intents.GUILD_PRESENCES
        forbidden |= 0 if self.world.has_message_content else intents.MESSAGE_CONTENT
        forbidden |= 0 if self.world.has_server_members else intents.GUILD_MEMBERS
        return _DISALLOWED if wanted & forbidden else 0

    def _say_ready(self, session: Session) -> None:
        world = self.world
        guilds = [
            guild
            for guild in world.guilds.values()
            if world.bot.id in guild.members and (int(guild.id) >> 22) % session.shard[1] == session.shard[0]
        ]
        ready: JsonObject = {
            "v": 10,
            "user": world.bot.to_json() | {"verified": True, "mfa_enabled": False, "email": None, "flags": 0},
            "user_settings": {},
            "guilds": [{"id": guild.id, "unavailable": True} for guild in guilds],
            "session_id": session.id,
            "session_type": "normal",
            "resume_gateway_url": world.url.replace("http://", "ws://") + "/resume",
            "private_channels": [],
            "relationships": [],
            "presences": [],
            "shard": list(session.shard),
            "application": {"id": world.app_id, "flags": app_flags(world)},
        }
        self.sessions.dispatch(session, Event("READY", ready))
        for guild in guilds:
            if session.intents & intents.GUILDS and not guild.is_unavailable:
                event = Event("GUILD_CREATE", whole_guild(world, guild), intents.GUILDS, guild.id)
                self.sessions.dispatch(session, event)

    def _resume(self, connection: Connection, data: JsonObject) -> None:
        if str(data.get("token", "")).removeprefix("Bot ") != self.world.token:
            connection.close(_WRONG_TOKEN)
            return
        session, seq = self.sessions.find(str(data.get("session_id", ""))), data.get("seq")
        if session is None:
            self._say_invalid(connection, is_resumable=False)
            return
        if not isinstance(seq, int) or seq > session.seq:
            connection.close(_SEQ)
            return
        if not self.sessions.replay(session, connection, seq):
            self._say_invalid(connection, is_resumable=False)
            return
        if session.connection is not None:
            session.connection.cut()  # whoever was there is replaced
        session.connection = connection
        connection.session_id, connection.shard, connection.is_resumed = session.id, session.shard, True
        self.sessions.dispatch(session, Event("RESUMED", {}))

    def _say_invalid(self, connection: Connection, *, is_resumable: bool) -> None:
        connection.send({"op": _INVALID, "d": is_resumable, "s": None, "t": None})

    async def _watch_heart(self, connection: Connection, interval_s: float) -> None:
        """Ends a connection whose heart does not beat."""
        while True:
            last = connection.heartbeats[-1] if connection.heartbeats else connection.began
            left_s = last + interval_s * _GRACE - time.monotonic()
            if left_s <= 0:
                connection.close(_UNKNOWN)
                return
            await asyncio.sleep(left_s)

    def _leave(self, connection: Connection) -> None:
        connection.ended = time.monotonic()
        session = self.sessions.sessions.get(connection.session_id)
        if session is not None and session.connection is connection:
            session.connection, session.left_at = None, self.world.clock.now()
            is_goodbye = connection.wire.close_code in _GOODBYES and not connection.close_code
            session.is_dead = session.is_dead or is_goodbye or connection.close_code in _ENDING
        self.world.changes.happen()


def app_flags(world: World) -> int:
    """GATEWAY_MESSAGE_CONTENT_LIMITED, GATEWAY_GUILD_MEMBERS_LIMITED: as small apps have them."""
    return (1 << 19 if world.has_message_content else 0) | (1 << 15 if world.has_server_members else 0)


def _shard_in(given: object) -> tuple[int, int] | None:
    """None where it is wrong."""
    if given is None:
        return 0, 1
    numbers = [one for one in list_in(given) if isinstance(one, int)]
    if len(numbers) != 2 or not 0 <= numbers[0] < numbers[1]:
        return None
    return numbers[0], numbers[1]
