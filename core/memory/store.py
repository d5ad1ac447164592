"""What is remembered, as named queries over SQLite and PostgreSQL.

Turns are a tree and a session's head is a leaf of it: taking back moves the head up, drawing again grows a second
reply beside the first. Nothing is deleted by either. Every method is one transaction and raises StorageError.
"""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import ColumnElement, RowMapping, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.dialogue import FinishReason, InboundMessage, Platform, Role, SessionKey, TokenizedText, Turn, TurnState
from core.errors import StorageError
from core.memory import recall, transcript
from core.memory.chain import walk_to_question
from core.memory.database import Database
from core.memory.recording import (
    AlreadyRecorded,
    add_session,
    add_turn,
    change_session,
    claim_message,
    find_recorded,
    has_key,
    lock_session,
    mark_answered,
    move_head_to_reply,
    remember_person,
)
from core.memory.tables import PersonRow, SessionRow, TurnRow
from core.memory.transcript import TranscriptTurn
from core.memory.turns import TURN, pack_ids, storable, turn_of


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


@dataclass(frozen=True, slots=True)
class SessionSummary:
    session: Session
    #: All that are stored, those that were taken back or drawn again too.
    turns: int


@dataclass(frozen=True, slots=True)
class ReplyRecord:
    """A reply and how it came about."""

    text: str
    model: str
    finish_reason: FinishReason
    state: TurnState = TurnState.ANSWERED
    tokens: TokenizedText | None = None
    #: The oldest turn in its prompt, and how many turns and tokens that held.
    prompt_start_id: int | None = None
    prompt_turns: int | None = None
    prompt_tokens: int | None = None
    #: Of the turn that is answered.
    question_token_count: int | None = None
    seed: int | None = None
    queue_s: float | None = None
    first_token_s: float | None = None
    total_s: float | None = None


_SESSION = select(
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
)
_TURN_COUNT = select(func.count()).where(TurnRow.session_id == SessionRow.id).scalar_subquery()

_CHAIN = walk_to_question()
_QUESTION = (
    select(*TURN, TurnRow.parent_id).join(_CHAIN, _CHAIN.c.id == TurnRow.id).where(TurnRow.role == Role.PERSON.value)
)


class Memory:
    """Any number of tasks and programs may use one database at the same time."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def open_session(self, key: SessionKey, persona: str, model: str) -> Session:
        """The key's active session, or a new one with this persona and model."""
        async with self._database.reading() as connection:
            if found := await _first_session(connection, *has_key(key)):
                return found
        async with self._database.writing() as connection:
            return await self._new_session(connection, key, persona, model)

    async def begin_session(self, key: SessionKey, persona: str, model: str) -> Session:
        """Ends the key's active session and begins a new one."""
        async with self._database.writing() as connection:
            await connection.execute(update(SessionRow).where(*has_key(key)).values(active=False))
            return await self._new_session(connection, key, persona, model)

    async def set_persona(self, session_id: int, persona: str, model: str) -> Session:
        async with self._database.writing() as connection:
            await lock_session(connection, session_id)
            await change_session(connection, session_id, persona=persona, model=model)
            rows = await connection.execute(_SESSION.where(SessionRow.id == session_id))
            return _session_of(rows.mappings().one())

    async def session(self, session_id: int) -> Session | None:
        async with self._database.reading() as connection:
            return await _first_session(connection, SessionRow.id == session_id)

    async def list_sessions(self, limit: int) -> tuple[SessionSummary, ...]:
        """The last active first."""
        newest = _SESSION.add_columns(_TURN_COUNT.label("turns")).order_by(
            SessionRow.last_active_at.desc(), SessionRow.id.desc()
        )
        async with self._database.reading() as connection:
            rows = await connection.execute(newest.limit(limit))
            return tuple(SessionSummary(_session_of(row), row["turns"]) for row in rows.mappings())

    async def recall(self, session_id: int, max_tokens: int, *, head_turn_id: int | None = None) -> tuple[Turn, ...]:
        """The newest turns of the dialogue that fit `max_tokens`, oldest first; the newest one always.

        `head_turn_id` is the turn to walk up from, the dialogue's head where it is not given.
        """
        return await recall.recall(self._database, session_id, max_tokens, head_turn_id)

    async def transcript(self, session_id: int, limit: int) -> tuple[TranscriptTurn, ...]:
        """The newest `limit` turns of the dialogue with all that is known of them, oldest first."""
        return await transcript.transcript(self._database, session_id, limit)

    async def record_message(self, session_id: int, message: InboundMessage) -> Turn:
        """A person's turn, waiting, as the dialogue's head. A second copy of a message is the turn of the first."""
        try:
            async with self._database.writing() as connection:
                head = await lock_session(connection, session_id)
                if earlier := await find_recorded(connection, message):
                    return earlier
                return await self._add_message(connection, session_id, head, message)
        except AlreadyRecorded:
            return await self._recorded(message)

    async def record_reply(self, session_id: int, parent_turn_id: int, reply: ReplyRecord) -> Turn:
        """The assistant's turn, as the head; the turn that it answers is answered then.

        Where the dialogue went on or was taken back meanwhile, the head stays and the reply is kept beside it.
        """
        async with self._database.writing() as connection:
            await lock_session(connection, session_id)
            await mark_answered(connection, session_id, parent_turn_id, reply.question_token_count)
            turn_id = await add_turn(connection, _reply_values(session_id, parent_turn_id, reply))
            await move_head_to_reply(connection, session_id, parent_turn_id, turn_id)
        return Turn(
            turn_id, Role.ASSISTANT, storable(reply.text), tokens=reply.tokens, prompt_start_id=reply.prompt_start_id
        )

    async def replies_to(self, turn_id: int) -> tuple[str, ...]:
        """The texts of the replies that were drawn for a turn, oldest first."""
        replies = select(TurnRow.text).where(TurnRow.parent_id == turn_id, TurnRow.role == Role.ASSISTANT.value)
        async with self._database.reading() as connection:
            return tuple((await connection.scalars(replies.order_by(TurnRow.id))).all())

    async def author(self, turn_id: int) -> str:
        """The platform's id of the person who said a turn; "" for the assistant's."""
        platform_id = select(PersonRow.platform_id).join(TurnRow, TurnRow.person_id == PersonRow.id)
        async with self._database.reading() as connection:
            return (await connection.scalar(platform_id.where(TurnRow.id == turn_id))) or ""

    async def last_question(self, session_id: int) -> Turn | None:
        """The newest person's turn of the dialogue."""
        async with self._database.reading() as connection:
            row = (await connection.execute(_QUESTION, {"session": session_id, "head": None})).first()
            return None if row is None else turn_of(*row[:-1])

    async def undo(self, session_id: int) -> Turn | None:
        """Takes back the newest person's turn and what followed it, and returns that turn; None where there is none."""
        async with self._database.writing() as connection:
            head = await lock_session(connection, session_id)
            row = (await connection.execute(_QUESTION, {"session": session_id, "head": head})).first()
            if row is None:
                return None
            await change_session(connection, session_id, head_turn_id=row.parent_id)
            return turn_of(*row[:-1])

    async def _new_session(self, connection: AsyncConnection, key: SessionKey, persona: str, model: str) -> Session:
        """Where another program began one at the same moment, that one."""
        await add_session(self._database, connection, key, persona, model)
        session = await _first_session(connection, *has_key(key))
        if session is None:
            raise StorageError("Another program ended the new session at once; try again")
        return session

    async def _add_message(
        self, connection: AsyncConnection, session_id: int, head: int | None, message: InboundMessage
    ) -> Turn:
        text, speaker = storable(message.text), storable(message.person.name)
        values: dict[str, object] = {
            "session_id": session_id,
            "parent_id": head,
            "role": Role.PERSON.value,
            "person_id": await remember_person(self._database, connection, message.person),
            "text": text,
            "state": TurnState.WAITING.value,
            "created_at": message.sent_at,
        }
        turn_id = await add_turn(connection, values)
        await claim_message(self._database, connection, message, turn_id)
        await change_session(connection, session_id, head_turn_id=turn_id)
        return Turn(turn_id, Role.PERSON, text, speaker)

    async def _recorded(self, message: InboundMessage) -> Turn:
        async with self._database.reading() as connection:
            turn = await find_recorded(connection, message)
        if turn is None:
            raise StorageError("Another program took the message and gave it up; send it again")
        return turn


async def _first_session(connection: AsyncConnection, *conditions: ColumnElement[bool]) -> Session | None:
    row = (await connection.execute(_SESSION.where(*conditions))).mappings().first()
    return None if row is None else _session_of(row)


def _session_of(row: RowMapping) -> Session:
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
    )


def _reply_values(session_id: int, parent_turn_id: int, reply: ReplyRecord) -> dict[str, object]:
    return {
        "session_id": session_id,
        "parent_id": parent_turn_id,
        "role": Role.ASSISTANT.value,
        "state": reply.state.value,
        "tokenizer": None if reply.tokens is None else reply.tokens.tokenizer,
        "token_count": None if reply.tokens is None else len(reply.tokens.ids),
        "token_ids": None if reply.tokens is None else pack_ids(reply.tokens.ids),
        "text": storable(reply.text),
        "model": reply.model,
        "finish_reason": reply.finish_reason.value,
        "prompt_start_id": reply.prompt_start_id,
        "prompt_turns": reply.prompt_turns,
        "prompt_tokens": reply.prompt_tokens,
        "seed": reply.seed,
        "queue_s": reply.queue_s,
        "first_token_s": reply.first_token_s,
        "total_s": reply.total_s,
        "created_at": datetime.now(UTC),
    }
