"""Work that is carried out in the thread of its connection."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from core.errors import StorageError
from core.memory.database import Database

_INSERT, _COUNT = text("INSERT INTO said (id) VALUES (:id)"), text("SELECT count(*) FROM said")


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    async with Database(f"sqlite:///{tmp_path / 'banter.db'}") as opened:
        async with opened.writing() as connection:
            await connection.execute(text("CREATE TABLE said (id INTEGER PRIMARY KEY)"))
        yield opened


async def count(connection: AsyncConnection) -> int:
    return await connection.scalar(_COUNT) or 0


async def test_all_of_it_is_done_in_one_other_thread(database: Database) -> None:
    async def work(connection: AsyncConnection) -> set[str]:
        names = set()
        for number in range(3):
            await connection.execute(_INSERT, {"id": number})
            names.add(threading.current_thread().name)
        return names

    [name] = await database.write(work)

    assert name != threading.current_thread().name
    assert await database.read(count) == 3


async def test_an_error_takes_all_of_it_back(database: Database) -> None:
    async def work(connection: AsyncConnection) -> None:
        await connection.execute(_INSERT, {"id": 1})
        await connection.execute(_INSERT, {"id": 1})

    with pytest.raises(StorageError):
        await database.write(work)

    assert await database.read(count) == 0


async def test_work_that_waits_for_something_else_is_refused_and_taken_back(database: Database) -> None:
    async def work(connection: AsyncConnection) -> None:
        await connection.execute(_INSERT, {"id": 1})
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="waits for nothing but its connection"):
        await database.write(work)

    assert await database.read(count) == 0


async def test_whoever_is_cancelled_waits_until_the_connection_is_free(database: Database) -> None:
    begun = threading.Event()

    async def work(connection: AsyncConnection) -> None:
        await connection.execute(_INSERT, {"id": 1})
        begun.set()
        time.sleep(0.2)  # noqa: ASYNC251 - in the connection's thread
        await connection.execute(_INSERT, {"id": 2})

    writing = asyncio.create_task(database.write(work))
    await asyncio.to_thread(begun.wait, 10.0)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing

    assert await database.read(count) == 2
    assert await database.write(count) == 2
