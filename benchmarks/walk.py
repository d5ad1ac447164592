"""How many replies a second the whole walk holds, and what it costs: `python -m benchmarks.walk`.

A model that needs no time, a platform in memory, real databases: SQLite with `synchronous` full and normal, PostgreSQL
with fsync. Beside each run stands what the same statements hold when they are said bare, in the same transactions, in
the same minute. Then the latency at half of that load, what each step costs, that no state was skipped, and 1,000
sessions at once with a slow model. Exit code 1 where a bound is broken.
"""

import argparse
import asyncio
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from benchmarks.measuring import percentile
from benchmarks.statements import Recorder, count_rows, say_again, states_passed, write_states_down
from benchmarks.steps import Steps
from benchmarks.walk_crowd import crowd
from benchmarks.walk_places import DATABASES, Places
from benchmarks.walk_reference import ELSEWHERE_PER_S, reference_per_s
from tests.contract.local_postgres import local_postgres
from tests.integration.walk_stage import PLATFORMS, drop_in, open_voices, talk

LEAST_PER_S = 300.0
LEAST_RATIO = 0.6
SESSIONS = (64, 256)
#: fsync as PostgreSQL comes.
_DURABLE = {"fsync": "on", "full_page_writes": "on", "max_connections": "40"}
_STATES = ("message waiting", "message answering", "message answered", "message delivered")
_REPLY_STATES = ("reply streaming", "reply whole", "reply delivered")


@dataclass(frozen=True, slots=True)
class Run:
    """One round of one database with so many sessions."""

    database: str
    sessions: int
    replies: int
    walk_s: float
    bare_s: float
    statements: float
    transactions: float

    @property
    def per_s(self) -> float:
        return self.replies / self.walk_s

    @property
    def bare_per_s(self) -> float:
        return self.replies / self.bare_s

    @property
    def ratio(self) -> float:
        return self.per_s / self.bare_per_s


async def measure(places: Places, name: str, sessions: int, rounds: int, numbers: Iterator[int]) -> Run:
    """The walk; then once more, written down; then its own statements bare."""
    replies = sessions * rounds
    async with places.database(name, numbers) as database, places.stage(database, sessions) as stage:
        walk_s = await talk(stage, sessions, rounds)
    async with places.database(name, numbers) as database:
        recorder = Recorder(database)
        with recorder.recording():
            async with places.stage(database, sessions) as stage:
                await talk(stage, sessions, rounds)
        walked = await count_rows(database)
    require_all(walked, replies, sessions)
    async with places.database(name, numbers) as database:
        begin = time.perf_counter()
        await say_again(database, recorder.transactions)
        bare_s = time.perf_counter() - begin
        if await count_rows(database) != walked:
            raise AssertionError("what was said bare wrote something else")
    statements = sum(recorder.statements.values())
    writes = sum(transaction.writes for transaction in recorder.transactions)
    return Run(name, sessions, replies, walk_s, bare_s, statements / replies, writes / replies)


def require_all(counted: Mapping[str, Mapping[str, int]], replies: int, sessions: int) -> None:
    """Every row of every message is there, and in its last state."""
    expected = {
        "inbox": {"delivered": replies},
        "turns": {"person delivered": replies, "assistant answered": replies},
        "deliveries": {"delivered": replies},
        "parts": {"closed": replies},
        "platform_messages": {"in": replies, "out": replies},
        "leases": {"free": sessions},
    }
    wrong = {table: rows for table, rows in counted.items() if rows != expected[table]}
    if wrong:
        raise AssertionError(f"of {replies} messages in {sessions} sessions there is left: {wrong}")


async def latency(places: Places, name: str, sessions: int, per_s: float, numbers: Iterator[int]) -> list[float]:
    async with places.database(name, numbers) as database, places.stage(database, sessions) as stage:
        await talk(stage, sessions, 1)
        return await drop_in(stage, sessions, 1000, per_s)


async def steps_of(places: Places, name: str, sessions: int, rounds: int, numbers: Iterator[int]) -> Steps:
    """A run of its own, since the watching costs something."""
    async with places.database(name, numbers) as database:
        recorder = Recorder(database)
        steps = Steps(recorder)
        with recorder.recording(), steps.watching():
            async with places.stage(database, sessions) as stage:
                await talk(stage, sessions, rounds)
        steps.statements = recorder.statements
    return steps


async def require_states(places: Places, name: str, numbers: Iterator[int]) -> int:
    """The database itself notes each state of each message; how many messages it were."""
    sessions, rounds = 32, 4
    async with places.database(name, numbers) as database:
        await write_states_down(database)
        async with places.stage(database, sessions) as stage:
            await talk(stage, sessions, rounds)
        passed = await states_passed(database)
    expected = dict.fromkeys((*_STATES, *_REPLY_STATES), sessions * rounds)
    if passed != expected:
        raise AssertionError(f"states were skipped: {passed}, not {expected}")
    return sessions * rounds


def runs_table(runs: Sequence[Run]) -> Table:
    table = Table(title="The whole walk, with a model that needs no time")
    for heading in ("database", "sessions", "replies/s", "bare", "ratio", "statements", "commits"):
        table.add_column(heading, justify="left" if heading == "database" else "right")
    for key in dict.fromkeys((run.database, run.sessions) for run in runs):
        of = [run for run in runs if (run.database, run.sessions) == key]
        table.add_row(
            key[0],
            f"{key[1]}",
            f"{statistics.median(run.per_s for run in of):.0f}",
            f"{statistics.median(run.bare_per_s for run in of):.0f}",
            f"{statistics.median(run.ratio for run in of):.2f}",
            f"{statistics.median(run.statements for run in of):.2f}",
            f"{statistics.median(run.transactions for run in of):.3f}",
        )
    table.caption = "statements, commits: for one reply"
    return table


def bounds_hold(runs: Sequence[Run]) -> bool:
    """At the larger number of sessions, SQLite as it comes and PostgreSQL."""
    good = True
    for name in ("sqlite full", "postgresql"):
        of = [run for run in runs if run.database == name]
        if not of:
            continue
        most = [run for run in of if run.sessions == max(run.sessions for run in of)]
        per_s, ratio = statistics.median(r.per_s for r in most), statistics.median(r.ratio for r in most)
        good = good and per_s >= LEAST_PER_S and ratio >= LEAST_RATIO
    return good


async def machine_told(folder: Path, runs: Sequence[Run]) -> str:
    """What the figures mean on a machine that is faster or slower than the one where the bound was set."""
    reference = await reference_per_s(folder)
    most = max(run.sessions for run in runs)
    here = f"13 statements in 5 commits, one after another: {reference:.0f}/s here"
    told = [f"{here}, {ELSEWHERE_PER_S:.0f}/s where the bound was set"]
    for name in dict.fromkeys(run.database for run in runs):
        per_s = statistics.median(run.per_s for run in runs if (run.database, run.sessions) == (name, most))
        told.append(f"  {name}: {per_s / reference:.1f} x of that (the bound: {LEAST_PER_S / ELSEWHERE_PER_S:.1f} x)")
    return "\n".join(told)


async def main(arguments: argparse.Namespace) -> int:
    console, numbers = Console(), iter(range(1, 1_000_000))
    with tempfile.TemporaryDirectory(prefix="banter-walk-") as name, local_postgres(_DURABLE) as server:
        places = Places(Path(name), server, open_voices(Path(name)), arguments.platform)
        runs = [
            await measure(places, database, sessions, max(arguments.replies // sessions, 1), numbers)
            for _ in range(arguments.rounds)
            for sessions in arguments.sessions
            for database in arguments.databases
        ]
        console.print(runs_table(runs))
        console.print(await machine_told(Path(name), runs))
        for database in arguments.databases:
            most = max(arguments.sessions)
            per_s = statistics.median(run.per_s for run in runs if (run.database, run.sessions) == (database, most))
            waited = await latency(places, database, most, per_s / 2, numbers)
            console.print(
                f"{database}: at {per_s / 2:.0f} messages/s p50 {1000 * percentile(waited, 50):.0f} ms, "
                f"p95 {1000 * percentile(waited, 95):.0f} ms"
            )
        for database in arguments.databases:
            steps = await steps_of(places, database, max(arguments.sessions), 4, numbers)
            console.print(steps.table(database))
            messages = await require_states(places, database, numbers)
            console.print(f"{database}: the database saw all {len(_STATES)} states of {messages} messages", style="dim")
        if not arguments.no_crowd:
            for database in arguments.databases:
                console.print(f"{database}: {(await crowd(places, database, numbers)).told}")
    good = bounds_hold(runs)
    console.print(f"Bounds: {LEAST_PER_S:.0f} replies/s, {LEAST_RATIO} of bare: {'held' if good else 'BROKEN'}")
    return 0 if good else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--replies", type=int, default=2048, help="in each run")
    parser.add_argument("--sessions", type=int, nargs="+", default=SESSIONS)
    parser.add_argument("--databases", nargs="+", default=DATABASES, choices=DATABASES)
    parser.add_argument("--platform", default="discord", choices=tuple(PLATFORMS))
    parser.add_argument("--no-crowd", action="store_true", help="leave the 1,000 sessions out")
    sys.exit(asyncio.run(main(parser.parse_args())))
