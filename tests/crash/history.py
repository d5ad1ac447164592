"""All that the database knows of a message."""

from collections.abc import AsyncIterator, Mapping

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from core.memory.database import Database
from core.memory.tables import DeliveryRow, InboxRow, LeaseRow, PartRow


async def history(database: Database, text: str) -> list[str]:
    """Inbox, lease, delivery and parts of the message that says this."""
    lines: list[str] = []
    async with database.reading() as connection:
        for row in (await connection.execute(select(InboxRow.__table__))).mappings().all():
            if row["inbound"] is not None and text in row["inbound"]:
                lines += [line async for line in _told(connection, dict(row))]
    return lines


async def _told(connection: AsyncConnection, row: Mapping[str, object]) -> AsyncIterator[str]:
    yield f"  inbox      {_short(row)}"
    leases = select(LeaseRow.__table__).where(LeaseRow.place == row["place"])
    for lease in (await connection.execute(leases)).mappings().all():
        yield f"  lease      {_short(dict(lease))}"
    owed = select(DeliveryRow.__table__).where(DeliveryRow.inbox_id == row["id"])
    for delivery in (await connection.execute(owed)).mappings().all():
        yield f"  delivery   {_short(dict(delivery))}"
        parts = select(PartRow.__table__).where(PartRow.delivery_id == delivery["id"]).order_by(PartRow.part)
        for part in (await connection.execute(parts)).mappings().all():
            yield f"  part       {_short(dict(part))}"


def _short(row: Mapping[str, object]) -> str:
    return ", ".join(f"{name}={value!r:.80}" for name, value in row.items() if name not in ("raw", "event_key"))
