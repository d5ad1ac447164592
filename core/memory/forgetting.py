"""Forgetting a person, on all their platforms, or a session.

What they said goes, with the replies to it and everything that was made of it; what others said stays, and their
dialogues go on without a gap. Of each event a keyed hash stays, so that nothing comes back when a platform delivers it
again. Whether the bytes are gone from the disk too is the business of `core.memory.compaction`.
"""

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import ColumnElement, and_, delete, func, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from core.dialogue import SessionKey
from core.errors import StorageError
from core.memory.database import Database
from core.memory.erasing import (
    clear_summaries,
    cut_turns,
    delete_rows,
    drop_leases,
    erase_events,
    holds_something,
    is_not_owed_at,
    with_replies,
)
from core.memory.identities import Human, Identity, find_human
from core.memory.places import key_of, place_of
from core.memory.sessions import Session, session_of_number
from core.memory.tables import DEAD, Base, InboxRow, LeaseRow, PairingRow, SessionRow, TurnRow, UsageRow

logger = logging.getLogger(__name__)

#: What one transaction cuts out: the walk goes on in between.
_TURNS_AT_ONCE = 100
_EVENTS_AT_ONCE = 500
_TRIES = 3
#: Quotas are by the day, and being forgotten is no way around them.
_QUOTA_WINDOW = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Erased:
    turns: int = 0
    #: Of the inbox.
    events: int = 0
    people: int = 0
    #: That something was cut out of; also those that are gone.
    sessions: frozenset[int] = frozenset()

    def __add__(self, more: "Erased") -> "Erased":
        return Erased(
            self.turns + more.turns,
            self.events + more.events,
            self.people + more.people,
            self.sessions | more.sessions,
        )


class Forgetting:
    """In many short transactions, so that others are answered meanwhile. Called again it goes on where it was ended."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def person(self, identity: Identity) -> Erased:
        """Raises StorageError."""
        async with self._database.reading() as connection:
            human = await find_human(connection, identity)
        said = TurnRow.person_id.in_(human.ids)
        erased = await self._repeat(lambda connection: _erase_some_events(connection, human, ""))
        erased += await self._repeat(lambda connection: _cut_some(connection, said))
        erased += await self._once(lambda connection: _forget_all(connection, human, ""))
        async with self._database.writing() as connection:
            await drop_leases(self._database, connection, LeaseRow.place.in_(await _own_places(connection, human)))
        _log(erased)
        return erased

    async def find(self, session_id: int) -> Session:
        """Raises StorageError where there is none."""
        async with self._database.reading() as connection:
            return await session_of_number(connection, session_id)

    async def session(self, session: Session) -> Erased:
        """Raises StorageError."""
        erased = await self._repeat(lambda connection: _cut_some(connection, TurnRow.session_id == session.id))
        erased += await self._once(lambda connection: _forget_place(connection, session, ""))
        _log(erased)
        return erased

    async def _repeat(self, step: "_Step") -> Erased:
        erased, part = Erased(), await self._once(step)
        while part.turns or part.events:
            erased += part
            part = await self._once(step)
        return erased

    async def _once(self, step: "_Step") -> Erased:
        """Again where another transaction was in the way."""
        for _ in range(_TRIES - 1):
            try:
                async with self._database.writing() as connection:
                    return await step(connection)
            except StorageError as error:
                logger.warning("forgetting was in the way: %s", error, extra={"action": "forget"})
        async with self._database.writing() as connection:
            return await step(connection)


_Step = Callable[[AsyncConnection], Awaitable[Erased]]


async def forget_human(connection: AsyncConnection, human: Human, here: str = "") -> Erased:
    """All of it in the transaction that is open. What is still owed an answer at the place `here` stays: it was said
    after the wish to be forgotten, or is that wish.
    """
    erased = await _forget_all(connection, human, here)
    _log(erased)
    return erased


async def forget_session(connection: AsyncConnection, session: Session) -> Erased:
    """The same with a session: what is owed an answer there now is still answered."""
    erased = await _cut_all(connection, TurnRow.session_id == session.id)
    erased += await _forget_place(connection, session, place_of(session.key))
    _log(erased)
    return erased


async def _cut_all(connection: AsyncConnection, which: ColumnElement[bool]) -> Erased:
    erased = Erased()
    while (part := await _cut_some(connection, which)).turns:
        erased += part
    return erased


async def _cut_some(connection: AsyncConnection, which: ColumnElement[bool]) -> Erased:
    ids = (await connection.scalars(select(TurnRow.id).where(which).order_by(TurnRow.id).limit(_TURNS_AT_ONCE))).all()
    turns = await with_replies(connection, ids)
    return Erased(turns=len(turns), sessions=frozenset(await cut_turns(connection, turns)))


async def _erase_some_events(connection: AsyncConnection, human: Human, here: str) -> Erased:
    ids: list[int] = []
    for account in human.accounts:
        theirs = and_(InboxRow.platform == account.platform.value, InboxRow.person == account.platform_id)
        rows = await connection.execute(select(InboxRow.id, InboxRow.place).where(theirs, is_not_owed_at(here)))
        ids += [row.id for row in rows if account.workspace in (None, key_of(row.place).workspace)]
    some = ids[:_EVENTS_AT_ONCE]
    await erase_events(connection, some)
    return Erased(events=len(some))


async def _forget_all(connection: AsyncConnection, human: Human, here: str) -> Erased:
    erased = Erased()
    while (part := await _erase_some_events(connection, human, here)).events:
        erased += part
    erased += await _cut_all(connection, TurnRow.person_id.in_(human.ids))
    erased += await _erase_mentions(connection, human)
    for account in human.accounts:
        erased += await _forget_account(connection, account)
    await delete_rows(connection, Base.metadata.tables["people"], human.ids)
    return erased + Erased(people=len(human.ids))


async def _forget_account(connection: AsyncConnection, account: Identity) -> Erased:
    """What an account is written into: pairing, usage, and dialogues that are nobody else's."""
    await connection.execute(delete(PairingRow).where(_is_of(PairingRow, account)))
    old = UsageRow.at < datetime.now(UTC) - _QUOTA_WINDOW
    await connection.execute(delete(UsageRow).where(_is_of(UsageRow, account), old))
    sessions = (await connection.scalars(select(SessionRow.id).where(_is_of(SessionRow, account)))).all()
    erased = await _cut_all(connection, TurnRow.session_id.in_(sessions))
    await delete_rows(connection, Base.metadata.tables["sessions"], sessions)
    return erased


def _is_of(table: type[PairingRow | UsageRow | SessionRow], account: Identity) -> ColumnElement[bool]:
    in_workspace = true() if account.workspace is None else table.workspace == account.workspace
    return and_(table.platform == account.platform.value, table.person == account.platform_id, in_workspace)


async def _own_places(connection: AsyncConnection, human: Human) -> list[str]:
    """Where dialogues of their own are held."""
    found = []
    for account in human.accounts:
        ends = LeaseRow.place.endswith(place_of(_nowhere(account)).rpartition(",")[2], autoescape=True)
        keys = {place: key_of(place) for place in await connection.scalars(select(LeaseRow.place).where(ends))}
        found += [place for place, key in keys.items() if account.is_at(key)]
    return found


def _nowhere(account: Identity) -> SessionKey:
    return SessionKey(account.platform, "", "", "", person=account.platform_id)


async def _erase_mentions(connection: AsyncConnection, human: Human) -> Erased:
    """Raw events of others may quote them, and nobody knows whose a dead letter was: what names them goes."""
    platforms = {account.platform.value for account in human.accounts}
    kept = select(InboxRow.id, InboxRow.raw, InboxRow.reason, InboxRow.state)
    rows = await connection.execute(kept.where(InboxRow.raw.is_not(None), InboxRow.platform.in_(platforms)))
    named = [row for row in rows if human.is_named_in(f"{row.raw} {row.reason}")]
    ids = [row.id for row in named]
    await connection.execute(update(InboxRow).where(InboxRow.id.in_(ids)).values(raw=None))
    dead = and_(InboxRow.id.in_(ids), InboxRow.state == DEAD)
    await connection.execute(update(InboxRow).where(dead).values(reason=""))
    return Erased(events=len(ids))


async def _forget_place(connection: AsyncConnection, session: Session, here: str) -> Erased:
    """When the session's turns are gone: what was said there and became no turn, and the session where it has ended."""
    place = place_of(session.key)
    since, until = await _window(connection, session)
    asked = select(InboxRow.id).where(InboxRow.place == place, InboxRow.accepted_at > since, holds_something())
    if until is not None:
        asked = asked.where(InboxRow.accepted_at <= until)
    ids = (await connection.scalars(asked.where(is_not_owed_at(here)))).all()
    await erase_events(connection, ids)
    await clear_summaries(connection, [session.id])
    if not session.active:
        await delete_rows(connection, Base.metadata.tables["sessions"], [session.id])
    return Erased(events=len(ids), sessions=frozenset({session.id}))


async def _window(connection: AsyncConnection, session: Session) -> tuple[datetime, datetime | None]:
    """Since the session before it was last spoken in, until it was itself; None where it goes on."""
    own, other = SessionRow.__table__.c, aliased(SessionRow.__table__).c
    has_same_key = and_(*(own[name] == other[name] for name in _KEY))
    earlier = select(func.max(other.last_active_at)).where(own.id == session.id, has_same_key, other.id < own.id)
    since: datetime | None = await connection.scalar(earlier)
    return since or datetime.fromtimestamp(0, UTC), None if session.active else session.last_active_at


_KEY = ("platform", "bot", "workspace", "channel", "thread", "person")


def _log(erased: Erased) -> None:
    figures = {"turns": erased.turns, "events": erased.events, "people": erased.people}
    logger.info("forgotten", extra={"action": "forget", "sessions": len(erased.sessions), **figures})
