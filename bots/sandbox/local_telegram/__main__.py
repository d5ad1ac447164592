"""The server as a process of its own: `python -m bots.sandbox.local_telegram`.

Its first line has its addresses and the bot's token.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bots.sandbox.in_foreground import run_server
from bots.sandbox.local_telegram.options import Options, options_from
from bots.sandbox.local_telegram.server import serving_telegram


@asynccontextmanager
async def _serving(options: Options) -> AsyncIterator[dict[str, str]]:
    async with serving_telegram(options) as addresses:
        yield {"base_url": addresses.base_url, "control_url": addresses.control_url, "token": addresses.token}


if __name__ == "__main__":
    run_server("bots.sandbox.local_telegram", options_from, _serving)
