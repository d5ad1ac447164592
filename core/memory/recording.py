"""The steps of a transaction that remembers something. Who calls them has begun it, and locks before reading."""

from datetime import UTC, datetime

from sqlalchemy import ColumnElement, case, insert, or_, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.dialogue import InboundMessage, Person, Role, SessionKey, Turn, TurnState
from core.errors import StorageError
from core.memory.database import Database
from core.memory.tables import PersonRow, PlatformMessageRow, SessionRow, TurnRow
from core.memory.turns import TURN, storable, turn_of


class AlreadyRecorded(Exception):
    """Another transaction remembered the same message first: this one must be taken back."""


def has_key(key: SessionKey) -> tuple[ColumnElement[bool], ...]:
    """The active session of a key."""
    return (
        SessionRow.active == true(),
        SessionRow.platform == key.platform.value,
        SessionRow.bot == key.bot,
        SessionRow.workspace == key.workspace,
        SessionRow.channel == key.channel,
        SessionRow.thread == key.thread,
        SessionRow.person == key.person,
    )


async def add_session(
    database: Database, connection: AsyncConnection, key: SessionKey, persona: str, model: str
) -> None:
    """Nothing happens where the key has an active one."""
    now = datetime.now(UTC)
    new = database.insert(SessionRow).values(
        platform=key.platform.value,
        bot=key.bot,
        workspace=key.workspace,
        channel=key.channel,
        thread=key.thread,
        person=key.person,
        active=True,
        persona=persona,
        model=model,
        title="",
        summary="",
        created_at=now,
        last_active_at=now,
    )
    await connection.execute(new.on_conflict_do_nothing())


async def lock_session(connection: AsyncConnection, session_id: int) -> int | None:
    """The session's head; nobody else moves it before the transaction ends."""
    locking = select(SessionRow.head_turn_id).where(SessionRow.id == session_id).with_for_update(key_share=True)
    row = (await connection.execute(locking)).first()
    if row is None:
        raise StorageError(f"There is no session {session_id} any more; begin a new one")
    head: int | None = row.head_turn_id
    return head


async def remember_person(database: Database, connection: AsyncConnection, person: Person) -> int:
    """Their row, with the name that they have now."""
    known_by = {"platform": person.platform.value, "workspace": person.workspace, "platform_id": person.platform_id}
    new = database.insert(PersonRow).values(**known_by, name=storable(person.name))
    named = {"name": new.excluded.name}
    changed = PersonRow.name != new.excluded.name
    await connection.execute(new.on_conflict_do_update(index_elements=list(known_by), set_=named, where=changed))
    return (await connection.execute(select(PersonRow.id).filter_by(**known_by))).scalar_one()


async def find_recorded(connection: AsyncConnection, message: InboundMessage) -> Turn | None:
    """The turn that an earlier copy of the message became."""
    key = message.session_key
    found = (
        select(*TURN)
        .join(PlatformMessageRow, PlatformMessageRow.turn_id == TurnRow.id)
        .where(
            PlatformMessageRow.platform == key.platform.value,
            PlatformMessageRow.bot == key.bot,
            PlatformMessageRow.channel == key.channel,
            PlatformMessageRow.message_id == message.message_id,
        )
    )
    row = (await connection.execute(found)).first()
    return None if row is None else turn_of(*row)


async def claim_message(database: Database, connection: AsyncConnection, message: InboundMessage, turn_id: int) -> None:
    """Raises AlreadyRecorded where it belongs to another turn."""
    key = message.session_key
    new = database.insert(PlatformMessageRow).values(
        platform=key.platform.value,
        bot=key.bot,
        channel=key.channel,
        message_id=message.message_id,
        turn_id=turn_id,
        part=0,
        direction="in",
    )
    if (await connection.execute(new.on_conflict_do_nothing())).rowcount == 0:
        raise AlreadyRecorded


async def add_turn(connection: AsyncConnection, values: dict[str, object]) -> int:
    """The new turn's id."""
    inserted = await connection.execute(insert(TurnRow).values(**values))
    key = inserted.inserted_primary_key
    if key is None:
        raise StorageError("The database did not number a new turn; look at its version")
    return int(key[0])


async def mark_answered(connection: AsyncConnection, session_id: int, turn_id: int, token_count: int | None) -> None:
    """A count that is not known now leaves the one that was."""
    values: dict[str, object] = {"state": TurnState.ANSWERED.value}
    if token_count is not None:
        values["token_count"] = token_count
    question = update(TurnRow).where(TurnRow.id == turn_id, TurnRow.session_id == session_id)
    if (await connection.execute(question.values(**values))).rowcount == 0:
        raise StorageError(f"The message that was answered is no longer in session {session_id}; ask again")


async def move_head_to_reply(connection: AsyncConnection, session_id: int, question_id: int, reply_id: int) -> None:
    """Unless the head is neither the question nor a reply to it: then the dialogue is elsewhere by now."""
    replies = select(TurnRow.id).where(TurnRow.parent_id == question_id, TurnRow.role == Role.ASSISTANT.value)
    head = SessionRow.head_turn_id
    is_there = or_(head == question_id, head.in_(replies))
    await change_session(connection, session_id, head_turn_id=case((is_there, reply_id), else_=head))


async def change_session(connection: AsyncConnection, session_id: int, **values: object) -> None:
    changed = update(SessionRow).where(SessionRow.id == session_id)
    await connection.execute(changed.values(last_active_at=datetime.now(UTC), **values))
