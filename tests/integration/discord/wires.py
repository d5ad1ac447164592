"""Gateway connections without discord.py, payload by payload."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp

from bots.sandbox.json_values import JsonObject, object_in
from bots.sandbox.local_discord.driver import LocalDiscord

HEARTBEAT, IDENTIFY, RESUME, INVALID, ACK = 1, 2, 6, 9, 11
DIRECT_MESSAGES = 1 << 12
_WAIT_S = 10.0


@dataclass(slots=True)
class Wire:
    """A gateway connection, payload by payload, without compression."""

    socket: aiohttp.ClientWebSocketResponse
    seq: int | None = None

    async def says(self, op: int, data: object) -> None:
        await self.socket.send_str(json.dumps({"op": op, "d": data}))

    async def next(self) -> JsonObject:
        """Raises TimeoutError, and ConnectionError with the code where it was closed."""
        async with asyncio.timeout(_WAIT_S):
            said = await self.socket.receive()
        if said.type is aiohttp.WSMsgType.CLOSE:
            raise ConnectionError(said.data)
        if said.type is not aiohttp.WSMsgType.TEXT:
            raise ConnectionError(self.socket.close_code)
        payload = object_in(json.loads(said.data))
        self.seq = int(str(payload["s"])) if payload.get("s") is not None else self.seq
        return payload

    async def until(self, is_it: Callable[[JsonObject], bool]) -> JsonObject:
        while not is_it(payload := await self.next()):
            pass
        return payload

    async def event(self, name: str) -> JsonObject:
        return object_in((await self.until(lambda payload: payload["t"] == name))["d"])

    async def close_code(self) -> int:
        """With which it is closed."""
        try:
            while True:
                await self.next()
        except ConnectionError as closed:
            return int(str(closed))


@asynccontextmanager
async def wired(local: LocalDiscord, url: str = "") -> AsyncIterator[Wire]:
    """HELLO is read. At the end of the block it leaves without a goodbye: its session can go on."""
    async with aiohttp.ClientSession() as session, session.ws_connect(f"{url or local.gateway_url}?v=10") as socket:
        wire = Wire(socket)
        await wire.next()
        yield wire
        await socket.close(code=4000)


def identity(local: LocalDiscord, intents: int = 0, **more: object) -> JsonObject:
    return {"token": local.token, "intents": intents, "properties": {}, **more}


async def begun(wire: Wire, local: LocalDiscord, intents: int = DIRECT_MESSAGES, **more: object) -> str:
    """Gives the session's id."""
    await wire.says(IDENTIFY, identity(local, intents, **more))
    return str((await wire.event("READY"))["session_id"])


async def resumed(wire: Wire, local: LocalDiscord, session_id: str, seq: int | None) -> None:
    await wire.says(RESUME, {"token": local.token, "session_id": session_id, "seq": seq})
