"""A local server in a process of its own, begun from here: it lives on while bots around it are killed."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bots.sandbox.local_slack.driver import LocalSlack, attached_slack
from bots.sandbox.local_slack.options import Options

_BEGIN_S = 60.0
_END_S = 10.0


@asynccontextmanager
async def local_slack_process(options: Options | None = None) -> AsyncIterator[LocalSlack]:
    """Until the end of the block, or of this process, whatever ends it."""
    command = (sys.executable, "-m", "bots.sandbox.local_slack", "--options", (options or Options()).to_json())
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdin=pipe, stdout=pipe)
    try:
        async with asyncio.timeout(_BEGIN_S):
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            told = await process.stdout.readline()
        async with attached_slack(str(json.loads(told)["control_url"])) as slack:
            yield slack
    finally:
        await _end(process)


async def _end(process: asyncio.subprocess.Process) -> None:
    with contextlib.suppress(ProcessLookupError):
        process.terminate()
    try:
        async with asyncio.timeout(_END_S):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
