"""The schema's way up and down, on both databases."""

import asyncio
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, inspect, text

import migrations
from core.errors import DatabaseTooNew, StorageError
from core.memory.database import Database
from core.memory.store import Memory
from core.memory.tables import Base
from core.memory.upgrade import BASE, current, downgrade, head, is_of_tables, known_revisions, prepare, upgrade
from tests.contract.speaking import exchange, open_session, texts

PROGRAM = """
import asyncio, sys
from core.memory.database import Database
from core.memory.upgrade import current, prepare
{blocked}
async def main():
    async with Database(sys.argv[1]) as database:
        await prepare(database)
        print(await current(database))

asyncio.run(main())
"""


def test_the_files_names_say_what_alembic_says() -> None:
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__path__[0])))
    scripts = ScriptDirectory.from_config(config)

    assert head() == scripts.get_current_head()
    assert [*known_revisions()] == [script.revision for script in reversed([*scripts.walk_revisions()])]


async def test_the_migrated_schema_is_that_of_the_tables(database: Database) -> None:
    async with database.reading() as connection:
        assert await connection.run_sync(_differences) == []


async def test_every_revision_goes_down_and_up_again(database: Database) -> None:
    for revision in (*reversed(known_revisions()), BASE):
        await downgrade(database, revision)
        assert await current(database) == (None if revision == BASE else revision)
    async with database.reading() as connection:
        assert await connection.run_sync(_table_names) == {"alembic_version"}

    await upgrade(database)

    assert await current(database) == head()
    async with database.reading() as connection:
        assert await connection.run_sync(_differences) == []
    memory = Memory(database)
    session = await open_session(memory)
    await exchange(memory, session, "hello", "hi")
    assert await texts(memory, session) == ["hello", "hi"]


async def test_a_downgrade_drops_tables_that_hold_rows(database: Database) -> None:
    memory = Memory(database)
    await exchange(memory, await open_session(memory), "hello", "hi")

    await downgrade(database, BASE)

    assert await current(database) is None


async def test_a_database_is_made_at_the_first_start_and_left_alone_at_the_next(empty_url: str) -> None:
    async with Database(empty_url) as database:
        assert await current(database) is None
        await prepare(database)
        assert await current(database) == head()

    no_alembic = "sys.modules['alembic'] = sys.modules['alembic.command'] = None"
    assert await _run(PROGRAM.format(blocked=no_alembic), empty_url) == head()


async def test_programs_that_start_together_migrate_once(empty_url: str) -> None:
    program = PROGRAM.format(blocked="")

    printed = await asyncio.gather(*(_run(program, empty_url) for _ in range(4)))

    assert printed == [head()] * 4


async def test_tasks_that_start_together_migrate_once(empty_url: str) -> None:
    async with Database(empty_url) as one, Database(empty_url) as other:
        await asyncio.gather(prepare(one), prepare(other), prepare(one), prepare(other))

        assert await current(one) == await current(other) == head()


async def test_a_database_of_a_newer_program_is_refused_and_left_untouched(database: Database) -> None:
    async with database.writing() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    for attempt in (prepare(database), upgrade(database), downgrade(database, BASE)):
        with pytest.raises(DatabaseTooNew, match=r"is of a newer Banter \(its revision is 9999"):
            await attempt

    assert await current(database) == "9999"


async def test_a_downgrade_to_nowhere_is_refused(database: Database) -> None:
    with pytest.raises(StorageError, match=r"There is no revision 7777; there are base, 0001"):
        await downgrade(database, "7777")
    await downgrade(database, BASE)
    with pytest.raises(StorageError, match="The database is older than 0001"):
        await downgrade(database, "0001")


async def test_a_migration_that_fails_leaves_nothing(empty_url: str) -> None:
    async with Database(empty_url) as database:
        async with database.writing() as connection:
            await connection.execute(text("CREATE TABLE turns (id INTEGER)"))

        with pytest.raises(StorageError, match="already exists"):
            await prepare(database)

        assert await current(database) is None
        async with database.reading() as connection:
            assert await connection.run_sync(_table_names) == {"turns"}


def _differences(connection: Connection) -> list[object]:
    options = {"include_object": is_of_tables}
    return [*compare_metadata(MigrationContext.configure(connection, opts=options), Base.metadata)]


def _table_names(connection: Connection) -> set[str]:
    return {*inspect(connection).get_table_names()}


async def _run(program: str, url: str) -> str:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, url, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, errors = await asyncio.wait_for(process.communicate(), timeout=60)
    assert process.returncode == 0, errors.decode()
    return output.decode().strip()
