"""Clients of discord.py, and plain requests, on the local Discord: nothing of them is this project's."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
import discord
import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

from bots.sandbox.json_values import JsonObject, list_in, object_in
from bots.sandbox.local_discord.driver import LocalDiscord

_WAIT_S = 10.0
ALL = discord.Intents.default()
ALL.message_content = True
NO_CONTENT = discord.Intents.default()


class Noting(discord.Client):
    """It notes every event as it came, and does nothing."""

    def __init__(self, intents: discord.Intents = ALL, shard_id: int | None = None, shard_count: int = 1) -> None:
        super().__init__(intents=intents, enable_debug_events=True, shard_id=shard_id, shard_count=shard_count)
        self.heard: list[tuple[str, JsonObject]] = []
        self._came = asyncio.Event()

    async def on_socket_raw_receive(self, text: str) -> None:
        said = json.loads(text)
        if said["op"] == 0:
            self.heard.append((said["t"], said["d"]))
            self._came.set()
            self._came = asyncio.Event()

    async def hears(self, name: str, count: int = 1) -> JsonObject:
        """The so-manieth event of a name. Raises TimeoutError."""
        async with asyncio.timeout(_WAIT_S):
            while True:
                came = self._came
                found = [data for heard, data in self.heard if heard == name]
                if len(found) >= count:
                    return found[count - 1]
                await came.wait()

    def names(self) -> list[str]:
        return [name for name, _ in self.heard]


class Echoing(Noting):
    """It repeats what it is told, as a reply, in two steps."""

    async def on_message(self, message: discord.Message) -> None:
        if message.author == self.user or message.type not in {discord.MessageType.default, discord.MessageType.reply}:
            return
        said = f"you said: {message.content}"
        sent = await message.channel.send("…", reference=message, allowed_mentions=discord.AllowedMentions.none())
        await sent.edit(content=said)


@asynccontextmanager
async def online(local: LocalDiscord, client: Noting, *, is_ready: bool = True) -> AsyncIterator[Noting]:
    """Until the end of the block."""
    Route.BASE = local.api_url
    DiscordWebSocket.DEFAULT_GATEWAY = yarl.URL(local.gateway_url)
    running = asyncio.create_task(client.start(local.token))
    try:
        if is_ready:
            await client.hears("READY")
        yield client
    finally:
        await client.close()
        await asyncio.gather(running, return_exceptions=True)


def ids_in(value: object) -> list[object]:
    """Of a list of objects."""
    return [object_in(one).get("id") for one in list_in(value)]


@dataclass(frozen=True, slots=True)
class Said:
    status: int
    body: JsonObject
    #: Where it was a list.
    items: list[JsonObject]
    headers: dict[str, str]

    @property
    def code(self) -> object:
        return self.body.get("code")


@dataclass(frozen=True, slots=True)
class Rest:
    """Requests, each made once."""

    session: aiohttp.ClientSession
    local: LocalDiscord
    token: str = field(repr=False)

    async def ask(
        self,
        method: str,
        path: str,
        given: object = None,
        *,
        params: dict[str, str] | None = None,
        form: aiohttp.FormData | None = None,
    ) -> Said:
        headers, url = {"Authorization": f"Bot {self.token}"}, self.local.api_url + path
        async with self.session.request(method, url, headers=headers, json=given, params=params, data=form) as answer:
            text = await answer.text()
            said = json.loads(text) if text else {}
            items = said if isinstance(said, list) else []
            return Said(
                answer.status, object_in(said), items, {name.lower(): one for name, one in answer.headers.items()}
            )

    async def says(self, channel_id: str, content: str, **more: object) -> Said:
        return await self.ask("POST", f"/channels/{channel_id}/messages", {"content": content, **more})

    async def edits(self, channel_id: str, message_id: str, content: str, **more: object) -> Said:
        return await self.ask("PATCH", f"/channels/{channel_id}/messages/{message_id}", {"content": content, **more})


@asynccontextmanager
async def asking(local: LocalDiscord) -> AsyncIterator[Rest]:
    async with aiohttp.ClientSession() as session:
        yield Rest(session, local, local.token)
