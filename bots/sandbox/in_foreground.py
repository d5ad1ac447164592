"""A local server as the whole of a process.

Its first line is a JSON object with its addresses. It ends at SIGTERM or SIGINT, when the pipe that is its standard
input closes (whoever began it is gone), and when its lifetime is over.
"""

import argparse
import asyncio
import json
import os
import signal
import stat
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TypeVar

Options = TypeVar("Options")

_LIFETIME_S = 24 * 3600.0


def run_server(
    module: str,
    options_from: Callable[[str], Options],
    serving: Callable[[Options], AbstractAsyncContextManager[dict[str, str]]],
) -> None:
    """`serving` gives what its first line says."""
    parser = argparse.ArgumentParser(prog=f"python -m {module}", description=__doc__)
    parser.add_argument("--options", default="{}", help="JSON; see the package's options")
    parser.add_argument("--lifetime-s", type=float, default=_LIFETIME_S)
    given = parser.parse_args()
    try:
        options = options_from(given.options)
    except ValueError as error:
        parser.error(f"--options: {error}")
    asyncio.run(_serve(serving(options), given.lifetime_s))


async def _serve(serving: AbstractAsyncContextManager[dict[str, str]], lifetime_s: float) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    if stat.S_ISFIFO(os.fstat(0).st_mode):
        loop.add_reader(0, _watch_pipe, ended)
    async with serving as told:
        sys.stdout.write(f"{json.dumps(told)}\n")
        sys.stdout.flush()
        try:
            async with asyncio.timeout(lifetime_s):
                await ended.wait()
        except TimeoutError:
            return


def _watch_pipe(ended: asyncio.Event) -> None:
    if not os.read(0, 1 << 12):
        ended.set()
