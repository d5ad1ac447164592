"""Random and spoilt input for a whole bot: `python -m tests.fuzz --inputs 50000 --seed 1`.

The last line tells how many it took. Exit code 1 at the first that crashes it, stalls it, or reaches the database as an
error; the batch is printed.
"""

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.contract.local_postgres import local_postgres
from tests.fuzz.feeding import Fault
from tests.fuzz.running import feed, prepared
from tests.platforms.paper_bot import paper_voices

DATABASES = ("sqlite", "postgresql")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("--inputs", type=int, default=50_000, help="for each database")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--databases", nargs="+", choices=DATABASES, default=DATABASES)
    options = parser.parse_args()
    logging.basicConfig(format="%(asctime)s %(message)s")
    logging.getLogger("tests").setLevel(logging.INFO)
    logging.getLogger("core").propagate = False  # the feeder reads what it says
    taken = 0
    for kind in options.databases:
        begun = time.monotonic()
        with _place(kind) as (url, folder):
            try:
                feeder = feed(url, paper_voices(folder), options.inputs, options.seed)
            except Fault as fault:
                print(f"{kind}: {fault}")
                return 1
        taken += feeder.inputs
        ends = ", ".join(f"{count} {state}" for state, count in feeder.ends.most_common())
        print(
            f"{kind}: {feeder.inputs} inputs, of which were kept: {ends}; {time.monotonic() - begun:.0f} s", flush=True
        )
    print(f"{taken} inputs, 0 crashes, 0 stalls, 0 errors")
    return 0


@contextmanager
def _place(kind: str) -> Iterator[tuple[str, Path]]:
    """A database's address, and a folder."""
    with tempfile.TemporaryDirectory(prefix="banter-fuzz-") as name:
        folder = Path(name)
        if kind == "sqlite":
            yield prepared(f"sqlite:///{folder / 'banter.db'}"), folder
        else:
            with local_postgres() as server:
                yield prepared(server.url()), folder


if __name__ == "__main__":
    sys.exit(main())
