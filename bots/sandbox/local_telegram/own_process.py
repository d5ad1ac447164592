"""A local server in a process of its own, begun from here: it lives on while bots around it are killed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bots.sandbox.local_telegram.driver import LocalTelegram, attached_telegram
from bots.sandbox.local_telegram.options import Options
from bots.sandbox.own_process import server_process


@asynccontextmanager
async def local_telegram_process(options: Options | None = None) -> AsyncIterator[LocalTelegram]:
    """Until the end of the block, or of this process, whatever ends it."""
    begun = server_process("bots.sandbox.local_telegram", (options or Options()).to_json())
    async with begun as control_url, attached_telegram(control_url) as telegram:
        yield telegram
