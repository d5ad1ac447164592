"""The server as a process of its own: `python -m bots.sandbox.local_slack`.

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

from bots.sandbox.local_slack.options import Options, options_from
from bots.sandbox.local_slack.server import serving_slack

_LIFETIME_S = 24 * 3600.0


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bots.sandbox.local_slack", description=__doc__)
    parser.add_argument("--options", default="{}", help="JSON: app, limits, rates, copies, port, control_port …")
    parser.add_argument("--lifetime-s", type=float, default=_LIFETIME_S)
    given = parser.parse_args()
    try:
        options = options_from(given.options)
    except ValueError as error:
        parser.error(f"--options: {error}")
    asyncio.run(_serve(options, given.lifetime_s))


async def _serve(options: Options, lifetime_s: float) -> None:
    ended = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.set)
    if stat.S_ISFIFO(os.fstat(0).st_mode):
        loop.add_reader(0, _watch_pipe, ended)
    async with serving_slack(options) as addresses:
        told = {"api_url": addresses.api_url, "control_url": addresses.control_url}
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


if __name__ == "__main__":
    main()
