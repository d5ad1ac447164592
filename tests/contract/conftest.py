"""An empty, migrated database of each kind for every test."""

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from core.memory.database import Database
from core.memory.store import Memory
from core.memory.upgrade import prepare
from tests.contract.local_postgres import LocalPostgres, local_postgres

_numbers = itertools.count(1)


@pytest.fixture(scope="session")
def postgres() -> Iterator[LocalPostgres]:
    with local_postgres() as server:
        yield server


@pytest.fixture(scope="session")
def migrated_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("migrated") / "banter.db"
    asyncio.run(_prepare(f"sqlite:///{file}"))
    return file


@pytest.fixture(scope="session")
def migrated_template(postgres: LocalPostgres) -> str:
    asyncio.run(_order(postgres, "CREATE DATABASE migrated"))
    asyncio.run(_prepare(postgres.url("migrated")))
    return "migrated"


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def empty_url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A database without a single table."""
    if kind == "sqlite":
        return f"sqlite:///{tmp_path / 'banter.db'}"
    return _new_database(request.getfixturevalue("postgres"), template="template0")


@pytest.fixture
def database_url(kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if kind == "sqlite":
        file = tmp_path / "banter.db"
        shutil.copy(request.getfixturevalue("migrated_file"), file)
        return f"sqlite:///{file}"
    template = request.getfixturevalue("migrated_template")
    return _new_database(request.getfixturevalue("postgres"), template)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    async with Database(database_url) as opened:
        yield opened


@pytest.fixture
def memory(database: Database) -> Memory:
    return Memory(database)


async def _prepare(url: str) -> None:
    async with Database(url) as database:
        await prepare(database)


def _new_database(server: LocalPostgres, template: str) -> str:
    """They go with the server."""
    name = f"test_{next(_numbers)}"
    asyncio.run(_order(server, f"CREATE DATABASE {name} TEMPLATE {template}"))
    return server.url(name)


async def _order(server: LocalPostgres, statement: str) -> None:
    connection = await asyncpg.connect(server.url())
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
