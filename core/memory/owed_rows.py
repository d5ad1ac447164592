"""Replies that are owed, and their parts, as rows: how they are written and read again."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache

from sqlalchemy import Insert, bindparam, select, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningInsert

from core.dialogue import TurnState
from core.memory.database import Database, Inserting
from core.memory.leased import WaitingMessage
from core.memory.owed import Begun, Delivery, SentPart
from core.memory.sessions import find_session
from core.memory.tables import DeliveryRow, Id, PartRow, SessionRow, TurnRow
from core.memory.turns import TURN, pack_ids, storable, turn_of, unpack_ids


def _delivery_row(inbox_id: int, delivery: Delivery) -> dict[str, object]:
    return {
        "inbox_id": inbox_id,
        "token": delivery.token,
        "state": delivery.state,
        "ends_as": delivery.ends_as.value,
        "continues_id": delivery.continues_id,
        "created_at": datetime.now(UTC),
        "text": storable(delivery.text),
        "footnote": storable(delivery.footnote),
    }


async def owe(
    database: Database, connection: AsyncConnection, owed: Sequence[tuple[WaitingMessage, Delivery]]
) -> list[Delivery]:
    """The deliveries with their numbers. One that is owed already says the new text, under its own token."""
    rows = [_delivery_row(message.id, delivery) for message, delivery in owed]
    known = {row.inbox_id: row for row in await connection.execute(_new_deliveries(database.insert), rows)}
    return [replace(delivery, id=known[message.id].id, token=known[message.id].token) for message, delivery in owed]


@cache
def _new_deliveries(insert: Inserting) -> ReturningInsert[int, int, str]:
    new = insert(DeliveryRow)
    said = {name: new.excluded[name] for name in ("state", "ends_as", "text", "footnote")}
    changed = new.on_conflict_do_update(index_elements=["inbox_id"], set_=said)
    return changed.returning(DeliveryRow.id, DeliveryRow.inbox_id, DeliveryRow.token)


async def find_begun(connection: AsyncConnection, inbox_id: int, turn_id: int | None) -> Begun | None:
    """What is owed to a message already."""
    row = (await connection.execute(select(DeliveryRow.__table__).where(DeliveryRow.inbox_id == inbox_id))).first()
    if row is None:
        return None
    parts = await connection.execute(
        select(PartRow.__table__).where(PartRow.delivery_id == row.id).order_by(PartRow.part)
    )
    delivery = Delivery(
        id=row.id,
        token=row.token,
        state=row.state,
        ends_as=TurnState(row.ends_as),
        turn_id=row.turn_id,
        continues_id=row.continues_id,
        text=row.text,
        token_ids=unpack_ids(row.token_ids) if row.token_ids else (),
        footnote=row.footnote,
        seed=row.seed,
        parts=tuple(SentPart(part.part, part.handle, part.end, part.closed) for part in parts),
    )
    if turn_id is None:
        return Begun(delivery)
    turn = (await connection.execute(select(*TURN, TurnRow.session_id).where(TurnRow.id == turn_id))).one()
    session = await find_session(connection, SessionRow.id == turn.session_id)
    continued = (await connection.execute(select(*TURN).where(TurnRow.id == row.continues_id))).first()
    return Begun(delivery, session, turn_of(*turn[:-1]), None if continued is None else turn_of(*continued))


async def write_deliveries(database: Database, connection: AsyncConnection, deliveries: Sequence[Delivery]) -> None:
    rows = [
        {
            "of": one.id,
            "new_state": one.state,
            "new_text": storable(one.text),
            "new_token_ids": pack_ids(one.token_ids) if one.token_ids else None,
            "new_seed": one.seed,
            "new_turn_id": one.turn_id,
        }
        for one in deliveries
    ]
    await connection.execute(_WRITE_DELIVERY, rows)
    await write_parts(database, connection, deliveries)


_WRITE_DELIVERY = (
    update(DeliveryRow)
    .where(DeliveryRow.id == bindparam("of", type_=Id))
    .values(
        {
            name: bindparam(f"new_{name}", type_=DeliveryRow.__table__.c[name].type)
            for name in ("state", "text", "token_ids", "seed", "turn_id")
        }
    )
)


async def write_parts(database: Database, connection: AsyncConnection, deliveries: Iterable[Delivery]) -> None:
    rows = [
        {"delivery_id": one.id, "part": part.part, "handle": part.handle, "end": part.end, "closed": part.is_closed}
        for one in deliveries
        for part in one.parts
    ]
    if rows:
        await connection.execute(_new_parts(database.insert), rows)


@cache
def _new_parts(insert: Inserting) -> Insert:
    new = insert(PartRow)
    said = {name: new.excluded[name] for name in ("handle", "end", "closed")}
    return new.on_conflict_do_update(index_elements=["delivery_id", "part"], set_=said)
