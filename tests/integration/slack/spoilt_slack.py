"""A Slack that brings whatever it is given over websockets, and notes what is acked."""

import asyncio
import contextlib
import json
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

#: Brought and not acked yet; less than a socket handles at once.
_OPEN = 32


@dataclass(frozen=True, slots=True)
class Frame:
    text: str
    #: Its envelope's; "" where no ack can come.
    envelope_id: str = ""


@dataclass(slots=True)
class SpoiltSlack:
    """All calls are answered alike."""

    app_id: str
    frames: deque[Frame]
    acked: set[str] = field(default_factory=set)
    #: How many connections there were.
    sockets: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    url: str = ""
    _open: dict[str, Frame] = field(default_factory=dict)
    _more: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def is_through(self) -> bool:
        return not self.frames and not self._open

    async def call(self, request: web.Request) -> web.Response:
        address = f"{self.url.replace('http', 'ws', 1)}/link?ticket=t"
        return web.json_response({"ok": True, "url": address, "user": {}})

    async def link(self, request: web.Request) -> web.StreamResponse:
        wire = web.WebSocketResponse()
        await wire.prepare(request)
        self.sockets += 1
        await wire.send_json({"type": "hello", "connection_info": {"app_id": self.app_id}})
        mine: dict[str, Frame] = {}
        bringing = asyncio.create_task(self._bring(wire, mine))
        try:
            async for said in wire:
                if said.type is WSMsgType.TEXT:
                    self._take(str(json.loads(said.data)["envelope_id"]))
        finally:
            bringing.cancel()
            await asyncio.gather(bringing, return_exceptions=True)
            self._bring_again(mine)
        return wire

    async def _bring(self, wire: web.WebSocketResponse, mine: dict[str, Frame]) -> None:
        while True:
            while not self.frames or len(self._open) >= _OPEN:
                self._more.clear()
                await self._more.wait()
            frame = self.frames.popleft()
            if frame.envelope_id:
                self._open[frame.envelope_id] = mine[frame.envelope_id] = frame
            with contextlib.suppress(ConnectionError):
                await wire.send_str(frame.text)
            self._change()

    def _take(self, envelope_id: str) -> None:
        self.acked.add(envelope_id)
        self._open.pop(envelope_id, None)
        self._change()

    def _bring_again(self, mine: dict[str, Frame]) -> None:
        """What was not acked on a connection that ended."""
        for envelope_id, frame in mine.items():
            if self._open.pop(envelope_id, None) is not None:
                self.frames.append(frame)
        self._change()

    def _change(self) -> None:
        self.changed.set()
        self._more.set()


@asynccontextmanager
async def serving_spoilt_slack(app_id: str, frames: Sequence[Frame]) -> AsyncIterator[SpoiltSlack]:
    slack = SpoiltSlack(app_id, deque(frames))
    app = web.Application()
    app.router.add_route("*", "/api/{method}", slack.call)
    app.router.add_get("/link", slack.link)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        host, port = runner.addresses[0][:2]
        slack.url = f"http://{host}:{port}"
        yield slack
    finally:
        await runner.cleanup()
