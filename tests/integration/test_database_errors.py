"""A SQLite database that can't be used: each time one clear line, nothing lost, no trace."""

import asyncio
import json
import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text

from core.dialogue import InboundMessage, Person, Platform, SessionKey
from core.errors import StorageError
from core.memory.connections import Access
from core.memory.database import Database
from core.memory.store import Memory
from core.memory.upgrade import prepare

KEY = SessionKey(Platform.TERMINAL, bot="banter", workspace="", channel="anna")
ANNA = Person(Platform.TERMINAL, workspace="", platform_id="anna", name="Anna")
NOBODY = 65534

#: Everything is imported before root becomes an ordinary user, who may not reach the virtual environment.
AS_ORDINARY_USER = f"""
import asyncio, json, os, sys
import aiosqlite, alembic.command, alembic.config, alembic.runtime.migration, sqlalchemy.dialects.sqlite.aiosqlite
from core.errors import StorageError
from core.memory.database import Database
from core.memory.upgrade import prepare

async def main():
    database = Database(sys.argv[1])
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid({NOBODY})
        os.setuid({NOBODY})
    try:
        async with database:
            await prepare(database)
    except StorageError as error:
        return str(error)

print(json.dumps(asyncio.run(main())))
"""


def message(words: str, message_id: str) -> InboundMessage:
    return InboundMessage(KEY, ANNA, message_id, words, datetime.now(UTC))


def as_ordinary_user(file: Path) -> str | None:
    """What the start of the program says about a database file; None when it is well."""
    done = subprocess.run(
        [sys.executable, "-c", AS_ORDINARY_USER, f"sqlite:///{file}"],
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    said: str | None = json.loads(done.stdout)
    return said


async def refusal(url: str) -> str:
    async with Database(url) as database:
        with pytest.raises(StorageError) as caught:
            await prepare(database)
    line = str(caught.value)
    assert "\n" not in line
    return line


@pytest.fixture
def shared_folder(tmp_path: Path) -> Iterator[Path]:
    """One that an ordinary user can reach, where tests run as root."""
    if os.geteuid() == 0:
        for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
            folder.chmod(0o755)
    folder = tmp_path / "data"
    folder.mkdir()
    yield folder
    folder.chmod(0o755)


class TestSqliteFile:
    async def test_a_new_database_is_private(self, tmp_path: Path) -> None:
        file = tmp_path / "new" / "deeper" / "banter.db"

        async with Database(f"sqlite:///{file}") as database:
            await prepare(database)

            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (file.parent, *file.parent.iterdir())}
            assert modes.pop("deeper") == 0o700
            assert set(modes) >= {"banter.db", "banter.db-wal"}
            assert set(modes.values()) == {0o600}

    @pytest.mark.parametrize(("synchronous", "level"), [("full", 2), ("normal", 1)])
    async def test_it_is_opened_for_many_readers_and_safe_writes(
        self, tmp_path: Path, synchronous: str, level: int
    ) -> None:
        access = Access(synchronous="normal" if synchronous == "normal" else "full")
        async with Database(f"sqlite:///{tmp_path / 'banter.db'}", synchronous=access.synchronous) as database:
            for connecting in (database.reading, database.writing):
                async with connecting() as connection:
                    pragmas = ("journal_mode", "foreign_keys", "synchronous", "busy_timeout")
                    values = [(await connection.execute(text(f"PRAGMA {pragma}"))).scalar() for pragma in pragmas]
                    assert values == ["wal", 1, level, 5000]

    def test_a_folder_without_write_access(self, shared_folder: Path) -> None:
        shared_folder.chmod(0o555)

        said = as_ordinary_user(shared_folder / "banter.db")

        assert said == (
            f"{shared_folder / 'banter.db'} can't be written; give this user the right to write the file and its "
            "folder, or set another database.url"
        )

    def test_a_folder_that_can_not_be_made(self, shared_folder: Path) -> None:
        shared_folder.chmod(0o555)

        said = as_ordinary_user(shared_folder / "deeper" / "banter.db")

        assert said is not None
        assert "banter.db can't be written; give this user the right" in said

    async def test_a_database_in_a_folder_without_write_access(self, shared_folder: Path) -> None:
        file = shared_folder / "banter.db"
        async with Database(f"sqlite:///{file}") as database:
            await prepare(database)
        file.chmod(0o444)
        shared_folder.chmod(0o555)

        said = as_ordinary_user(file)

        assert said is not None
        assert "give this user the right to write the file and its folder" in said

    async def test_a_file_that_is_no_database(self, tmp_path: Path) -> None:
        file = tmp_path / "banter.db"
        file.write_text("Dear diary, " * 1000)

        assert await refusal(f"sqlite:///{file}") == (
            f"{file} is not a SQLite database; move it away or set another database.url"
        )
        assert file.read_text() == "Dear diary, " * 1000

    async def test_a_damaged_database(self, tmp_path: Path) -> None:
        file = tmp_path / "banter.db"
        async with Database(f"sqlite:///{file}") as database:
            await prepare(database)
        whole = file.read_bytes()
        file.write_bytes(whole[:100] + b"\xff" * (len(whole) - 100))

        assert f"{file} is damaged; restore a copy" in await refusal(f"sqlite:///{file}")

    async def test_a_folder_where_the_file_should_be(self, tmp_path: Path) -> None:
        assert "can't be opened; give this user the right" in await refusal(f"sqlite:///{tmp_path}")

    async def test_a_full_disk_loses_nothing_that_was_recorded(self, tmp_path: Path) -> None:
        async with Database(f"sqlite:///{tmp_path / 'banter.db'}") as database:
            await prepare(database)
            memory = Memory(database)
            session = await memory.open_session(KEY, "banter", "tiny")
            await memory.record_message(session.id, message("kept", "m1"))
            await self._limit_pages(database, 40)

            with pytest.raises(StorageError, match=r"The disk of .*banter\.db is full; free some space and try again"):
                await memory.record_message(session.id, message("x" * 1_000_000, "m2"))

            assert [turn.text for turn in await memory.recall(session.id, 1000)] == ["kept"]
            await self._limit_pages(database, 10_000)
            await memory.record_message(session.id, message("again", "m2"))
            assert [turn.text for turn in await memory.recall(session.id, 1000)] == ["kept", "again"]

    async def test_another_program_that_holds_the_write_lock(self, tmp_path: Path) -> None:
        file = tmp_path / "banter.db"
        async with Database(f"sqlite:///{file}", access=Access(lock_timeout_s=0.05)) as database:
            await prepare(database)
            memory = Memory(database)
            session = await memory.open_session(KEY, "banter", "tiny")
            other = sqlite3.connect(file, isolation_level=None)
            other.execute("BEGIN IMMEDIATE")

            with pytest.raises(StorageError, match=r"banter.db is locked by another program; close that one"):
                await memory.record_message(session.id, message("hello", "m1"))
            assert await memory.recall(session.id, 1000) == ()

            other.close()
            await memory.record_message(session.id, message("hello", "m1"))

    async def test_a_wait_for_a_connection_ends(self, tmp_path: Path) -> None:
        access = Access(pool_size=1, pool_timeout_s=0.05)
        url = f"sqlite:///{tmp_path / 'banter.db'}"
        async with Database(url, access=access) as database, database.reading() as connection:
            await connection.execute(text("SELECT 1"))
            with pytest.raises(StorageError, match="did not answer in time"):
                await Memory(database).session(1)

    async def test_many_writers_of_one_program_wait_for_each_other(self, tmp_path: Path) -> None:
        access = Access(lock_timeout_s=0.01)
        async with Database(f"sqlite:///{tmp_path / 'banter.db'}", access=access) as database:
            await prepare(database)
            memory = Memory(database)
            session = await memory.open_session(KEY, "banter", "tiny")

            await asyncio.gather(
                *(memory.record_message(session.id, message(f"{number}", f"m{number}")) for number in range(50))
            )

            assert len(await memory.recall(session.id, 1000)) == 50

    async def _limit_pages(self, database: Database, pages: int) -> None:
        """Of the one connection that writes."""
        async with database.writing() as connection:
            await connection.execute(text(f"PRAGMA max_page_count = {pages}"))
