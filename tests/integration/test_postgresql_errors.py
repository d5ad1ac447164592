"""A PostgreSQL that can't be used: each time one clear line, and never the password."""

import socket
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text

from core.errors import StorageError
from core.memory.connections import Access
from core.memory.database import Database
from core.memory.upgrade import prepare
from tests.contract.local_postgres import LocalPostgres, local_postgres


async def refusal(url: str) -> str:
    async with Database(url) as database:
        with pytest.raises(StorageError) as caught:
            await prepare(database)
    line = str(caught.value)
    assert "\n" not in line
    assert "secret" not in line
    return line


@pytest.fixture(scope="module")
def postgres() -> Iterator[LocalPostgres]:
    with local_postgres() as server:
        yield server


class TestPostgresql:
    async def test_a_server_that_is_not_there(self) -> None:
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            port = closed.getsockname()[1]

            line = await refusal(f"postgresql://banter:secret@127.0.0.1:{port}/banter")

        assert line.startswith(f"PostgreSQL at 127.0.0.1:{port}/banter can't be reached (")
        assert line.endswith("); start the server or correct database.url")

    async def test_a_socket_folder_that_is_not_there(self, tmp_path: Path) -> None:
        line = await refusal(f"postgresql://banter:secret@/banter?host={tmp_path}")

        assert line.startswith(f"PostgreSQL at {tmp_path}/banter can't be reached (")

    async def test_a_wrong_password(self, postgres: LocalPostgres) -> None:
        await order(postgres, "CREATE ROLE locked LOGIN PASSWORD 'right'")

        line = await refusal(postgres.url(user="locked", password="secret"))

        assert line == (
            f"PostgreSQL at {postgres.folder}/postgres refuses the user or the password; correct database.url"
        )

    async def test_a_database_that_is_not_there(self, postgres: LocalPostgres) -> None:
        assert "/missing has no such database; create it (createdb)" in await refusal(postgres.url("missing"))

    async def test_a_user_without_rights(self, postgres: LocalPostgres) -> None:
        await order(postgres, "CREATE ROLE guest LOGIN")

        assert "does not allow this user to do that" in await refusal(postgres.url(user="guest"))

    @pytest.mark.parametrize(
        ("state", "line"),
        [
            ("53100", "The disk of PostgreSQL at .* is full; free some space"),
            ("53300", "has too many connections; close some"),
            ("53200", "is out of resources .told so.; look at the server"),
            ("57P01", "is stopping or starting; try again"),
            ("40P01", "gave up the transaction because of another one; try again"),
            ("25006", "takes no writing now"),
            ("08006", "The connection to PostgreSQL at .* was lost"),
            ("P0001", "refused: told so"),
        ],
    )
    async def test_what_the_server_says_is_said_with_what_to_do(
        self, postgres: LocalPostgres, state: str, line: str
    ) -> None:
        async with Database(postgres.url()) as database:
            with pytest.raises(StorageError, match=line):
                async with database.writing() as connection:
                    await connection.execute(text(f"DO $$BEGIN RAISE 'told so' USING ERRCODE = '{state}'; END$$"))

    async def test_a_connection_that_was_cut_is_made_anew(self, postgres: LocalPostgres) -> None:
        async with Database(postgres.url()) as database:
            async with database.reading() as connection:
                first = (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one()
            await order(postgres, f"SELECT pg_terminate_backend({first}, 5000)")

            async with database.reading() as connection:
                assert (await connection.execute(text("SELECT pg_backend_pid()"))).scalar_one() != first

    async def test_a_connection_that_is_cut_in_a_transaction(self, postgres: LocalPostgres) -> None:
        async with Database(postgres.url()) as database:
            cut = text("SELECT pg_terminate_backend(pg_backend_pid())")
            with pytest.raises(StorageError, match=r"PostgreSQL at .* (is stopping|was lost)"):
                async with database.writing() as connection:
                    await connection.execute(cut)

    async def test_a_statement_that_takes_too_long(self, postgres: LocalPostgres) -> None:
        async with Database(postgres.url(), access=Access(statement_timeout_s=0.1)) as database:
            with pytest.raises(StorageError, match="did not answer in time"):
                async with database.reading() as connection:
                    await connection.execute(text("SELECT pg_sleep(20)"))
            async with database.reading() as connection:
                assert (await connection.execute(text("SELECT 1"))).scalar_one() == 1


async def order(server: LocalPostgres, statement: str) -> None:
    connection = await asyncpg.connect(server.url())
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
