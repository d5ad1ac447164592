"""How long the queue takes to refuse, to let in and to give out when 256 wait: `python -m benchmarks.queue`.

They are of 384 people in two places on each of three platforms, so that nearly each is of someone else: its worst case.
Exit code 1 where a refusal is not under its bound.
"""

import argparse
import gc
import random
import sys
import time
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from core.errors import QueueFull
from core.generation.queue import Queue, QueueLimits
from core.generation.request import Owner

WAITING = 256
LIMIT_MS = 10.0
PEOPLE = [
    Owner(platform, place, str(number)) for number in range(64) for platform in "dst" for place in ("home", "away")
]


class Request:
    """What waits."""


class Stopwatch:
    """How long each kind of operation took, in microseconds."""

    def __init__(self) -> None:
        self.taken_us: dict[str, list[float]] = {}

    def measure(self, kind: str, operation: Callable[[], object]) -> None:
        begin = time.perf_counter()
        operation()
        self.taken_us.setdefault(kind, []).append((time.perf_counter() - begin) * 1e6)

    def percentile_us(self, kind: str, percent: int) -> float:
        taken_us = sorted(self.taken_us[kind])
        return taken_us[len(taken_us) * percent // 100]


def measure(rounds: int) -> Stopwatch:
    """Each round takes one out and lets one in, so that 256 wait at the start of each."""
    chance, watch, queue = random.Random(17), Stopwatch(), Queue[Request](QueueLimits(waiting=WAITING))

    def put() -> int:
        return queue.put(Request(), chance.choice(PEOPLE), cost=chance.uniform(50, 2000))

    def be_refused() -> None:
        try:
            put()
        except QueueFull:
            return
        raise AssertionError("it was let in")

    while len(queue) < WAITING:
        put()
    gc.disable()
    for _ in range(rounds):
        watch.measure("a refusal", be_refused)
        watch.measure("all positions, after a change", queue.positions)
        watch.measure("all waits, then", lambda: [queue.expected_wait_s(position) for position in range(WAITING)])
        watch.measure("a take that admits nothing", lambda: queue.take(lambda _: False))
        watch.measure("a take", queue.take)
        queue.served(1000.0)
        watch.measure("a put, with its position", put)
    return watch


def report(watch: Stopwatch) -> bool:
    """Prints the figures; True where the bound holds."""
    table = Table(title=f"The queue with {WAITING} requests waiting")
    for heading in ("operation", "p50 (µs)", "p99 (µs)", "most (µs)"):
        table.add_column(heading, justify="left" if heading == "operation" else "right")
    for kind, taken_us in watch.taken_us.items():
        figures = watch.percentile_us(kind, 50), watch.percentile_us(kind, 99), max(taken_us)
        table.add_row(kind, *(f"{figure:,.1f}" for figure in figures))
    good = watch.percentile_us("a refusal", 99) < LIMIT_MS * 1000
    Console().print(table)
    Console().print(f"Bound: a refusal at p99 under {LIMIT_MS} ms: {'held' if good else 'BROKEN'}")
    return good


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=2000)
    sys.exit(0 if report(measure(parser.parse_args().rounds)) else 1)
