"""How connections to SQLite and PostgreSQL are made. Every wait on them has a deadline.

SQLite: `isolation_level=None` takes the transactions out of the driver's hands, which would begin one at the first
INSERT and none for a CREATE TABLE (https://docs.sqlalchemy.org/en/20/dialects/sqlite.html, "Serializable isolation").
A transaction that writes takes the write lock at once: one that read first and then finds another writer before it
could only be given up, and no busy timeout helps it (https://sqlite.org/lang_transaction.html).
A file that can't be opened is found out before the driver begins a thread for it: the thread of a failed connection
may report to an event loop that is closed by then.
"""

import sqlite3
import time
from dataclasses import dataclass, replace
from typing import Literal, Protocol

from sqlalchemy import Connection, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, ConnectionPoolEntry, PoolProxiedConnection

from core.memory.address import Address
from core.memory.sqlite_thread import connect

#: `full` survives a power cut; `normal` may lose the last transactions to one, never the database.
Synchronous = Literal["full", "normal"]

_WAL_RETRY_S = 0.01
#: For one connection to PostgreSQL: a statement over a list is another one for each length of it.
_PREPARED_STATEMENTS = 500


@dataclass(frozen=True, slots=True)
class Access:
    """How a database is used."""

    synchronous: Synchronous = "full"
    pool_size: int = 5
    #: Without them SQLite can put a new table in an old one's place, as migrations do.
    foreign_keys: bool = True
    connect_timeout_s: float = 10.0
    #: For another program's write lock (SQLite).
    lock_timeout_s: float = 5.0
    #: For one statement (PostgreSQL).
    statement_timeout_s: float = 30.0
    #: For a connection of the pool.
    pool_timeout_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Connections:
    #: Each statement is a transaction of its own.
    reader: AsyncEngine
    #: Begins a transaction that may write.
    writer: AsyncEngine

    async def aclose(self) -> None:
        await self.reader.dispose()
        await self.writer.dispose()


def open_connections(address: Address, access: Access) -> Connections:
    """Nothing is connected yet."""
    return _postgresql(address, access) if address.file is None else _sqlite(address, access)


def _sqlite(address: Address, access: Access) -> Connections:
    """One connection writes: tasks of this program wait for it in their order, and only other programs for the lock."""
    reader = _sqlite_engine(address, access)
    writer = _sqlite_engine(address, replace(access, pool_size=1))
    event.listen(writer.sync_engine, "begin", _take_write_lock)
    return Connections(reader, writer)


def _sqlite_engine(address: Address, access: Access) -> AsyncEngine:
    engine = create_async_engine(
        address.url,
        poolclass=AsyncAdaptedQueuePool,
        pool_size=access.pool_size,
        max_overflow=0,
        pool_timeout=access.pool_timeout_s,
        connect_args={"isolation_level": None, "timeout": access.lock_timeout_s, "async_creator_fn": connect},
    )
    pragmas = (
        f"foreign_keys = {'ON' if access.foreign_keys else 'OFF'}",
        f"synchronous = {access.synchronous}",
        "secure_delete = ON",
        "journal_mode = WAL",
    )

    def prove(*_of_the_attempt: object) -> None:
        sqlite3.connect(address.url.database or "", timeout=access.lock_timeout_s).close()

    def configure(connection: DBAPIConnection, _entry: ConnectionPoolEntry) -> None:
        try:
            for pragma in pragmas:
                _set_pragma(connection, pragma, time.monotonic() + access.lock_timeout_s)
        except BaseException:
            connection.close()
            raise

    event.listen(engine.sync_engine, "do_connect", prove)
    event.listen(engine.sync_engine, "connect", configure)
    return engine


def _set_pragma(connection: DBAPIConnection, pragma: str, give_up_at: float) -> None:
    """The change to WAL is refused at once while another connection makes it: it does not wait for the lock."""
    while True:
        try:
            connection.cursor().execute(f"PRAGMA {pragma}")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or time.monotonic() >= give_up_at:
                raise
            time.sleep(_WAL_RETRY_S)
        else:
            return


def _take_write_lock(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")


def _postgresql(address: Address, access: Access) -> Connections:
    engine = create_async_engine(
        address.url,
        pool_size=access.pool_size,
        max_overflow=0,
        pool_timeout=access.pool_timeout_s,
        connect_args={
            "timeout": access.connect_timeout_s,
            "command_timeout": access.statement_timeout_s,
            "prepared_statement_cache_size": _PREPARED_STATEMENTS,
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
