"""One gateway connection: what goes over it, in which form, and when its heartbeats came."""

import asyncio
import contextlib
import json
import time
import zlib
from dataclasses import dataclass, field

from aiohttp import web

from bots.sandbox.json_values import JsonObject, as_json

_MOST_WAITING = 20_000
_CLOSE_S = 1.0


@dataclass(slots=True)
class Connection:
    id: str
    wire: web.WebSocketResponse
    transport: asyncio.Transport | None = field(repr=False)
    #: Compressed as one stream, or plain text.
    stream: "zlib._Compress | None" = field(repr=False)
    #: `time.monotonic()`
    began: float
    session_id: str = ""
    shard: tuple[int, int] = (0, 1)
    is_resumed: bool = False
    #: When each heartbeat came, on `time.monotonic()`.
    heartbeats: list[float] = field(default_factory=list)
    #: When one was asked for; it does not count against the interval.
    asked: list[float] = field(default_factory=list)
    sent: int = 0
    #: It is quiet from now on, as a connection is that was lost without a word.
    is_mute: bool = False
    ended: float | None = None
    is_closing: bool = False
    #: With which it was closed from here; 0: it was not.
    close_code: int = 0
    _waiting: "asyncio.Queue[JsonObject | int]" = field(default_factory=lambda: asyncio.Queue(_MOST_WAITING))

    def send(self, payload: JsonObject) -> None:
        """In its turn. A connection that takes nothing for so long breaks."""
        if self.ended is not None or self.is_mute:
            return
        try:
            self._waiting.put_nowait(payload)
        except asyncio.QueueFull:
            self.cut()

    def close(self, code: int) -> None:
        """After what waits."""
        self.is_closing = True
        with contextlib.suppress(asyncio.QueueFull):
            self._waiting.put_nowait(code)

    def cut(self) -> None:
        """Without a word."""
        if self.transport is not None:
            self.transport.abort()

    async def write(self) -> None:
        """Until it is closed."""
        while True:
            payload = await self._waiting.get()
            if isinstance(payload, int):
                await self._end(payload)
                return
            try:
                await self._send(payload)
            except (ConnectionError, RuntimeError):
                return

    def to_json(self) -> JsonObject:
        return {
            "id": self.id,
            "session": self.session_id,
            "shard": list(self.shard),
            "began": self.began,
            "ended": self.ended,
            "is_resumed": self.is_resumed,
            "is_mute": self.is_mute,
            "sent": self.sent,
            "heartbeats": list(self.heartbeats),
            "asked": list(self.asked),
            "close_code": self.close_code,
        }

    async def _send(self, payload: JsonObject) -> None:
        self.sent += 1
        if self.stream is None:
            await self.wire.send_str(json.dumps(payload))
            return
        await self.wire.send_bytes(self.stream.compress(as_json(payload)) + self.stream.flush(zlib.Z_SYNC_FLUSH))

    async def _end(self, code: int) -> None:
        self.close_code = code
        with contextlib.suppress(ConnectionError, RuntimeError, TimeoutError):
            async with asyncio.timeout(_CLOSE_S):
                await self.wire.close(code=code)
        self.cut()


def new_connection(number: int, wire: web.WebSocketResponse, request: web.Request) -> Connection:
    stream = zlib.compressobj() if request.query.get("compress") == "zlib-stream" else None
    return Connection(f"c{number}", wire, request.transport, stream, time.monotonic())
