"""How connections to SQLite and PostgreSQL are made. Every wait on them has a deadline.

SQLite: `isolation_level=None` takes the transactions out of the driver's hands, which would begin one at the first
INSERT and none for a CREATE TABLE (https://docs.sqlalchemy.org/en/20/dialects/sqlite.html, "Serializable isolation").
A transaction that writes takes the write lock at once: one that read first and then finds another writer before it
could only be given up, and no busy timeout helps it (https://sqlite.org/lang_transaction.html).
"""

from dataclasses import dataclass
from typing import Literal, Protocol

from sqlalchemy import Connection, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry, PoolProxiedConnection

from core.memory.address import Address

#: `full` survives a power cut; `normal` may lose the last transactions to one, never the database.
Synchronous = Literal["full", "normal"]

_BEGIN = "sqlite_begin"


@dataclass(frozen=True, slots=True)
class Timeouts:
    connect_s: float = 10.0
    #: For another program's write lock (SQLite).
    locked_s: float = 5.0
    #: For one statement (PostgreSQL).
    statement_s: float = 30.0
    #: For a connection of the pool.
    pool_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Connections:
    """One pool with two doors."""

    #: Each statement is a transaction of its own.
    reader: AsyncEngine
    #: Begins a transaction that may write.
    writer: AsyncEngine

    async def aclose(self) -> None:
        await self.reader.dispose()


def open_connections(address: Address, synchronous: Synchronous, timeouts: Timeouts, size: int) -> Connections:
    """Nothing is connected yet."""
    if address.file is not None:
        return _sqlite(address, synchronous, timeouts, size)
    return _postgresql(address, timeouts, size)


def _sqlite(address: Address, synchronous: Synchronous, timeouts: Timeouts, size: int) -> Connections:
    engine = create_async_engine(
        address.url,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=size,
        max_overflow=0,
        pool_timeout=timeouts.pool_s,
        connect_args={"isolation_level": None, "timeout": timeouts.locked_s},
    )
    pragmas = ("foreign_keys = ON", f"synchronous = {synchronous}", "journal_mode = WAL")

    def configure(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    event.listen(engine.sync_engine, "connect", configure)
    event.listen(engine.sync_engine, "begin", _begin)
    return Connections(reader=engine, writer=engine.execution_options(**{_BEGIN: "BEGIN IMMEDIATE"}))


def _begin(connection: Connection) -> None:
    statement = connection.get_execution_options().get(_BEGIN)
    if isinstance(statement, str):
        connection.exec_driver_sql(statement)


def _postgresql(address: Address, timeouts: Timeouts, size: int) -> Connections:
    engine = create_async_engine(
        address.url,
        pool_size=size,
        max_overflow=0,
        pool_timeout=timeouts.pool_s,
        connect_args={
            "timeout": timeouts.connect_s,
            "command_timeout": timeouts.statement_s,
            "server_settings": {"application_name": "banter"},
        },
    )
    event.listen(engine.sync_engine, "checkout", _refuse_closed)
    return Connections(reader=engine.execution_options(isolation_level="AUTOCOMMIT"), writer=engine)


class _Closable(Protocol):
    def is_closed(self) -> bool: ...


def _refuse_closed(_connection: DBAPIConnection, entry: ConnectionPoolEntry, _proxy: PoolProxiedConnection) -> None:
    """The pool connects anew where the server has gone away meanwhile, without asking it each time."""
    connection: _Closable | None = entry.driver_connection
    if connection is not None and connection.is_closed():
        raise DisconnectionError
