"""Where the walk is measured: new databases of each kind, and a stage on them."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import asyncpg

from core.memory.database import Database
from core.memory.upgrade import prepare
from core.voice import Voices
from tests.contract.local_postgres import LocalPostgres
from tests.integration.walk_stage import PLATFORMS, Stage, SteadyModel, staged

DATABASES = ("sqlite full", "sqlite normal", "postgresql")


@dataclass(frozen=True, slots=True)
class Places:
    """Where new databases are made."""

    folder: Path
    server: LocalPostgres
    voices: Voices
    platform: str

    @asynccontextmanager
    async def database(self, name: str, number: Iterator[int]) -> AsyncIterator[Database]:
        """A new one with an empty schema."""
        of = f"walk_{next(number)}"
        synchronous: Literal["full", "normal"] = "normal" if name.endswith("normal") else "full"
        url = f"sqlite:///{self.folder / of}.db" if name.startswith("sqlite") else self.server.url(of)
        if name == "postgresql":
            await _order(self.server.url(), f"CREATE DATABASE {of}")
        async with Database(url, synchronous=synchronous) as database:
            await prepare(database)
            yield database

    @asynccontextmanager
    async def stage(self, database: Database, places: int, model: SteadyModel | None = None) -> AsyncIterator[Stage]:
        capabilities = PLATFORMS[self.platform]
        async with staged(database, self.voices, model or SteadyModel(), places, capabilities) as stage:
            yield stage


async def _order(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
