"""Spoilt updates of Telegram's for the polling loop: `python -m tests.fuzz.telegram_updates --updates 10000 --seed 1`.

The last line tells how many it took. Exit code 1 where one stalls the loop, ends it, or gets another one lost.
"""

import argparse
import asyncio
import logging
import sys
import tempfile
import time
import traceback
from pathlib import Path

from tests.fuzz.running import prepared
from tests.fuzz.telegram_feeding import Fault, feed


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.telegram_updates", description=__doc__)
    parser.add_argument("--updates", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    logging.getLogger("core").propagate = False  # the feeder reads what it says
    begun = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="banter-fuzz-") as folder:
        url = prepared(f"sqlite:///{Path(folder) / 'banter.db'}")
        try:
            fed = asyncio.run(feed(url, options.updates, options.seed))
        except Fault as fault:
            print("".join(traceback.format_exception(fault)))
            return 1
    kinds = ", ".join(f"{count} {kind}" for kind, count in fed.kinds.most_common())
    print(f"understood as: {kinds}; {time.monotonic() - begun:.0f} s")
    print(f"{fed.updates} updates, {fed.dead} dead letters kept, {fed.sound} sound messages kept, 0 stalls, 0 lost")
    return 0


if __name__ == "__main__":
    sys.exit(main())
