"""A Discord that tells whatever it is given over the gateway, one frame after the other, whatever comes of it."""

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

HEARTBEAT, IDENTIFY, RESUME, HELLO = 1, 2, 6, 10
_QUIET_S = 3600_000


@dataclass(slots=True)
class SpoiltDiscord:
    #: Texts of frames; each is told once.
    frames: deque[str]
    #: What begins each session.
    beginning: Sequence[str]
    #: What GET answers, by the end of its path.
    answers: Mapping[str, object]
    #: How many connections and sessions there were.
    sockets: int = 0
    sessions: int = 0
    callbacks: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""

    async def call(self, request: web.Request) -> web.Response:
        if request.method == "POST":
            self.callbacks += 1
            return _answer({})
        if request.path.endswith("/gateway/bot"):
            limit = {"total": 1 << 30, "remaining": 1 << 30, "reset_after": 0, "max_concurrency": 1}
            address = self.url.replace("http", "ws", 1) + "/gateway"
            return _answer({"url": address, "shards": 1, "session_start_limit": limit})
        found = next((answer for end, answer in self.answers.items() if request.path.endswith(end)), None)
        if found is None:
            return _answer({"code": 10003, "message": "Unknown Channel"}, status=404)
        return _answer(found)

    async def gateway(self, request: web.Request) -> web.StreamResponse:
        wire = web.WebSocketResponse()
        await wire.prepare(request)
        self.sockets += 1
        await wire.send_json({"op": HELLO, "d": {"heartbeat_interval": _QUIET_S}})
        with contextlib.suppress(ConnectionError, EOFError):  # a frame ended the connection; the next begins behind it
            await self._tell(wire)
        self.changed.set()
        return wire

    async def _tell(self, wire: web.WebSocketResponse) -> None:
        """Raises EOFError where the connection ended."""
        while True:
            said = await self._heard(wire)
            if said["op"] == IDENTIFY:
                self.sessions += 1
                for frame in self.beginning:
                    await wire.send_str(frame)
                break
            if said["op"] == RESUME:
                await wire.send_json({"op": 0, "t": "RESUMED", "s": said["d"]["seq"] or 1, "d": {}})
                break
        while True:
            if self.frames:
                await wire.send_str(self.frames.popleft())
            self.changed.set()
            await wire.send_json({"op": HEARTBEAT, "d": None})
            while (await self._heard(wire))["op"] != HEARTBEAT:
                pass  # it answers a heartbeat once it has read what came before
            if not self.frames:
                await asyncio.sleep(0.01)

    async def _heard(self, wire: web.WebSocketResponse) -> dict[str, Any]:
        said = await wire.receive(timeout=60.0)
        if said.type is not WSMsgType.TEXT:
            raise EOFError
        told: dict[str, Any] = json.loads(said.data)
        return told


def _answer(told: object, status: int = 200) -> web.Response:
    """discord.py takes nothing for JSON whose type tells a character set."""
    return web.Response(body=json.dumps(told).encode(), status=status, content_type="application/json")


@asynccontextmanager
async def serving_spoilt_discord(
    frames: Sequence[str], beginning: Sequence[str], answers: Mapping[str, object]
) -> AsyncIterator[SpoiltDiscord]:
    discord = SpoiltDiscord(deque(frames), beginning, answers)
    app = web.Application(client_max_size=1 << 24)
    app.router.add_route("*", "/api/v10/{path:.*}", discord.call)
    app.router.add_get("/gateway", discord.gateway)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        discord.url = f"http://{host}:{port}"
        yield discord
    finally:
        await runner.cleanup()
