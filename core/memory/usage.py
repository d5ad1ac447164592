"""What everybody has used of the program: a row for each message that the model was asked to answer.

A row belongs to one message, so that nothing is counted twice however often that is tried, and no two replies wait for
each other's counters. Sums are made where a quota asks for them, over the rows of one workspace and one day.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import ColumnElement, Insert, Select, and_, func, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncConnection

from core.dialogue import Deletion, Move, SessionKey
from core.memory.database import Database, Inserting
from core.memory.grouped import GroupedWrites
from core.memory.owed import Whole
from core.memory.tables import UsageRow
from core.quotas import Amount, Day, Exceeded, Scope, exceeded


@dataclass(frozen=True, slots=True)
class Admission:
    """A message that is to be answered, and the quotas that it must be within."""

    inbox_id: int
    key: SessionKey
    #: The platform's id.
    person: str
    at: datetime
    day: Day
    limits: Mapping[Scope, Amount]


class Usage:
    def __init__(self, database: Database, writes: GroupedWrites) -> None:
        self._database = database
        self._writes = writes

    async def admit(self, admission: Admission) -> Exceeded | None:
        """Counts the message, or tells which quota is used up. A message that was counted is admitted again."""
        return await self._writes.write(_admit, admission)

    async def used(self, key: SessionKey, person: str, day: Day) -> Mapping[Scope, Amount]:
        """By the person and the channel, within the workspace, and by all of it."""
        async with self._database.reading() as connection:
            return await _used(connection, key, person, day, list(Scope))


async def count_usage(database: Database, connection: AsyncConnection, items: Sequence[Whole]) -> None:
    """What the replies have cost, in the transaction that records them."""
    rows = [_row(item) for item in items]
    await connection.execute(_more_usage(database.insert), rows)


@cache
def _more_usage(insert: Inserting) -> Insert:
    new = insert(UsageRow)
    more = {name: UsageRow.__table__.c[name] + new.excluded[name] for name in ("tokens", "gpu_s")}
    return new.on_conflict_do_update(index_elements=["inbox_id"], set_=more)


def _row(item: Whole) -> dict[str, object]:
    inbound, record = item.message.inbound, item.record
    person = "" if isinstance(inbound, Deletion | Move) else inbound.person.platform_id
    written = len(record.tokens.ids) if record.tokens else 0
    spent = {"tokens": (record.prompt_tokens or 0) + written, "gpu_s": record.total_s or 0.0}
    return {**_counted(item.message.id, inbound.session_key, person, item.message.accepted_at), **spent}


def _counted(inbox_id: int, key: SessionKey, person: str, at: datetime) -> dict[str, object]:
    return {
        "inbox_id": inbox_id,
        "platform": key.platform.value,
        "workspace": key.workspace,
        "channel": key.channel,
        "person": person,
        "at": at,
        "tokens": 0,
        "gpu_s": 0.0,
    }


async def _admit(database: Database, connection: AsyncConnection, items: Sequence[Admission]) -> list[Exceeded | None]:
    """One by one: each counts for the next."""
    return [await _admit_one(database, connection, item) for item in items]


async def _admit_one(database: Database, connection: AsyncConnection, item: Admission) -> Exceeded | None:
    known = select(literal(1)).where(UsageRow.inbox_id == item.inbox_id)
    if (await connection.execute(known)).first() is not None:
        return None
    limited = [scope for scope in item.limits if scope is not Scope.WORKSPACE or item.key.workspace]
    over = exceeded(item.limits, await _used(connection, item.key, item.person, item.day, limited))
    if over is None:
        row = _counted(item.inbox_id, item.key, item.person, item.at)
        await connection.execute(database.insert(UsageRow).values(row).on_conflict_do_nothing())
    return over


async def _used(
    connection: AsyncConnection, key: SessionKey, person: str, day: Day, scopes: Sequence[Scope]
) -> dict[Scope, Amount]:
    if not scopes:
        return {}
    rows = await connection.execute(union_all(*(_sum(scope, key, person, day) for scope in scopes)))
    return {Scope(row.scope): Amount(row.messages, row.tokens, row.gpu_s) for row in rows}


def _sum(scope: Scope, key: SessionKey, person: str, day: Day) -> Select[str, int, int, float]:
    whose: dict[Scope, ColumnElement[bool]] = {
        Scope.PERSON: UsageRow.person == person,
        Scope.CHANNEL: UsageRow.channel == key.channel,
    }
    of_day = and_(
        UsageRow.platform == key.platform.value,
        UsageRow.workspace == key.workspace,
        UsageRow.at >= day.start,
        UsageRow.at < day.end,
    )
    return select(
        literal(scope.value).label("scope"),
        func.count().label("messages"),
        func.coalesce(func.sum(UsageRow.tokens), 0).label("tokens"),
        func.coalesce(func.sum(UsageRow.gpu_s), 0.0).label("gpu_s"),
    ).where(of_day, *([whose[scope]] if scope in whose else []))
