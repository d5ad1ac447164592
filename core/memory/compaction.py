"""What was deleted is gone from the disk too, and not only from the tables.

SQLite leaves deleted bytes in free pages, in its full-text index until segments are merged, and in its write-ahead log;
PostgreSQL in dead rows, and in what its planner remembers of columns. All of it is written anew here, without them.
That takes as long as a copy of the database, and PostgreSQL locks one table after another meanwhile.
"""

import asyncio
import logging
import time

from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from core.errors import DatabaseAway
from core.memory.database import Database
from core.memory.tables import Base

logger = logging.getLogger(__name__)

_LOCK_TIMEOUT_S = 30.0
_RETRY_S = 0.1
#: "insufficient_privilege"
_NOT_ALLOWED = "42501"


async def compact(database: Database) -> None:
    """Raises StorageError; DatabaseAway where other programs use it too much for that."""
    async with database.compacting(_LOCK_TIMEOUT_S) as connection:
        if database.address.file is not None:
            await _compact_sqlite(connection, database.address.place)
        else:
            await _compact_postgresql(connection)
    logger.info("compacted", extra={"action": "compact"})


async def _compact_sqlite(connection: AsyncConnection, place: str) -> None:
    indexes = text("SELECT name FROM sqlite_master WHERE type = 'table' AND lower(sql) LIKE '%using fts5%'")
    for name in (await connection.scalars(indexes)).all():
        await connection.exec_driver_sql(f'INSERT INTO "{name}" ("{name}") VALUES (\'optimize\')')  # noqa: S608 - a table
    await connection.exec_driver_sql("VACUUM")
    give_up_at = time.monotonic() + _LOCK_TIMEOUT_S
    while (await connection.exec_driver_sql("PRAGMA wal_checkpoint(TRUNCATE)")).one()[0]:
        if time.monotonic() >= give_up_at:
            raise DatabaseAway(f"{place} is read by other programs all the time; close them and try again")
        await asyncio.sleep(_RETRY_S)


async def _compact_postgresql(connection: AsyncConnection) -> None:
    """The statistics are the planner's: they quote columns, and are made anew first."""
    await connection.exec_driver_sql(f"SET lock_timeout = '{_LOCK_TIMEOUT_S:.0f}s'")
    for name in Base.metadata.tables:
        await connection.exec_driver_sql(f'VACUUM (FULL, ANALYZE) "{name}"')
    for order in ("VACUUM FULL pg_statistic", "CHECKPOINT"):
        try:
            await connection.exec_driver_sql(order)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) != _NOT_ALLOWED:
                raise
            logger.warning("this user may not order %s; the server's owner may", order, extra={"action": "compact"})
