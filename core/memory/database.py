"""The database: connections to read and to write with, and clear words where it refuses.

It knows no table. Transactions are short: none is open while a model or a platform is waited for.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Self

from sqlalchemy import text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from core.memory.address import parse_address
from core.memory.connections import Connections, Synchronous, Timeouts, open_connections
from core.memory.failures import explained
from core.memory.tables import Base

_POOL_SIZE = 5
_MIGRATION_TIMEOUTS = Timeouts(locked_s=120.0, statement_s=3600.0)

#: One number for all programs that migrate: whoever holds it is alone.
_MIGRATION_LOCK = 5_462_883_721


class Database:
    """Opened once, shared by all tasks of the program."""

    def __init__(self, url: str, *, synchronous: Synchronous = "full", timeouts: Timeouts | None = None) -> None:
        """`url` as in config.toml. Raises SettingsError where it is none."""
        self.address = parse_address(url)
        self._synchronous = synchronous
        self._connections = self._connect(timeouts or Timeouts(), _POOL_SIZE)

    async def __aenter__(self) -> Self:
        if self.address.file is not None:
            with explained(self.address):
                _make_private(self.address.file)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._connections.aclose()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[AsyncConnection]:
        """Each statement sees the newest data. Raises StorageError."""
        with explained(self.address):
            async with self._connections.reader.connect() as connection:
                yield connection

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[AsyncConnection]:
        """One transaction; an error inside takes all of it back. Raises StorageError."""
        with explained(self.address):
            async with self._connections.writer.begin() as connection:
                yield connection

    @asynccontextmanager
    async def migrating(self) -> AsyncIterator[AsyncConnection]:
        """One transaction that may take long and that no other program's migration can run beside."""
        connections = self._connect(_MIGRATION_TIMEOUTS, 1)
        try:
            with explained(self.address):
                async with self._alone(connections) as connection:
                    yield connection
        finally:
            await connections.aclose()

    def insert(self, table: type[Base]) -> postgresql.Insert | sqlite.Insert:
        """An INSERT that knows ON CONFLICT."""
        return postgresql.insert(table) if self.address.file is None else sqlite.insert(table)

    def _connect(self, timeouts: Timeouts, size: int) -> Connections:
        return open_connections(self.address, self._synchronous, timeouts, size)

    @asynccontextmanager
    async def _alone(self, connections: Connections) -> AsyncIterator[AsyncConnection]:
        """A table of SQLite is changed by making it anew, which must not count as deleting what refers to it."""
        if self.address.file is not None:
            async with connections.reader.connect() as connection:
                await connection.execute(text("PRAGMA foreign_keys = OFF"))
        async with connections.writer.begin() as connection:
            if self.address.file is None:
                await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
            yield connection


def _make_private(file: Path) -> None:
    """Others can't read a new database. SQLite gives the files beside it the same mode."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not file.exists():
        file.touch(mode=0o600)
