"""How long recall and full-text recall take with little and with much in the database: `python -m benchmarks.recall`.

A tenth of all turns is one long session, spread over the whole table as a session is that was held beside others;
it is recalled from places all over its history, so that the same few pages are not always at hand.
Full-text recall is asked for a rare word among words that are in every turn. The four databases are asked in turn, so
that the machine's other work falls on all of them alike. Last, turns are written with the index and without it.
Exit code 1 where a bound is broken.
"""

import argparse
import asyncio
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
from rich.console import Console
from rich.table import Table

from benchmarks.indexing import INDEX, MAKE_INDEX, report_writing
from core.memory.database import Database
from core.memory.search import Search
from core.memory.store import Memory
from core.memory.upgrade import prepare
from core.relevance import RANKED_LIMIT
from tests.contract.local_postgres import LocalPostgres, local_postgres

WINDOW_TOKENS = 2048
LIMIT_MS = 5.0
LIMIT_RATIO = 1.5
SMALL, LARGE = 1_000, 1_000_000

#: Every tenth turn is the long session's; the other nine lanes change their session from block to block.
LANES = 10
BLOCK = 10_000

#: More turns than a window holds.
_WINDOW_TURNS = 75
_LONG_SESSION = 1
_WARM_UP_ROUNDS = 30

#: So many turns have each of the rare words, a tenth of them in the long session.
_TURNS_OF_A_WORD = 50
_TEXT = "The quick brown fox jumps over the lazy dog while the band plays on. " * 4
_NUMBERS = {
    "sqlite": "WITH RECURSIVE numbers(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {last})",
    "postgresql": "WITH numbers(n) AS (SELECT generate_series(1, {last}))",
}
_COUNT = f"(10 + n / {LANES} * 7 % 50)"
_ZERO_IDS = {"sqlite": f"zeroblob(4 * {_COUNT})", "postgresql": f"decode(repeat('00000000', {_COUNT}), 'hex')"}
_SESSION = f"(CASE WHEN n % {LANES} = 0 THEN {_LONG_SESSION} ELSE 1 + n / {BLOCK} * {LANES - 1} + n % {LANES} END)"
_IS_FIRST = f"n <= {LANES} OR (n % {LANES} <> 0 AND n % {BLOCK} < {LANES})"
_IS_PERSON = f"n / {LANES} % 2 = 0"
_DATE = "'2026-01-01 00:00:00'"


def _word(number: str, turns: int) -> str:
    """A word of a turn that few others have."""
    words = max(turns // _TURNS_OF_A_WORD, 1)
    return f"'rare' || ({number} % {words} * 7919 % {words})"


@dataclass(frozen=True, slots=True)
class Stored:
    """A database that holds so many turns."""

    kind: str
    turns: int
    database: Database
    taken_ms: list[float] = field(default_factory=list)
    searched_ms: list[float] = field(default_factory=list)

    @property
    def memory(self) -> Memory:
        return Memory(self.database)

    def question(self, chance: random.Random) -> str:
        word = chance.randrange(max(self.turns // _TURNS_OF_A_WORD, 1))
        return f"What did the quick brown fox say of rare{word} while the lazy dog jumps?"

    def place(self, chance: random.Random) -> int:
        """A turn of the long session with a whole window before it."""
        return chance.randrange(_WINDOW_TURNS, self.turns // LANES + 1) * LANES


def percentile(taken_ms: Sequence[float], percent: int) -> float:
    return sorted(taken_ms)[len(taken_ms) * percent // 100]


def filling(kind: str, turns: int) -> list[str]:
    """The statements that write all turns; dates and flags are written as both databases read them."""
    sessions = 1 + (turns // BLOCK + 1) * (LANES - 1)
    people = f"""
        {_NUMBERS[kind].format(last=sessions)}
        INSERT INTO people (id, platform, workspace, platform_id, name)
        SELECT n, 'discord', 'guild', CAST(n AS VARCHAR), 'Anna' FROM numbers"""
    places = f"""
        {_NUMBERS[kind].format(last=sessions)}
        INSERT INTO sessions (id, platform, bot, workspace, channel, thread, person, active,
            persona, model, title, summary, created_at, last_active_at)
        SELECT n, 'discord', 'banter', 'guild', 'general', CAST(n AS VARCHAR), '', (1 = 1),
            'banter', 'tiny', '', '', {_DATE}, {_DATE} FROM numbers"""
    said = f"""
        {_NUMBERS[kind].format(last=turns)}
        INSERT INTO turns (id, session_id, parent_id, role, person_id,
            state, tokenizer, token_count, created_at, text, token_ids)
        SELECT n, {_SESSION}, CASE WHEN {_IS_FIRST} THEN NULL ELSE n - {LANES} END,
            CASE WHEN {_IS_PERSON} THEN 'person' ELSE 'assistant' END, CASE WHEN {_IS_PERSON} THEN {_SESSION} END,
            'answered', 'tiny', {_COUNT}, {_DATE},
            substr('{_TEXT}', 1, 4 * {_COUNT}) || ' ' || {_word("n", turns)},
            CASE WHEN {_IS_PERSON} THEN NULL ELSE {_ZERO_IDS[kind]} END FROM numbers"""
    return [people, places, said, f"UPDATE sessions SET head_turn_id = {turns} WHERE id = {_LONG_SESSION}"]


@asynccontextmanager
async def stored_in_sqlite(folder: Path, turns: int) -> AsyncIterator[Stored]:
    file = folder / f"{turns}.db"
    async with Database(f"sqlite:///{file}") as database:
        await prepare(database)
        await asyncio.to_thread(_fill_sqlite, file, turns)
        yield Stored("sqlite", turns, database)


def _fill_sqlite(file: Path, turns: int) -> None:
    connection = sqlite3.connect(file)
    try:
        for statement in filling("sqlite", turns):
            connection.execute(statement)
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


@asynccontextmanager
async def stored_in_postgresql(server: LocalPostgres, turns: int) -> AsyncIterator[Stored]:
    name = f"turns_{turns}"
    await _order(server.url(), f"CREATE DATABASE {name}")
    async with Database(server.url(name)) as database:
        await prepare(database)
        await _order(
            server.url(name),
            "SET session_replication_role = replica",
            f"DROP INDEX {INDEX}",
            *filling("postgresql", turns),
            *(f"SELECT setval('{table}_id_seq', max(id)) FROM {table}" for table in ("people", "sessions", "turns")),
            MAKE_INDEX,
            "VACUUM ANALYZE",
        )
        yield Stored("postgresql", turns, database)


async def _order(url: str, *statements: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


async def measure(databases: Sequence[Stored], rounds: int) -> None:
    """Round by round, each database once."""
    chance = random.Random(17)
    for number in range(_WARM_UP_ROUNDS + rounds):
        for stored in databases:
            head, question = stored.place(chance), stored.question(chance)
            begin = time.perf_counter()
            turns = await stored.memory.recall(_LONG_SESSION, WINDOW_TOKENS, head_turn_id=head)
            taken_ms = (time.perf_counter() - begin) * 1000
            assert turns[-1].id == head
            assert len(turns) > _WINDOW_TURNS // 2
            begin = time.perf_counter()
            found = await stored.memory.search(Search(_LONG_SESSION, head, question, before_turn_id=turns[0].id))
            searched_ms = (time.perf_counter() - begin) * 1000
            assert len(found) <= RANKED_LIMIT
            if number >= _WARM_UP_ROUNDS:
                stored.taken_ms.append(taken_ms)
                stored.searched_ms.append(searched_ms)


def report(databases: Sequence[Stored]) -> bool:
    """Prints the figures; True where all bounds hold."""
    table = Table(title=f"Recall of {WINDOW_TOKENS:,} tokens")
    for heading in ("database", "turns stored", "p50 (ms)", "p95 (ms)", "p50, ratio", "search p50", "p95"):
        table.add_column(heading, justify="left" if heading == "database" else "right")
    good = True
    small = {stored.kind: percentile(stored.taken_ms, 50) for stored in databases if stored.turns == SMALL}
    for stored in databases:
        middle, late = percentile(stored.taken_ms, 50), percentile(stored.taken_ms, 95)
        ratio = middle / small[stored.kind]
        good = good and middle < LIMIT_MS and ratio <= LIMIT_RATIO
        searched = (f"{percentile(stored.searched_ms, percent):.2f}" for percent in (50, 95))
        table.add_row(stored.kind, f"{stored.turns:,}", f"{middle:.2f}", f"{late:.2f}", f"{ratio:.2f}", *searched)
    Console().print(table)
    Console().print(f"Bounds: p50 under {LIMIT_MS} ms and at most {LIMIT_RATIO} x: {'held' if good else 'BROKEN'}")
    return good


async def main(rounds: int) -> int:
    with tempfile.TemporaryDirectory(prefix="banter-recall-") as folder, local_postgres() as server:
        async with AsyncExitStack() as opened:
            databases = []
            for turns in (SMALL, LARGE):
                with Console(stderr=True).status(f"writing {turns:,} turns"):
                    databases.append(await opened.enter_async_context(stored_in_sqlite(Path(folder), turns)))
                    databases.append(await opened.enter_async_context(stored_in_postgresql(server, turns)))
            await measure(databases, rounds)
            good = report(sorted(databases, key=lambda stored: (stored.kind, stored.turns)))
            await report_writing([stored.database for stored in databases if stored.turns == LARGE], rounds)
            return 0 if good else 1


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=300)
    sys.exit(asyncio.run(main(parser.parse_args().rounds)))
