"""What is stored is written anew as the settings and the newest key say: sealed, or in the clear, or with another key.

Batch by batch in the order of the keys. Called again it begins anew, and finds most of it done.
"""

import logging
from collections.abc import Sequence

from sqlalchemy import Column, Row, Table, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.memory.database import Database
from core.memory.sealing import SealedBytes, SealedText, Sealing
from core.memory.tables import Base, SecretRow

logger = logging.getLogger(__name__)

_ROWS_AT_ONCE = 200


async def reseal(database: Database, sealing: Sealing) -> int:
    """How many rows were written. Raises StorageError; nothing is lost then, and what was written stays written."""
    rows = 0
    for table in Base.metadata.tables.values():
        columns = [column for column in table.c if isinstance(column.type, SealedText | SealedBytes)]
        if columns:
            rows += await _reseal_table(database, table, columns)
    rows += await _reseal_secrets(database, sealing)
    logger.info("resealed", extra={"action": "reseal", "rows": rows})
    return rows


async def _reseal_table(database: Database, table: Table, columns: Sequence[Column[object]]) -> int:
    """Each row is read and written in one transaction, so that nothing that is said meanwhile is lost."""
    key, rows, last = table.c.id, 0, 0
    while True:
        async with database.writing() as connection:
            some = select(key, *columns).where(key > last).order_by(key).limit(_ROWS_AT_ONCE)
            found = (await connection.execute(some.with_for_update())).all()
            if not found:
                return rows
            await _write(connection, table, columns, found)
        rows, last = rows + len(found), found[-1][0]


async def _write(
    connection: AsyncConnection, table: Table, columns: Sequence[Column[object]], rows: Sequence[Row[object]]
) -> None:
    """The types open what they read and seal what they write."""
    values = {column.name: bindparam(f"new_{column.name}", type_=column.type) for column in columns}
    change = update(table).where(table.c.id == bindparam("of", type_=table.c.id.type)).values(values)
    names = ["of", *(f"new_{column.name}" for column in columns)]
    await connection.execute(change, [dict(zip(names, row, strict=True)) for row in rows])


async def _reseal_secrets(database: Database, sealing: Sealing) -> int:
    async with database.writing() as connection:
        rows = (await connection.execute(select(SecretRow.name, SecretRow.sealed).with_for_update())).all()
        for row in rows:
            sealed = sealing.seal_secret(row.name, sealing.open_secret(row.name, row.sealed))
            await connection.execute(update(SecretRow).where(SecretRow.name == row.name).values(sealed=sealed))
    return len(rows)
