"""A local server in a process of its own, begun from here: it lives on while bots around it are killed."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

_BEGIN_S = 60.0
_END_S = 10.0


@asynccontextmanager
async def server_process(module: str, options: str) -> AsyncIterator[str]:
    """Its control URL, until the end of the block, or of this process, whatever ends it. `options`: JSON."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, "--options", options, stdin=pipe, stdout=pipe
    )
    try:
        async with asyncio.timeout(_BEGIN_S):
            assert process.stdout is not None  # noqa: S101 - it is a pipe
            told = await process.stdout.readline()
        yield str(json.loads(told)["control_url"])
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
