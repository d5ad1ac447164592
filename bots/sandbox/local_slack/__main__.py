"""The server as a process of its own: `python -m bots.sandbox.local_slack`; its first line has its addresses."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bots.sandbox.in_foreground import run_server
from bots.sandbox.local_slack.options import Options, options_from
from bots.sandbox.local_slack.server import serving_slack


@asynccontextmanager
async def _serving(options: Options) -> AsyncIterator[dict[str, str]]:
    async with serving_slack(options) as addresses:
        yield {"api_url": addresses.api_url, "control_url": addresses.control_url}


if __name__ == "__main__":
    run_server("bots.sandbox.local_slack", options_from, _serving)
