"""A local server in a process of its own, begun from here: it lives on while bots around it are killed."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bots.sandbox.local_slack.driver import LocalSlack, attached_slack
from bots.sandbox.local_slack.options import Options
from bots.sandbox.own_process import server_process


@asynccontextmanager
async def local_slack_process(options: Options | None = None) -> AsyncIterator[LocalSlack]:
    """Until the end of the block, or of this process, whatever ends it."""
    begun = server_process("bots.sandbox.local_slack", (options or Options()).to_json())
    async with begun as control_url, attached_slack(control_url) as slack:
        yield slack
