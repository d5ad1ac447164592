"""Who answers where: a place is leased to one process at a time, and everything it writes names the lease's epoch.

The clock is the database's where it has one, so that processes on several machines agree on what has expired.
"""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    ColumnElement,
    RowMapping,
    and_,
    bindparam,
    case,
    func,
    literal,
    or_,
    select,
    true,
    tuple_,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from core.dialogue import Inbound, Platform, TurnState
from core.errors import LeaseLost
from core.memory.database import Database
from core.memory.grouped import GroupedWrites
from core.memory.inbound_json import load
from core.memory.tables import DEAD, OPEN_STATES, InboxRow, LeaseRow

#: Of one place, at once; a burst is at most so long.
_MESSAGES_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class Lease:
    place: str
    owner: str
    epoch: int
    #: By `time.monotonic`; nothing is sent after it.
    until: float

    @property
    def left_s(self) -> float:
        return self.until - time.monotonic()


@dataclass(frozen=True, slots=True)
class WaitingMessage:
    """An event that is owed an answer."""

    id: int
    state: TurnState
    attempts: int
    accepted_at: datetime
    not_before: datetime
    #: The person's turn, once it was begun.
    turn_id: int | None
    inbound: Inbound
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Work:
    """A place that is leased, and the oldest of what waits there."""

    lease: Lease
    messages: tuple[WaitingMessage, ...]


@dataclass(frozen=True, slots=True)
class _Take:
    owner: str
    limit: int
    lease_s: float
    served: tuple[str, ...]
    accounts: tuple[tuple[str, str], ...] | None


@dataclass(frozen=True, slots=True)
class _Renew:
    leases: tuple[Lease, ...]
    lease_s: float


class Leases:
    """Those of one process."""

    def __init__(
        self,
        database: Database,
        writes: GroupedWrites,
        owner: str,
        lease_s: float,
        accounts: Iterable[tuple[Platform, str]] | None = None,
    ) -> None:
        """`accounts` are those that this process can send from; None are all."""
        self._database = database
        self._writes = writes
        self.owner = owner
        self.lease_s = lease_s
        self._accounts = None if accounts is None else tuple((one.value, bot) for one, bot in accounts)

    async def take(self, limit: int, served: Iterable[str] = ()) -> tuple[Work, ...]:
        """Leases at most `limit` places where something waits and nobody is; those with the oldest messages first.

        `served` are places at which this process still answers. A lease of its own that expired there is renewed when
        it is needed: to take it again would end the reply.
        """
        return await self._writes.write(_take, _Take(self.owner, limit, self.lease_s, tuple(served), self._accounts))

    async def renew(self, leases: Sequence[Lease]) -> tuple[Lease, ...]:
        """Those that are still this process' own, for another while; others answer at the rest."""
        if not leases:
            return ()
        return await self._writes.write(_renew, _Renew(tuple(leases), self.lease_s))

    async def release(self, lease: Lease) -> None:
        """Whoever takes the place next goes on with what is open there."""
        await self._writes.write(_release, lease)

    async def urgent(self, leases: Sequence[Lease]) -> tuple[tuple[str, WaitingMessage], ...]:
        """What does not wait for the replies at these places, with its place; oldest first."""
        if not leases:
            return ()
        places, is_due = [lease.place for lease in leases], InboxRow.not_before <= _now(self._database)
        asked = select(*_COLUMNS).where(_is_open(), InboxRow.urgent, is_due, InboxRow.place.in_(places))
        async with self._database.reading() as connection:
            rows = (await connection.execute(asked.order_by(InboxRow.id))).mappings().all()
        found = ((row["place"], _message(row)) for row in rows)
        return tuple((place, message) for place, message in found if isinstance(message, WaitingMessage))


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


async def check(connection: AsyncConnection, leases: Sequence[Lease]) -> dict[Lease, LeaseLost | None]:
    """Lease → what its holder is told. Nobody else takes the good ones before the transaction ends."""
    places = sorted({lease.place for lease in leases})
    asked = select(LeaseRow.place, LeaseRow.owner, LeaseRow.epoch).where(LeaseRow.place.in_(places))
    rows = await connection.execute(asked.order_by(LeaseRow.place).with_for_update(key_share=True))
    held = {(row.place, row.owner, row.epoch) for row in rows}
    lost = LeaseLost("another process answers there by now")
    return {lease: None if (lease.place, lease.owner, lease.epoch) in held else lost for lease in leases}


async def _take(database: Database, connection: AsyncConnection, asked: Sequence[_Take]) -> list[tuple[Work, ...]]:
    return [await _take_one(database, connection, take) for take in asked]


async def _take_one(database: Database, connection: AsyncConnection, take: _Take) -> tuple[Work, ...]:
    until, now = time.monotonic() + take.lease_s, _now(database)
    is_served = and_(LeaseRow.owner == take.owner, LeaseRow.place.in_(take.served))
    is_urgent = and_(InboxRow.urgent, InboxRow.not_before <= now)
    waiting = (
        select(
            InboxRow.place,
            func.min(InboxRow.id).label("oldest"),
            func.min(case((InboxRow.urgent.is_(False), InboxRow.id))).label("first"),
            func.max(case((is_urgent, 1), else_=0)).label("is_urgent"),
        )
        .where(_is_open(), _is_of(take.accounts))
        .group_by(InboxRow.place)
        .subquery()
    )
    free = (
        select(LeaseRow.place)
        .join(waiting, waiting.c.place == LeaseRow.place)
        .join(InboxRow, InboxRow.id == waiting.c.first, isouter=True)
        .where(or_(InboxRow.not_before <= now, waiting.c.is_urgent == 1))
        .where(or_(LeaseRow.owner == "", and_(LeaseRow.expires_at < now, ~is_served)), LeaseRow.paused == "")
        .order_by(waiting.c.oldest)
        .limit(take.limit)
        .with_for_update(skip_locked=True, of=LeaseRow)
    )
    places = (await connection.scalars(free)).all()
    if not places:
        return ()
    taken = (
        update(LeaseRow)
        .where(LeaseRow.place.in_(places))
        .values(owner=take.owner, epoch=LeaseRow.epoch + 1, expires_at=later(database, take.lease_s))
        .returning(LeaseRow.place, LeaseRow.epoch)
    )
    epochs = {row.place: row.epoch for row in await connection.execute(taken)}
    leases = [Lease(place, take.owner, epochs[place], until) for place in places]
    return tuple(work for work in await next_of(database, connection, leases) if work is not None)


async def _renew(database: Database, connection: AsyncConnection, asked: Sequence[_Renew]) -> list[tuple[Lease, ...]]:
    renewed = []
    for one in asked:
        until = time.monotonic() + one.lease_s
        good = [lease for lease, lost in (await check(connection, one.leases)).items() if lost is None]
        longer = update(LeaseRow).where(LeaseRow.place.in_([lease.place for lease in good]))
        await connection.execute(longer.values(expires_at=later(database, one.lease_s)))
        renewed.append(tuple(replace(lease, until=until) for lease in good))
    return renewed


async def next_work(
    database: Database, connection: AsyncConnection, leases: Sequence[Lease]
) -> list[Work | LeaseLost | None]:
    lost = await check(connection, leases)
    found = iter(await next_of(database, connection, [lease for lease in leases if lost[lease] is None]))
    return [lost[lease] or next(found) for lease in leases]


async def next_of(database: Database, connection: AsyncConnection, leases: Sequence[Lease]) -> list[Work | None]:
    """What waits at places that were checked; where nothing does, the lease is given back."""
    if not leases:
        return []
    messages = await _oldest(database, connection, [lease.place for lease in leases])
    await _free(connection, [lease.place for lease in leases if lease.place not in messages])
    return [Work(lease, messages[lease.place]) if lease.place in messages else None for lease in leases]


async def _release(_database: Database, connection: AsyncConnection, leases: Sequence[Lease]) -> list[LeaseLost | None]:
    lost = await check(connection, leases)
    await _free(connection, [lease.place for lease in leases if lost[lease] is None])
    return [None for _ in leases]


async def _free(connection: AsyncConnection, places: Sequence[str]) -> None:
    if places:
        await connection.execute(update(LeaseRow).where(LeaseRow.place.in_(places)).values(owner=""))


async def _oldest(
    database: Database, connection: AsyncConnection, places: Sequence[str]
) -> dict[str, tuple[WaitingMessage, ...]]:
    """The first open events of each place that are due, in their order; no entry where none is.

    What the same person says next is among them before it is due, so that a burst is seen whole.
    """
    number = func.row_number().over(partition_by=InboxRow.place, order_by=InboxRow.id).label("number")
    is_due = (InboxRow.not_before <= _now(database)).label("is_due")
    numbered = select(*_COLUMNS, number, is_due).where(_is_open(), InboxRow.place.in_(places)).subquery()
    first = select(numbered).where(or_(numbered.c.number <= _MESSAGES_AT_ONCE, numbered.c.urgent))
    rows: dict[str, list[RowMapping]] = {}
    for row in (await connection.execute(first.order_by(numbered.c.id))).mappings():
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


def _is_of(accounts: Sequence[tuple[str, str]] | None) -> ColumnElement[bool]:
    return true() if accounts is None else tuple_(InboxRow.platform, InboxRow.bot).in_(accounts)


def _is_open() -> ColumnElement[bool]:
    """Spelled as the partial index is, which is used only then. What was joined to a burst is answered with it."""
    states = [literal(state, literal_execute=True) for state in OPEN_STATES]
    return and_(InboxRow.state.in_(states), InboxRow.joined_id.is_(None))


def _now(database: Database) -> ColumnElement[datetime]:
    """The time of the database where it has a clock of its own."""
    if database.address.file is None:
        return func.clock_timestamp()
    return bindparam("now", datetime.now(UTC), type_=InboxRow.not_before.type)


def later(database: Database, seconds: float) -> ColumnElement[datetime]:
    if database.address.file is None:
        return func.clock_timestamp() + timedelta(seconds=seconds)
    return bindparam("later", datetime.now(UTC) + timedelta(seconds=seconds), type_=LeaseRow.expires_at.type)
