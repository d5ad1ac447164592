"""What is remembered of a person, on all their platforms, or of a session: one JSON object a line.

The first line says what it is about and on which platforms the operator may train a model on what people said; each
line says it again of itself.
"""

import json
from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from core.dialogue import Platform, Role
from core.memory.database import Database
from core.memory.identities import Human, Identity, find_human
from core.memory.places import key_of, place_of
from core.memory.sessions import Session, session_of_number
from core.memory.tables import (
    Base,
    CandidateRow,
    FeedbackRow,
    InboxRow,
    PersonRow,
    PlatformMessageRow,
    SessionRow,
    TurnRow,
    UsageRow,
)
from core.memory.turns import SPEAKER

VERSION = 1
_TURNS_AT_ONCE = 200

Line = dict[str, object]


@dataclass(frozen=True, slots=True)
class Consent:
    """Where the operator has stated that they may train on what people say."""

    platforms: frozenset[Platform] = frozenset()

    def covers(self, platform: str) -> bool:
        return platform in self.platforms

    def told(self) -> dict[str, bool]:
        return {platform.value: self.covers(platform) for platform in Platform}


class Exporting:
    def __init__(self, database: Database, consent: Consent) -> None:
        self._database = database
        self._consent = consent

    async def person(self, identity: Identity) -> AsyncGenerator[str, None]:
        """Raises StorageError."""
        async with self._database.reading() as connection:
            async for line in person_lines(connection, identity, self._consent):
                yield line

    async def session(self, session_id: int) -> AsyncGenerator[str, None]:
        """Raises StorageError, also where there is none."""
        async with self._database.reading() as connection:
            session = await session_of_number(connection, session_id)
            async for line in session_lines(connection, session, self._consent):
                yield line


async def person_lines(connection: AsyncConnection, identity: Identity, consent: Consent) -> AsyncIterator[str]:
    """Their accounts, what they said and what was said to them, what they thought of it. Nothing of other people."""
    human = await find_human(connection, identity)
    yield _written(_header({"person": str(identity)}, consent))
    for row in await _rows(connection, PersonRow, PersonRow.id.in_(human.ids)):
        yield _written({"type": "person", **row})
    said = TurnRow.person_id.in_(human.ids)
    to_them = and_(TurnRow.role == Role.ASSISTANT.value, TurnRow.parent_id.in_(select(TurnRow.id).where(said)))
    async for line in _turn_lines(connection, or_(said, to_them), consent):
        yield line
    for row in await _rows(connection, FeedbackRow, FeedbackRow.person_id.in_(human.ids)):
        yield _written({"type": "feedback", **row})
    async for line in _account_lines(connection, human):
        yield line


async def session_lines(connection: AsyncConnection, session: Session, consent: Consent) -> AsyncIterator[str]:
    yield _written(_header({"session": session.id}, consent))
    [row] = await _rows(connection, SessionRow, SessionRow.id == session.id)
    yield _written({"type": "session", **row})
    async for line in _turn_lines(connection, TurnRow.session_id == session.id, consent):
        yield line
    about = FeedbackRow.turn_id.in_(select(TurnRow.id).where(TurnRow.session_id == session.id))
    for row in await _rows(connection, FeedbackRow, about):
        yield _written({"type": "feedback", **row})
    if session.active:
        async for line in _event_lines(connection, InboxRow.place == place_of(session.key)):
            yield line


async def _turn_lines(connection: AsyncConnection, which: ColumnElement[bool], consent: Consent) -> AsyncIterator[str]:
    """With the candidates of each and the platforms' ids of its messages."""
    last = 0
    place = (SessionRow.platform, SessionRow.workspace, SessionRow.channel, SessionRow.thread)
    turns = select(*_shown(TurnRow), SPEAKER.label("speaker"), *place).join(
        SessionRow, SessionRow.id == TurnRow.session_id
    )
    while True:
        some = turns.where(which, TurnRow.id > last).order_by(TurnRow.id).limit(_TURNS_AT_ONCE)
        rows = (await connection.execute(some)).mappings().all()
        if not rows:
            return
        last = rows[-1]["id"]
        hanging = await _by_turn(connection, [row["id"] for row in rows])
        for row in rows:
            yield _written({"type": "turn", **row, "may_train": consent.covers(row["platform"])})
            for line in hanging.get(row["id"], ()):
                yield _written(line)


async def _by_turn(connection: AsyncConnection, ids: Collection[int]) -> dict[int, list[Line]]:
    found: dict[int, list[Line]] = {}
    for kind, table in (("candidate", CandidateRow), ("message", PlatformMessageRow)):
        for row in await _rows(connection, table, table.turn_id.in_(ids)):
            found.setdefault(int(str(row["turn_id"])), []).append({"type": kind, **row})
    return found


async def _account_lines(connection: AsyncConnection, human: Human) -> AsyncIterator[str]:
    """What came from their accounts and is still held, and what answering took."""
    for account in human.accounts:
        theirs = and_(InboxRow.platform == account.platform.value, InboxRow.person == account.platform_id)
        async for line in _event_lines(connection, theirs, account.workspace):
            yield line
        used = and_(UsageRow.platform == account.platform.value, UsageRow.person == account.platform_id)
        if account.workspace is not None:
            used = and_(used, UsageRow.workspace == account.workspace)
        for row in await _rows(connection, UsageRow, used):
            yield _written({"type": "usage", **row})


async def _event_lines(
    connection: AsyncConnection, which: ColumnElement[bool], workspace: str | None = None
) -> AsyncIterator[str]:
    columns = (InboxRow.id, InboxRow.place, InboxRow.kind, InboxRow.state, InboxRow.accepted_at, InboxRow.inbound)
    held = select(*columns).where(which, InboxRow.inbound.is_not(None)).order_by(InboxRow.id)
    for row in (await connection.execute(held)).mappings().all():
        if workspace in (None, key_of(row["place"]).workspace):
            yield _written({"type": "event", **row, "inbound": json.loads(row["inbound"])})


async def _rows(connection: AsyncConnection, table: type[Base], which: ColumnElement[bool]) -> list[Line]:
    rows = await connection.execute(select(*_shown(table)).where(which).order_by(*table.__table__.primary_key))
    return [dict(row) for row in rows.mappings()]


def _shown(table: type[Base]) -> list[ColumnElement[object]]:
    """Token ids say the text once more, for a machine."""
    return [column for column in table.__table__.c if column.name != "token_ids"]


def _header(of: Mapping[str, object], consent: Consent) -> Line:
    return {
        "type": "export",
        "version": VERSION,
        "of": of,
        "exported_at": datetime.now(UTC),
        "may_train": consent.told(),
    }


def _written(line: Mapping[str, object]) -> str:
    return json.dumps(line, ensure_ascii=False, default=_plain)


def _plain(value: object) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"nobody knows how {type(value).__name__} is written")
