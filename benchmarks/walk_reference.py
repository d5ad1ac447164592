"""How fast this machine is at what the walk is made of: 13 statements in 5 commits for each reply, one after another.

Where the bound of 300 replies a second was set, SQLAlchemy over aiosqlite held 112 of these a second.
"""

import time
from pathlib import Path

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

#: Replies a second, where the bound was set.
ELSEWHERE_PER_S = 112.0
_REPLIES = 200
#: Statements of each commit.
_COMMITS = (3, 3, 3, 2, 2)
_INSERT = text("INSERT INTO said (state, text) VALUES (:state, :text)")
_SELECT = text("SELECT id, state FROM said WHERE id = :id")
_UPDATE = text("UPDATE said SET state = :state WHERE id = :id")


async def reference_per_s(folder: Path) -> float:
    """Replies a second, on SQLite as it is opened for the walk: WAL, `synchronous` full."""
    engine = create_async_engine(f"sqlite+aiosqlite:///{folder / 'reference.db'}")
    try:
        async with engine.connect() as connection:
            await connection.exec_driver_sql("PRAGMA journal_mode = WAL")
            await connection.exec_driver_sql("CREATE TABLE said (id INTEGER PRIMARY KEY, state TEXT, text TEXT)")
            await connection.exec_driver_sql("PRAGMA synchronous = FULL")
            await connection.commit()
        begin = time.perf_counter()
        for number in range(_REPLIES):
            await _reply(engine, number)
        return _REPLIES / (time.perf_counter() - begin)
    finally:
        await engine.dispose()


async def _reply(engine: AsyncEngine, number: int) -> None:
    for statements in _COMMITS:
        async with engine.begin() as connection:
            await _commit(connection, number, statements)


async def _commit(connection: AsyncConnection, number: int, statements: int) -> None:
    await connection.execute(_INSERT, {"state": "waiting", "text": "What do you think of this, and of that? " * 8})
    (await connection.execute(_SELECT, {"id": number})).all()
    if statements > 2:
        await connection.execute(_UPDATE, {"id": number, "state": "answered"})
