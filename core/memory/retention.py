"""What is older than the operator's settings say is deleted, a little at a time.

Of an event the keyed hash stays for ever, so that an old one that a platform delivers once more is still a copy.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Select, and_, delete, not_, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.errors import StorageError
from core.memory.database import Database
from core.memory.erasing import cut_turns, delete_rows, drop_leases, holds_something
from core.memory.tables import (
    DEAD,
    OPEN_STATES,
    Base,
    DeliveryRow,
    FeedbackRow,
    InboxRow,
    LeaseRow,
    PersonRow,
    SecretRow,
    SessionRow,
    TurnRow,
    UsageRow,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Ages:
    """In days; 0 keeps for ever."""

    #: With their candidates and feedback; a dialogue goes on with what is left of it.
    turns: float = 0.0
    #: What a platform delivered, and the copy of the reply that was sent, of messages that are answered.
    events: float = 7.0
    #: Events that were not understood.
    dead_letters: float = 30.0
    feedback: float = 0.0
    usage: float = 90.0


@dataclass(frozen=True, slots=True)
class Pace:
    """So that people are answered meanwhile."""

    #: Rows that one transaction takes.
    rows: int = 200
    #: For one transaction.
    timeout_s: float = 30.0
    #: Between two of them.
    pause_s: float = 0.05


@dataclass(slots=True)
class Removed:
    """Rows, by what they were."""

    turns: int = 0
    events: int = 0
    dead_letters: int = 0
    feedback: int = 0
    usage: int = 0
    secrets: int = 0


class Retention:
    def __init__(self, database: Database, ages: Ages, pace: Pace = Pace()) -> None:
        self._database = database
        self._ages = ages
        self._pace = pace

    async def run(self, every_s: float, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        """Until it is cancelled. A database that is away is tried again the next time."""
        while True:
            try:
                await self.once()
            except (StorageError, TimeoutError) as error:
                logger.warning("old things were not deleted: %s", error, extra={"action": "retain"})
            await sleep(every_s)

    async def once(self, now: datetime | None = None) -> Removed:
        """Everything that is too old by now. Raises StorageError, or TimeoutError; what was done until then is done."""
        at, ages = now or datetime.now(UTC), self._ages
        removed = Removed(
            turns=await self._each(_TURNS, _before(at, ages.turns)),
            events=await self._each(_EVENTS, _before(at, ages.events)),
            dead_letters=await self._each(_DEAD_LETTERS, _before(at, ages.dead_letters)),
            feedback=await self._each(_FEEDBACK, _before(at, ages.feedback)),
            usage=await self._each(_USAGE, _before(at, ages.usage)),
            secrets=await self._purge_secrets(at),
        )
        if removed.turns:
            await self._each(_EMPTY_SESSIONS, at)
            await self._each(_SILENT_PEOPLE, at)
        await self._drop_leases(_before(at, ages.events))
        figures = {name: getattr(removed, name) for name in Removed.__slots__}
        logger.info("retained", extra={"action": "retain", **figures})
        return removed

    async def _drop_leases(self, before: datetime | None) -> None:
        if before is not None:
            async with asyncio.timeout(self._pace.timeout_s), self._database.writing() as connection:
                await drop_leases(self._database, connection, LeaseRow.expires_at < before)

    async def _purge_secrets(self, now: datetime) -> int:
        async with asyncio.timeout(self._pace.timeout_s), self._database.writing() as connection:
            return (await connection.execute(delete(SecretRow).where(SecretRow.expires_at <= now))).rowcount

    async def _each(self, rule: "_Rule", before: datetime | None) -> int:
        """Batch by batch, until nothing more is found. Nobody waits for the search: it takes no lock."""
        total = 0
        while before is not None:
            async with asyncio.timeout(self._pace.timeout_s):
                async with self._database.reading() as connection:
                    keys = (await connection.scalars(rule.find(before).limit(self._pace.rows))).all()
                if keys:
                    async with self._database.writing() as connection:
                        await rule.act(connection, keys)
            total += len(keys)
            if len(keys) < self._pace.rows:
                break
            await asyncio.sleep(self._pace.pause_s)
        return total


def _before(now: datetime, days: float) -> datetime | None:
    return now - timedelta(days=days) if days else None


def _old_turns(before: datetime) -> Select[int]:
    """The oldest first: what is left of a dialogue is its end."""
    return select(TurnRow.id).where(TurnRow.created_at < before).order_by(TurnRow.id)


def _old_events(before: datetime) -> Select[int]:
    ended = not_(InboxRow.state.in_((*OPEN_STATES, DEAD)))
    return select(InboxRow.id).where(ended, InboxRow.accepted_at < before, holds_something()).order_by(InboxRow.id)


def _old_dead_letters(before: datetime) -> Select[int]:
    is_dead = and_(InboxRow.state == DEAD, InboxRow.accepted_at < before)
    return select(InboxRow.id).where(is_dead, holds_something()).order_by(InboxRow.id)


def _empty_sessions(_now: datetime) -> Select[int]:
    """Those that have ended: an active one is where somebody chose a persona."""
    has_turns = select(TurnRow.id).where(TurnRow.session_id == SessionRow.id).exists()
    return select(SessionRow.id).where(not_(SessionRow.active), not_(has_turns))


def _silent_people(_now: datetime) -> Select[int]:
    """Of whom no turn and no feedback is left."""
    speaks = select(TurnRow.id).where(TurnRow.person_id == PersonRow.id).exists()
    thinks = select(FeedbackRow.id).where(FeedbackRow.person_id == PersonRow.id).exists()
    return select(PersonRow.id).where(PersonRow.name != "", not_(or_(speaks, thinks)))


async def _empty(connection: AsyncConnection, ids: Sequence[int]) -> None:
    """The row stays, and so do the handles of what was sent: a reply can still be reacted to."""
    nothing = {"inbound": None, "raw": None, "person": "", "place": "", "reason": ""}
    await connection.execute(update(InboxRow).where(InboxRow.id.in_(ids)).values(nothing))
    sent = update(DeliveryRow).where(DeliveryRow.inbox_id.in_(ids))
    await connection.execute(sent.values(text="", token_ids=None, footnote=""))


async def _take_names(connection: AsyncConnection, ids: Sequence[int]) -> None:
    await connection.execute(update(PersonRow).where(PersonRow.id.in_(ids)).values(name=""))


async def _cut(connection: AsyncConnection, ids: Sequence[int]) -> None:
    await cut_turns(connection, ids)


def _delete_from(table: str) -> "_Act":
    async def act(connection: AsyncConnection, ids: Sequence[int]) -> None:
        await delete_rows(connection, Base.metadata.tables[table], ids)

    return act


async def _delete_usage(connection: AsyncConnection, ids: Sequence[int]) -> None:
    await connection.execute(delete(UsageRow).where(UsageRow.inbox_id.in_(ids)))


_Act = Callable[[AsyncConnection, Sequence[int]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class _Rule:
    """What is too old, and what becomes of it."""

    find: Callable[[datetime], Select[int]]
    act: _Act


_TURNS = _Rule(_old_turns, _cut)
_EVENTS = _Rule(_old_events, _empty)
_DEAD_LETTERS = _Rule(_old_dead_letters, _empty)
_FEEDBACK = _Rule(lambda before: select(FeedbackRow.id).where(FeedbackRow.told_at < before), _delete_from("feedback"))
_USAGE = _Rule(lambda before: select(UsageRow.inbox_id).where(UsageRow.at < before), _delete_usage)
_EMPTY_SESSIONS = _Rule(_empty_sessions, _delete_from("sessions"))
_SILENT_PEOPLE = _Rule(_silent_people, _take_names)
