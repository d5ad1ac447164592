"""The database: connections to read and to write with, and clear words where it refuses.

It knows no table. Transactions are short: none is open while a model or a platform is waited for.
"""

from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from sqlalchemy import text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection

from core.errors import StorageError
from core.memory.address import parse_address
from core.memory.connections import Access, Connections, Synchronous, open_connections
from core.memory.failures import explained
from core.memory.sealing import Sealing, put_keys
from core.memory.sqlite_thread import ThreadConnection
from core.memory.tables import Base

#: One number for all programs that migrate: whoever holds it is alone.
_MIGRATION_LOCK = 5_462_883_721

_Result = TypeVar("_Result")
#: `sqlalchemy.dialects.….insert`: equal for equal kinds of databases, so that statements can be made once for each.
Inserting = Callable[[type[Base]], postgresql.Insert | sqlite.Insert]
#: Statements over a connection.
Work = Callable[[AsyncConnection], Coroutine[Any, Any, _Result]]


class Database:
    """Opened once, shared by all tasks of the program."""

    def __init__(
        self,
        url: str,
        *,
        synchronous: Synchronous = "full",
        access: Access | None = None,
        sealing: Sealing | None = None,
    ) -> None:
        """`url` as in config.toml. Raises SettingsError where it is none.

        Without `sealing` nothing is encrypted, and nothing that was can be read.
        """
        self.address = parse_address(url)
        self._access = replace(access or Access(), synchronous=synchronous)
        self._sealing = sealing
        self._connections = self._open(self._access)

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

    async def read(self, work: Work[_Result]) -> _Result:
        """As within `reading`, and quicker: `work` waits for nothing but its connection. Raises StorageError."""
        async with self.reading() as connection:
            return await _carry_out(connection, partial(work, connection))

    async def write(self, work: Work[_Result]) -> _Result:
        """As within `writing`, and quicker: `work` waits for nothing but its connection. Raises StorageError."""
        with explained(self.address):
            async with self._connections.writer.connect() as connection:
                return await _carry_out(connection, partial(_in_one_transaction, work, connection))

    @asynccontextmanager
    async def migrating(self) -> AsyncIterator[AsyncConnection]:
        """One transaction that may take long and that no other program's migration can run beside."""
        patient = replace(
            self._access, foreign_keys=False, pool_size=1, lock_timeout_s=120.0, statement_timeout_s=3600.0
        )
        connections = self._open(patient)
        try:
            with explained(self.address):
                async with self._alone(connections) as connection:
                    yield connection
        finally:
            await connections.aclose()

    @asynccontextmanager
    async def compacting(self, lock_timeout_s: float = 30.0) -> AsyncIterator[AsyncConnection]:
        """A connection of its own, each statement by itself, for work that takes long. Raises StorageError."""
        patient = replace(self._access, pool_size=1, lock_timeout_s=lock_timeout_s, statement_timeout_s=3600.0)
        connections = self._open(patient)
        try:
            with explained(self.address):
                async with connections.reader.connect() as connection:
                    yield connection
        finally:
            await connections.aclose()

    @property
    def seals_texts(self) -> bool:
        """Whether texts are encrypted: then the database can't search in them."""
        return self._sealing is not None and self._sealing.texts

    @property
    def knows_lateral(self) -> bool:
        return self.address.file is None

    @property
    def knows_notify(self) -> bool:
        """Whether other processes can be told (LISTEN and NOTIFY)."""
        return self.address.file is None

    @property
    def insert(self) -> Inserting:
        """Makes an INSERT that knows ON CONFLICT."""
        return postgresql.insert if self.address.file is None else sqlite.insert

    def _open(self, access: Access) -> Connections:
        connections = open_connections(self.address, access)
        for engine in (connections.reader, connections.writer):
            put_keys(engine, self._sealing)
        return connections

    @asynccontextmanager
    async def _alone(self, connections: Connections) -> AsyncIterator[AsyncConnection]:
        async with connections.writer.begin() as connection:
            if self.address.file is None:
                await connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _MIGRATION_LOCK})
            yield connection
            if self.address.file is not None and (await connection.execute(text("PRAGMA foreign_key_check"))).first():
                raise StorageError(f"{self.address.place} could not be migrated: rows would point to nothing")


async def _in_one_transaction(work: Work[_Result], connection: AsyncConnection) -> _Result:
    async with connection.begin():
        return await work(connection)


async def _carry_out(connection: AsyncConnection, work: Callable[[], Coroutine[Any, Any, _Result]]) -> _Result:
    """SQLite: in the thread that the connection has for itself."""
    driver = (await connection.get_raw_connection()).driver_connection
    return await (driver.carry_out(work) if isinstance(driver, ThreadConnection) else work())


def _make_private(file: Path) -> None:
    """Others can't read a new database. SQLite gives the files beside it the same mode."""
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not file.exists():
        file.touch(mode=0o600)
