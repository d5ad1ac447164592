"""An empty, migrated database for each trial."""

import asyncio
import itertools
import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import asyncpg

from core.memory.database import Database
from core.memory.upgrade import prepare
from tests.contract.local_postgres import LocalPostgres, local_postgres

_TEMPLATE = "migrated"


class Databases:
    def __init__(self, migrated_file: Path, server: LocalPostgres, admin: asyncpg.Connection) -> None:
        self._migrated_file = migrated_file
        self._server = server
        self._admin = admin
        self._numbers = itertools.count(1)
        self._ordering = asyncio.Lock()

    @asynccontextmanager
    async def new(self, kind: str, folder: Path) -> AsyncIterator[str]:
        """Its URL."""
        if kind == "sqlite":
            shutil.copy(self._migrated_file, folder / "banter.db")
            yield f"sqlite:///{folder / 'banter.db'}"
            return
        name = f"trial_{next(self._numbers)}"
        await self._order(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
        try:
            yield self._server.url(name)
        finally:
            await self._order(f"DROP DATABASE {name} WITH (FORCE)")

    async def _order(self, statement: str) -> None:
        async with self._ordering:
            await self._admin.execute(statement)


@asynccontextmanager
async def open_databases(folder: Path) -> AsyncIterator[Databases]:
    async with AsyncExitStack() as closing:
        server = closing.enter_context(local_postgres())
        admin = await asyncpg.connect(server.url())
        closing.push_async_callback(admin.close)
        file = folder / "migrated.db"
        await admin.execute(f"CREATE DATABASE {_TEMPLATE}")
        for url in (f"sqlite:///{file}", server.url(_TEMPLATE)):
            async with Database(url) as database:
                await prepare(database)
        yield Databases(file, server, admin)
