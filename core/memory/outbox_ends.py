"""How messages end: delivered, failed, put off. What follows at their place is read in the same transaction."""

from collections.abc import Sequence

from sqlalchemy import bindparam, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.dialogue import InboundMessage, TurnState
from core.memory.database import Database
from core.memory.leased import Work
from core.memory.lists import is_among
from core.memory.outbox_writes import set_state, under_lease
from core.memory.owed import DELIVERED, FAILED, Ended, Settled
from core.memory.owed_rows import write_parts
from core.memory.recording import claim_messages, message_row
from core.memory.redrawn import take_places
from core.memory.tables import DeliveryRow, InboxRow, LeaseRow, TurnRow
from core.memory.turns import storable
from core.memory.waiting import later, next_of, times


@under_lease
async def settle(database: Database, connection: AsyncConnection, items: Sequence[Settled]) -> list[Work | None]:
    await _settle(database, connection, items)
    return await next_of(database, connection, [item.lease for item in items])


@under_lease
async def settle_beside(database: Database, connection: AsyncConnection, items: Sequence[Settled]) -> list[None]:
    await _settle(database, connection, items)
    return [None for _ in items]


async def _settle(database: Database, connection: AsyncConnection, items: Sequence[Settled]) -> None:
    await write_parts(database, connection, [item.delivery for item in items])
    await connection.execute(_DELIVERED, {"ids": [item.delivery.id for item in items]})
    sent = [
        message_row(item.message.inbound.session_key, part.handle, item.delivery.turn_id, "out", part.part)
        for item in items
        for part in item.delivery.parts
        if part.handle is not None and item.delivery.turn_id is not None
    ]
    await take_places(connection, [item for item in items if not isinstance(item.message.inbound, InboundMessage)])
    await claim_messages(database, connection, sent)
    for state in dict.fromkeys(item.delivery.ends_as for item in items):
        of_state = [item.message for item in items if item.delivery.ends_as is state]
        await set_state(connection, (message.id for message in of_state), state, with_joined=True)
        await _set_question_state(connection, [message.id for message in of_state], state)


@under_lease
async def end(database: Database, connection: AsyncConnection, items: Sequence[Ended]) -> list[Work | None]:
    """Rare: one by one."""
    for item in items:
        await _end_one(database, connection, item)
    going_on = [item.lease for item in items if not item.pauses_place]
    found = iter(await next_of(database, connection, going_on))
    return [None if item.pauses_place else next(found) for item in items]


async def _end_one(database: Database, connection: AsyncConnection, item: Ended) -> None:
    if item.state is TurnState.WAITING:
        put_off = {
            "not_before": later(database.knows_notify),
            "attempts": item.message.attempts + 1,
            "reason": storable(item.reason),
        }
        again = update(InboxRow).where(InboxRow.id == item.message.id).values(put_off)
        await connection.execute(again, times(database, item.pause_s))
    else:
        is_it = or_(InboxRow.id == item.message.id, InboxRow.joined_id == item.message.id)
        ended = {"state": item.state.value, "reason": storable(item.reason), "raw": None}
        await connection.execute(update(InboxRow).where(is_it).values(ended))
        owed = update(DeliveryRow).where(DeliveryRow.inbox_id == item.message.id, DeliveryRow.state != DELIVERED)
        await connection.execute(owed.values(state=FAILED))
        await _set_question_state(connection, [item.message.id], item.state)
    if item.pauses_place:
        place = update(LeaseRow).where(LeaseRow.place == item.lease.place)
        await connection.execute(place.values(paused=storable(item.reason), owner=""))


@under_lease
async def close(database: Database, connection: AsyncConnection, items: Sequence[Ended]) -> list[None]:
    """Of events that are taken care of beside the reply that they are about. Rare: one by one."""
    for item in items:
        await _end_one(database, connection, item)
    return [None for _ in items]


async def _set_question_state(connection: AsyncConnection, inbox_ids: Sequence[int], state: TurnState) -> None:
    await connection.execute(_SET_QUESTION_STATE, {"ids": inbox_ids, "new_state": state.value})


_DELIVERED = update(DeliveryRow).where(is_among(DeliveryRow.id, "ids")).values(state=DELIVERED)
_SET_QUESTION_STATE = (
    update(TurnRow)
    .where(TurnRow.id.in_(select(InboxRow.turn_id).where(is_among(InboxRow.id, "ids"))))
    .values(state=bindparam("new_state"))
)
