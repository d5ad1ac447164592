"""A local server in a process of its own, begun from here: it lives on while bots around it are killed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bots.sandbox.local_discord.driver import LocalDiscord, attached_discord
from bots.sandbox.local_discord.options import Options
from bots.sandbox.own_process import server_process


@asynccontextmanager
async def local_discord_process(options: Options | None = None) -> AsyncIterator[LocalDiscord]:
    """Until the end of the block, or of this process, whatever ends it."""
    begun = server_process("bots.sandbox.local_discord", (options or Options()).to_json())
    async with begun as control_url, attached_discord(control_url) as discord:
        yield discord
