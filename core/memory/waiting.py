"""What waits at places, as it is read from the inbox."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Interval,
    RowMapping,
    Select,
    and_,
    bindparam,
    func,
    literal,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from core.dialogue import TurnState
from core.memory.database import Database
from core.memory.inbound_json import load
from core.memory.leased import Lease, WaitingMessage, Work
from core.memory.lists import is_among
from core.memory.tables import DEAD, OPEN_STATES, InboxRow, LeaseRow

#: Of one place, at once; a burst is at most so long.
_MESSAGES_AT_ONCE = 16

_COLUMNS = (
    InboxRow.place,
    InboxRow.id,
    InboxRow.state,
    InboxRow.attempts,
    InboxRow.accepted_at,
    InboxRow.not_before,
    InboxRow.turn_id,
    InboxRow.kind,
    InboxRow.inbound,
    InboxRow.urgent,
)


_FREE = update(LeaseRow).where(is_among(LeaseRow.place, "places")).values(owner="")


def is_owed() -> ColumnElement[bool]:
    """Spelled as the partial index is, which is used only then."""
    return InboxRow.state.in_([literal(state, literal_execute=True) for state in OPEN_STATES])


def is_open() -> ColumnElement[bool]:
    """What was joined to a burst is answered with it."""
    return and_(is_owed(), InboxRow.joined_id.is_(None))


@cache
def _urgent(has_clock: bool) -> Select[*tuple[Any, ...]]:
    is_due = InboxRow.not_before <= now(has_clock)
    asked = select(*_COLUMNS).where(is_open(), InboxRow.urgent, is_due, is_among(InboxRow.place, "places"))
    return asked.order_by(InboxRow.id)


@cache
def _first(has_clock: bool) -> Select[*tuple[Any, ...]]:
    number = func.row_number().over(partition_by=InboxRow.place, order_by=InboxRow.id).label("number")
    is_due = (InboxRow.not_before <= now(has_clock)).label("is_due")
    numbered = select(*_COLUMNS, number, is_due).where(is_open(), is_among(InboxRow.place, "places")).subquery()
    first = select(numbered).where(or_(numbered.c.number <= _MESSAGES_AT_ONCE, numbered.c.urgent))
    return first.order_by(numbered.c.id)


async def urgent_at(
    database: Database, connection: AsyncConnection, places: Sequence[str]
) -> tuple[tuple[str, WaitingMessage], ...]:
    """What does not wait for the replies at these places, with its place; oldest first."""
    asked = {"places": places} | times(database)
    rows = (await connection.execute(_urgent(database.knows_notify), asked)).mappings()
    found = ((row["place"], _message(row)) for row in rows)
    return tuple((place, message) for place, message in found if isinstance(message, WaitingMessage))


async def next_of(database: Database, connection: AsyncConnection, leases: Sequence[Lease]) -> list[Work | None]:
    """What waits at places that were checked; where nothing does, the lease is given back."""
    if not leases:
        return []
    messages = await _oldest(database, connection, [lease.place for lease in leases])
    await free(connection, [lease.place for lease in leases if lease.place not in messages])
    return [Work(lease, messages[lease.place]) if lease.place in messages else None for lease in leases]


async def free(connection: AsyncConnection, places: Sequence[str]) -> None:
    if places:
        await connection.execute(_FREE, {"places": places})


async def _oldest(
    database: Database, connection: AsyncConnection, places: Sequence[str]
) -> dict[str, tuple[WaitingMessage, ...]]:
    """The first open events of each place that are due, in their order; no entry where none is.

    What the same person says next is among them before it is due, so that a burst is seen whole.
    """
    rows: dict[str, list[RowMapping]] = {}
    asked = {"places": places} | times(database)
    for row in (await connection.execute(_first(database.knows_notify), asked)).mappings():
        rows.setdefault(row["place"], []).append(row)
    read = {place: await _read(connection, _due(of_place)) for place, of_place in rows.items()}
    return {place: messages for place, messages in read.items() if messages}


def _due(rows: Sequence[RowMapping]) -> list[RowMapping]:
    """What is urgent is not waited with; all else waits with the first, which keeps the order."""
    ordinary = [row for row in rows if not row["urgent"]]
    is_due = bool(ordinary) and ordinary[0]["is_due"]
    return [row for row in rows if (row["is_due"] if row["urgent"] else is_due)]


async def _read(connection: AsyncConnection, rows: Sequence[RowMapping]) -> tuple[WaitingMessage, ...]:
    """What another version of this program wrote and this one can't read becomes a dead letter, and blocks nobody."""
    messages = []
    for row in rows:
        message = _message(row)
        if isinstance(message, WaitingMessage):
            messages.append(message)
        else:
            dead = update(InboxRow).where(InboxRow.id == row["id"])
            await connection.execute(dead.values(state=DEAD, reason=f"unreadable: {type(message).__name__}"))
    return tuple(messages)


def _message(row: RowMapping) -> WaitingMessage | ValueError:
    try:
        inbound = load(row["kind"], row["inbound"])
    except ValueError as error:
        return error
    return WaitingMessage(
        id=row["id"],
        state=TurnState(row["state"]),
        attempts=row["attempts"],
        accepted_at=row["accepted_at"],
        not_before=row["not_before"],
        turn_id=row["turn_id"],
        inbound=inbound,
        urgent=row["urgent"],
    )


def now(has_clock: bool) -> ColumnElement[datetime]:
    """The time of the database where it has a clock of its own; else one of `times`."""
    return func.clock_timestamp() if has_clock else bindparam("now", type_=InboxRow.not_before.type)


def later(has_clock: bool) -> ColumnElement[datetime]:
    """So long after `now` as `times` says."""
    if has_clock:
        return func.clock_timestamp() + bindparam("after", type_=Interval)
    return bindparam("later", type_=LeaseRow.expires_at.type)


def times(database: Database, after_s: float = 0.0) -> dict[str, object]:
    """The values of `now` and `later`."""
    moment, after = datetime.now(UTC), timedelta(seconds=after_s)
    return {"after": after} if database.knows_notify else {"now": moment, "later": moment + after}
