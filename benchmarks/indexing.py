"""What the full-text index costs whoever writes a turn: the same insert with it, without it, and with it again."""

import time
from collections.abc import Sequence
from dataclasses import replace

from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from core.memory.database import Database
from core.memory.store import Memory
from tests.contract.speaking import KEY, message

#: PostgreSQL's.
INDEX = "turns_search_index"
MAKE_INDEX = f"CREATE INDEX {INDEX} ON turns USING gin (turns_search) WITH (gin_pending_list_limit = 512)"

#: Of the length of a usual reply.
_SAID = "The quick brown fox jumps over the lazy dog while the band plays on, and nobody knows why. " * 3
_TRIGGERS = "SELECT name, sql FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'turns_search%'"


async def report_writing(databases: Sequence[Database], rounds: int) -> None:
    """Prints the figures. The databases lose their index."""
    shown = Table(title="A turn written, in a transaction of its own")
    for heading in ("database", "with the index, p50 (ms)", "without, p50 (ms)", "p95", "p95"):
        shown.add_column(heading, justify="left" if heading == "database" else "right")
    for number, database in enumerate(databases):
        indexed = await _write(database, f"indexed {number}", rounds)
        await _drop(database)
        plain = await _write(database, f"plain {number}", rounds)
        figures = [
            f"{sorted(taken)[len(taken) * percent // 100]:.2f}" for percent in (50, 95) for taken in (indexed, plain)
        ]
        shown.add_row("postgresql" if database.address.file is None else "sqlite", *figures)
    Console().print(shown)


async def _write(database: Database, name: str, rounds: int) -> list[float]:
    memory, taken_ms = Memory(database), []
    session = await memory.open_session(replace(KEY, thread=name), "banter", "tiny")
    for number in range(rounds):
        said = message(f"{_SAID}{number}", session.key, message_id=f"{name} {number}")
        begin = time.perf_counter()
        await memory.record_message(session.id, said)
        taken_ms.append((time.perf_counter() - begin) * 1000)
    return taken_ms


async def _drop(database: Database) -> None:
    async with database.writing() as connection:
        if database.address.file is None:
            await connection.execute(text("ALTER TABLE turns DROP COLUMN turns_search"))
            return
        for name, _ in (await connection.execute(text(_TRIGGERS))).all():
            await connection.execute(text(f"DROP TRIGGER {name}"))
