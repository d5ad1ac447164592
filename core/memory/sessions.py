"""Sessions as rows: how they are found, begun, locked and changed. Who calls these steps has begun the transaction."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, RowMapping, and_, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.dialogue import Platform, SessionKey
from core.errors import ChannelMoved, StorageError
from core.memory.database import Database
from core.memory.lists import are_among, is_among
from core.memory.moved_channels import moved_to
from core.memory.tables import SessionRow


@dataclass(frozen=True, slots=True)
class Session:
    """A continuing dialogue in one place."""

    id: int
    key: SessionKey
    persona: str
    #: The model's name.
    model: str
    #: False after `/new`: the key belongs to another session then.
    active: bool
    head_turn_id: int | None
    created_at: datetime
    last_active_at: datetime
    #: What people there chose; "" is the place's own.
    language: str = ""
    #: Whether a reply is seen while it is written.
    streaming: bool = True
    #: What its thread was named; "" where it was not.
    title: str = ""


@dataclass(frozen=True, slots=True)
class NewSession:
    """What a session begins with, where the key has none."""

    key: SessionKey
    persona: str
    model: str
    language: str = ""
    streaming: bool = True
    #: One that was last active before that is over, and another one begins.
    expires_before: datetime | None = None


SESSION = select(
    SessionRow.id,
    SessionRow.platform,
    SessionRow.bot,
    SessionRow.workspace,
    SessionRow.channel,
    SessionRow.thread,
    SessionRow.person,
    SessionRow.persona,
    SessionRow.model,
    SessionRow.active,
    SessionRow.head_turn_id,
    SessionRow.created_at,
    SessionRow.last_active_at,
    SessionRow.language,
    SessionRow.streaming,
    SessionRow.title,
)


def session_of(row: RowMapping) -> Session:
    return Session(
        id=row["id"],
        key=SessionKey(
            platform=Platform(row["platform"]),
            bot=row["bot"],
            workspace=row["workspace"],
            channel=row["channel"],
            thread=row["thread"],
            person=row["person"],
        ),
        persona=row["persona"],
        model=row["model"],
        active=row["active"],
        head_turn_id=row["head_turn_id"],
        created_at=row["created_at"],
        last_active_at=row["last_active_at"],
        language=row["language"],
        streaming=row["streaming"],
        title=row["title"],
    )


def has_key(key: SessionKey) -> ColumnElement[bool]:
    """The active session of a key."""
    return and_(
        SessionRow.active == true(),
        SessionRow.platform == key.platform.value,
        SessionRow.bot == key.bot,
        SessionRow.workspace == key.workspace,
        SessionRow.channel == key.channel,
        SessionRow.thread == key.thread,
        SessionRow.person == key.person,
    )


async def find_session(connection: AsyncConnection, condition: ColumnElement[bool]) -> Session | None:
    row = (await connection.execute(SESSION.where(condition))).mappings().first()
    return None if row is None else session_of(row)


async def session_of_number(connection: AsyncConnection, session_id: int) -> Session:
    """Raises StorageError where there is none."""
    session = await find_session(connection, SessionRow.id == session_id)
    if session is None:
        raise StorageError(f"there is no session {session_id}; banter sessions list shows those that there are")
    return session


async def open_sessions(
    database: Database, connection: AsyncConnection, wanted: Sequence[NewSession]
) -> dict[SessionKey, Session]:
    """Each key's active session, begun where there is none, or where it has expired."""
    found = await _active(connection, (new.key for new in wanted))
    ended = await _end_expired(connection, found, wanted)
    missing = [_like(ended.get(new.key), new) for new in wanted if new.key not in found]
    if missing:
        for new in missing:
            if await moved_to(connection, new.key) is not None:
                raise ChannelMoved("the channel has another id by now")
        await add_sessions(database, connection, missing)
        found |= await _active(connection, (new.key for new in missing))
    if any(new.key not in found for new in wanted):
        raise StorageError("Another program ended the new session at once; try again")
    return found


async def _end_expired(
    connection: AsyncConnection, found: dict[SessionKey, Session], wanted: Sequence[NewSession]
) -> dict[SessionKey, Session]:
    """They are no longer among those that were found."""
    times = {new.key: new.expires_before for new in wanted if new.expires_before is not None}
    expired = [key for key, time in times.items() if key in found and found[key].last_active_at < time]
    ended = {key: found.pop(key) for key in expired}
    if ended:
        ids = [session.id for session in ended.values()]
        await connection.execute(update(SessionRow).where(SessionRow.id.in_(ids)).values(active=False))
    return ended


def _like(earlier: Session | None, new: NewSession) -> NewSession:
    """What people chose at a place stays chosen."""
    return new if earlier is None else replace(new, language=earlier.language, streaming=earlier.streaming)


async def add_sessions(database: Database, connection: AsyncConnection, new: Iterable[NewSession]) -> None:
    """Nothing happens where the key has an active one."""
    now = datetime.now(UTC)
    rows = [
        {
            "platform": one.key.platform.value,
            "bot": one.key.bot,
            "workspace": one.key.workspace,
            "channel": one.key.channel,
            "thread": one.key.thread,
            "person": one.key.person,
            "active": True,
            "persona": one.persona,
            "model": one.model,
            "language": one.language,
            "streaming": one.streaming,
            "title": "",
            "summary": "",
            "created_at": now,
            "last_active_at": now,
        }
        for one in new
    ]
    await connection.execute(database.insert(SessionRow).on_conflict_do_nothing(), rows)


_LOCKING = (
    select(SessionRow.id, SessionRow.head_turn_id)
    .where(is_among(SessionRow.id, "ids"))
    .order_by(SessionRow.id)
    .with_for_update(key_share=True)
)


async def lock_sessions(connection: AsyncConnection, session_ids: Iterable[int]) -> Mapping[int, int | None]:
    """Session → its head; nobody else moves it before the transaction ends. Those that are gone are missing."""
    ids = sorted(set(session_ids))
    rows = await connection.execute(_LOCKING, {"ids": ids})
    return {row.id: row.head_turn_id for row in rows}


async def lock_session(connection: AsyncConnection, session_id: int) -> int | None:
    """The session's head; nobody else moves it before the transaction ends."""
    heads = await lock_sessions(connection, [session_id])
    if session_id not in heads:
        raise StorageError(f"There is no session {session_id} any more; begin a new one")
    return heads[session_id]


async def change_session(connection: AsyncConnection, session_id: int, **values: object) -> None:
    changed = update(SessionRow).where(SessionRow.id == session_id)
    await connection.execute(changed.values(last_active_at=datetime.now(UTC), **values))


async def _active(connection: AsyncConnection, keys: Iterable[SessionKey]) -> dict[SessionKey, Session]:
    """Keys are named as rows: an OR of as many conditions takes longer to make than to run."""
    wanted = sorted({key.words for key in keys})
    sessions = map(session_of, (await connection.execute(_ACTIVE, {"keys": wanted})).mappings())
    return {session.key: session for session in sessions}


_ACTIVE = SESSION.where(
    SessionRow.active == true(),
    are_among(
        (
            SessionRow.platform,
            SessionRow.bot,
            SessionRow.workspace,
            SessionRow.channel,
            SessionRow.thread,
            SessionRow.person,
        ),
        "keys",
    ),
)
