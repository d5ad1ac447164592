"""The steps of a transaction that forgets: turns are cut out of their dialogue, and what hangs on them goes along.

What hangs on a row is read off the tables' foreign keys, so that a new table is forgotten as well: where the key may be
NULL the row stays without it, elsewhere the row goes. Locks are taken in the walk's order: leases, sessions, the rest.
"""

from collections.abc import Collection, Mapping, Sequence

from sqlalchemy import Column, ColumnElement, Table, and_, bindparam, case, delete, not_, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.dialogue import Role, TurnState
from core.memory.database import Database
from core.memory.sessions import lock_sessions
from core.memory.tables import OPEN_STATES, Base, DeliveryRow, FeedbackRow, Id, InboxRow, LeaseRow, SessionRow, TurnRow

#: What is in them is about one turn, and worth nothing without it.
_GOES_ALONG = (FeedbackRow.__table__,)


async def with_replies(connection: AsyncConnection, questions: Sequence[int]) -> list[int]:
    """People's turns, and what the assistant said to them."""
    found, newest = list(questions), list(questions)
    while newest:
        replies = select(TurnRow.id).where(TurnRow.parent_id.in_(newest), TurnRow.role == Role.ASSISTANT.value)
        newest = [turn_id for turn_id in await connection.scalars(replies) if turn_id not in found]
        found += newest
    return found


async def cut_turns(connection: AsyncConnection, ids: Sequence[int]) -> set[int]:
    """The turns are gone, with their events, deliveries and all; what followed them follows what they followed.

    Gives the sessions that they were in; what was made of their texts there is gone too.
    """
    await erase_events(connection, await _events_of_turns(connection, ids))
    told = select(TurnRow.id, TurnRow.parent_id, TurnRow.session_id).where(TurnRow.id.in_(ids))
    await lock_sessions(connection, {row.session_id for row in await connection.execute(told)})
    rows = (await connection.execute(told)).all()
    if not rows:
        return set()
    before = _surviving({row.id: row.parent_id for row in rows})
    moves = [{"old": row.id, "new": before[row.id], "session": row.session_id} for row in rows]
    old, new, session = (bindparam(name, type_=Id) for name in ("old", "new", "session"))
    at_head = update(SessionRow).where(SessionRow.id == session, SessionRow.head_turn_id == old)
    await connection.execute(at_head.values(head_turn_id=new), moves)
    following = update(TurnRow).where(TurnRow.parent_id == old).values(parent_id=new)
    await connection.execute(following, [{"old": move["old"], "new": move["new"]} for move in moves])
    sessions = {row.session_id for row in rows}
    await clear_summaries(connection, sessions)
    await _delete_deliveries(connection, DeliveryRow.turn_id.in_(ids))
    await delete_rows(connection, Base.metadata.tables["turns"], ids)
    return sessions


async def clear_summaries(connection: AsyncConnection, session_ids: Collection[int]) -> None:
    """What was made of a dialogue's texts."""
    cleared = update(SessionRow).where(SessionRow.id.in_(session_ids))
    await connection.execute(cleared.values(title="", summary=""))


async def erase_events(connection: AsyncConnection, ids: Sequence[int]) -> None:
    """Of the inbox' rows only the hashes stay. Whoever answers one of them now is stopped."""
    if not ids:
        return
    await _end_leases(connection, ids)
    await _delete_deliveries(connection, DeliveryRow.inbox_id.in_(ids))
    ended = case((InboxRow.state.in_(OPEN_STATES), TurnState.CANCELLED.value), else_=InboxRow.state)
    nothing: dict[str, object] = {"inbound": None, "raw": None, "turn_id": None}
    change = update(InboxRow).where(InboxRow.id.in_(ids))
    await connection.execute(change.values(nothing | {"state": ended, "person": "", "place": "", "reason": ""}))


async def drop_leases(database: Database, connection: AsyncConnection, which: ColumnElement[bool]) -> int:
    """Those that nobody holds, of places where nothing is owed: a place says who speaks there. How many they were.

    Where a message comes in at this moment its lease must not go, so nobody else writes leases meanwhile: this is a
    transaction of its own.
    """
    if database.address.file is None:
        await connection.execute(text("LOCK TABLE leases IN SHARE ROW EXCLUSIVE MODE"))
    is_owed = select(InboxRow.id).where(InboxRow.place == LeaseRow.place, InboxRow.state.in_(OPEN_STATES)).exists()
    return (await connection.execute(delete(LeaseRow).where(which, LeaseRow.owner == "", not_(is_owed)))).rowcount


def holds_something() -> ColumnElement[bool]:
    """Of an inbox' row."""
    return or_(InboxRow.inbound.is_not(None), InboxRow.raw.is_not(None))


def is_not_owed_at(place: str) -> ColumnElement[bool]:
    """Of an inbox' row: it is not one that is still to be answered at this place."""
    return not_(and_(InboxRow.place == place, InboxRow.state.in_(OPEN_STATES)))


async def delete_rows(connection: AsyncConnection, table: Table, ids: Sequence[int]) -> None:
    """With everything that can't stand without them."""
    for column in _hanging_on(table):
        await _let_go(connection, column, ids)
    await connection.execute(delete(table).where(table.c.id.in_(ids)))


async def _let_go(connection: AsyncConnection, column: Column[object], ids: Sequence[int]) -> None:
    table, hangs = Base.metadata.tables[column.table.fullname], column.in_(ids)
    if column.nullable and table not in _GOES_ALONG:
        await connection.execute(update(table).where(hangs).values({column.name: None}))
    elif _hanging_on(table):
        await delete_rows(connection, table, (await connection.scalars(select(table.c.id).where(hangs))).all())
    else:
        await connection.execute(delete(table).where(hangs))


def _hanging_on(table: Table) -> list[Column[object]]:
    keys = (key for other in Base.metadata.tables.values() for key in other.foreign_keys)
    return [key.parent for key in keys if key.column.table is table]


async def _events_of_turns(connection: AsyncConnection, ids: Sequence[int]) -> list[int]:
    """Also those of a burst that were answered together with another one."""
    first = select(InboxRow.id).where(InboxRow.turn_id.in_(ids))
    either = or_(InboxRow.turn_id.in_(ids), InboxRow.joined_id.in_(first))
    return list((await connection.scalars(select(InboxRow.id).where(either))).all())


async def _end_leases(connection: AsyncConnection, inbox_ids: Sequence[int]) -> None:
    """Where one of them is still owed an answer: what its holder writes from now on is refused."""
    owed = select(InboxRow.place).where(InboxRow.id.in_(inbox_ids), InboxRow.state.in_(OPEN_STATES))
    locked = select(LeaseRow.place).where(LeaseRow.place.in_(owed)).order_by(LeaseRow.place).with_for_update()
    places = (await connection.scalars(locked)).all()
    if places:
        ended = update(LeaseRow).where(LeaseRow.place.in_(places))
        await connection.execute(ended.values(epoch=LeaseRow.epoch + 1, owner=""))


async def _delete_deliveries(connection: AsyncConnection, which: ColumnElement[bool]) -> None:
    ids = (await connection.scalars(select(DeliveryRow.id).where(which))).all()
    if ids:
        await delete_rows(connection, Base.metadata.tables["deliveries"], ids)


def _surviving(parents: Mapping[int, int | None]) -> dict[int, int | None]:
    """Turn that goes → the nearest one above it that stays."""
    found = {}
    for turn_id in parents:
        above = parents[turn_id]
        while above is not None and above in parents:
            above = parents[above]
        found[turn_id] = above
    return found
