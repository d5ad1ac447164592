"""Who answers where: a place is leased to one process at a time, and everything it writes names the lease's epoch.

The clock is the database's where it has one, so that processes on several machines agree on what has expired.
"""

import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import cache

from sqlalchemy import Integer, Select, and_, bindparam, case, func, or_, select, true, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.sql.dml import ReturningUpdate

from core.dialogue import Platform
from core.errors import LeaseLost
from core.memory.database import Database
from core.memory.grouped import GroupedWrites
from core.memory.leased import Lease, WaitingMessage, Work, holder_of, leaving
from core.memory.lists import is_among
from core.memory.tables import InboxRow, LeaseRow
from core.memory.waiting import free, is_open, is_owed, later, next_of, now, times, urgent_at


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
        """Whoever takes the place next goes on with what is open there, or where it has moved to.

        Nothing is sent any more under the lease.
        """
        await self._writes.write(_release, lease)

    async def others(self) -> frozenset[str]:
        """Who else holds places where something is owed."""
        async with self._database.reading() as connection:
            owners = await connection.scalars(_OTHERS, {"owner": self.owner})
            return frozenset(owner for owner in owners if holder_of(owner) != self.owner)

    async def free_those_of(self, owners: Collection[str]) -> int:
        """Before they expire, the places of owners that are known to be gone; how many there were."""
        async with self._database.writing() as connection:
            freed = await connection.execute(update(LeaseRow).where(LeaseRow.owner.in_(owners)).values(owner=""))
            return freed.rowcount

    async def urgent(self, leases: Sequence[Lease]) -> tuple[tuple[str, WaitingMessage], ...]:
        """What does not wait for the replies at these places, with its place; oldest first."""
        if not leases:
            return ()
        places = [lease.place for lease in leases]
        return await self._database.read(lambda connection: urgent_at(self._database, connection, places))


_OTHERS = (
    select(LeaseRow.owner)
    .where(LeaseRow.owner.not_in(("", bindparam("owner"))), LeaseRow.place.in_(select(InboxRow.place).where(is_owed())))
    .distinct()
)

_HELD = (
    select(LeaseRow.place, LeaseRow.owner, LeaseRow.epoch)
    .where(is_among(LeaseRow.place, "places"))
    .order_by(LeaseRow.place)
    .with_for_update(key_share=True)
)


async def check(connection: AsyncConnection, leases: Sequence[Lease]) -> dict[Lease, LeaseLost | None]:
    """Lease → what its holder is told. Nobody else takes the good ones before the transaction ends."""
    places = sorted({lease.place for lease in leases})
    rows = await connection.execute(_HELD, {"places": places})
    held = {(row.place, row.owner, row.epoch) for row in rows}
    lost = LeaseLost("another process answers there by now")
    return {lease: None if (lease.place, lease.owner, lease.epoch) in held else lost for lease in leases}


async def _take(database: Database, connection: AsyncConnection, asked: Sequence[_Take]) -> list[tuple[Work, ...]]:
    return [await _take_one(database, connection, take) for take in asked]


async def _take_one(database: Database, connection: AsyncConnection, take: _Take) -> tuple[Work, ...]:
    until, moments = time.monotonic() + take.lease_s, times(database, take.lease_s)
    asked = {"owner": take.owner, "served": take.served, "limit": take.limit, "accounts": take.accounts or ()}
    statements = _taking(database.knows_notify, take.accounts is None)
    places = (await connection.scalars(statements.free, asked | moments)).all()
    if not places:
        return ()
    taken = await connection.execute(statements.take, {"places": places, "new_owner": take.owner} | moments)
    epochs = {row.place: row.epoch for row in taken}
    leases = [Lease(place, take.owner, epochs[place], until) for place in places]
    return tuple(work for work in await next_of(database, connection, leases) if work is not None)


@dataclass(frozen=True, slots=True)
class _Taking:
    #: Places where something is due and nobody answers.
    free: Select[str]
    #: Makes them this process'.
    take: ReturningUpdate[str, int]


@cache
def _taking(has_clock: bool, of_all: bool) -> _Taking:
    is_served = and_(LeaseRow.owner == bindparam("owner"), is_among(LeaseRow.place, "served"))
    is_urgent = and_(InboxRow.urgent, InboxRow.not_before <= now(has_clock))
    is_of = true() if of_all else tuple_(InboxRow.platform, InboxRow.bot).in_(bindparam("accounts", expanding=True))
    waiting = (
        select(
            InboxRow.place,
            func.min(InboxRow.id).label("oldest"),
            func.min(case((InboxRow.urgent.is_(False), InboxRow.id))).label("first"),
            func.max(case((is_urgent, 1), else_=0)).label("is_urgent"),
        )
        .where(is_open(), is_of)
        .group_by(InboxRow.place)
        .subquery()
    )
    unheld = (
        select(LeaseRow.place)
        .join(waiting, waiting.c.place == LeaseRow.place)
        .join(InboxRow, InboxRow.id == waiting.c.first, isouter=True)
        .where(or_(InboxRow.not_before <= now(has_clock), waiting.c.is_urgent == 1))
        .where(or_(LeaseRow.owner == "", and_(LeaseRow.expires_at < now(has_clock), ~is_served)), LeaseRow.paused == "")
        .order_by(waiting.c.oldest)
        .limit(bindparam("limit", type_=Integer))
        .with_for_update(skip_locked=True, of=LeaseRow)
    )
    taken = (
        update(LeaseRow)
        .where(is_among(LeaseRow.place, "places"))
        .values(owner=bindparam("new_owner"), epoch=LeaseRow.epoch + 1, expires_at=later(has_clock))
        .returning(LeaseRow.place, LeaseRow.epoch)
    )
    return _Taking(unheld, taken)


async def _renew(database: Database, connection: AsyncConnection, asked: Sequence[_Renew]) -> list[tuple[Lease, ...]]:
    renewed = []
    for one in asked:
        until = time.monotonic() + one.lease_s
        good = [lease for lease, lost in (await check(connection, one.leases)).items() if lost is None]
        longer = update(LeaseRow).where(LeaseRow.place.in_([lease.place for lease in good]))
        longer = longer.values(expires_at=later(database.knows_notify))
        await connection.execute(longer, times(database, one.lease_s))
        renewed.append(tuple(replace(lease, until=until) for lease in good))
    return renewed


async def next_work(
    database: Database, connection: AsyncConnection, leases: Sequence[Lease]
) -> list[Work | LeaseLost | None]:
    lost = await check(connection, leases)
    found = iter(await next_of(database, connection, [lease for lease in leases if lost[lease] is None]))
    return [lost[lease] or next(found) for lease in leases]


async def _release(_database: Database, connection: AsyncConnection, leases: Sequence[Lease]) -> list[LeaseLost | None]:
    lost = await check(connection, leases)
    await free(connection, [lease.place for lease in leases if lost[lease] is None])
    left = [leaving(lease.owner, lease.place) for lease in leases if lost[lease] is not None]
    if left:
        await connection.execute(update(LeaseRow).where(LeaseRow.owner.in_(left)).values(owner=""))
    return [None for _ in leases]
