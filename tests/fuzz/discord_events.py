"""Spoilt frames of Discord's gateway: `python -m tests.fuzz.discord_events --inputs 10000 --seed 1`.

Events with data that is not as it should be, frames that are none, and between them people who must be heard. The last
line tells how many it took. Exit code 1 where one stalls a receiver, ends it, or gets another one lost or doubled.
"""

import argparse
import asyncio
import logging
import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.fuzz.discord_feeding import Fault, feed
from tests.fuzz.running import prepared


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.discord_events", description=__doc__)
    parser.add_argument("--inputs", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for name in ("core", "adapters"):
        logging.getLogger(name).propagate = False  # the feeder reads what they say
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="banter-fuzz-") as folder:
        url = prepared(f"sqlite:///{Path(folder) / 'banter.db'}")
        try:
            fed = asyncio.run(feed(url, options.inputs, options.seed))
        except Fault as fault:
            print("".join(traceback.format_exception(fault)))
            return 1
    kinds = ", ".join(f"{count} {kind}" for kind, count in fed.kinds.most_common())
    print(f"understood as: {kinds}; {fed.callbacks} interactions answered; {time.monotonic() - begun:.0f} s")
    print(
        f"{fed.frames} frames over {fed.sockets} connections and {fed.sessions} sessions, {fed.dead} dead letters, "
        f"{fed.sound} sound messages kept once, 0 stalls, 0 lost"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
