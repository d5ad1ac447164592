"""What is remembered, as named queries over SQLite and PostgreSQL.

Turns are a tree and a session's head is a leaf of it: taking back moves the head up, drawing again grows a second
reply beside the first. Nothing is deleted by either. Every method is one transaction and raises StorageError.
"""

from dataclasses import dataclass

from sqlalchemy import func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.dialogue import InboundMessage, Role, SessionKey, Turn
from core.errors import StorageError
from core.memory import recall, transcript
from core.memory.chain import walk_to_question
from core.memory.database import Database
from core.memory.recording import (
    AlreadyRecorded,
    Question,
    ReplyRecord,
    add_questions,
    add_turns,
    claim_message,
    find_recorded,
    mark_answered,
    move_heads_to_replies,
    reply_row,
    require_question,
)
from core.memory.sessions import (
    SESSION,
    NewSession,
    Session,
    change_session,
    find_session,
    has_key,
    lock_session,
    open_sessions,
    session_of,
)
from core.memory.tables import PersonRow, SessionRow, TurnRow
from core.memory.transcript import TranscriptTurn
from core.memory.turns import TURN, storable, turn_of


@dataclass(frozen=True, slots=True)
class SessionSummary:
    session: Session
    #: All that are stored, those that were taken back or drawn again too.
    turns: int


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
            if found := await find_session(connection, has_key(key)):
                return found
        async with self._database.writing() as connection:
            return await self._new_session(connection, key, persona, model)

    async def begin_session(self, key: SessionKey, persona: str, model: str) -> Session:
        """Ends the key's active session and begins a new one."""
        async with self._database.writing() as connection:
            await connection.execute(update(SessionRow).where(has_key(key)).values(active=False))
            return await self._new_session(connection, key, persona, model)

    async def set_persona(self, session_id: int, persona: str, model: str) -> Session:
        async with self._database.writing() as connection:
            await lock_session(connection, session_id)
            await change_session(connection, session_id, persona=persona, model=model)
            rows = await connection.execute(SESSION.where(SessionRow.id == session_id))
            return session_of(rows.mappings().one())

    async def session(self, session_id: int) -> Session | None:
        async with self._database.reading() as connection:
            return await find_session(connection, SessionRow.id == session_id)

    async def has_session(self, key: SessionKey) -> bool:
        """Whether a dialogue is going on there."""
        async with self._database.reading() as connection:
            return await find_session(connection, has_key(key)) is not None

    async def list_sessions(self, limit: int) -> tuple[SessionSummary, ...]:
        """The last active first."""
        newest = SESSION.add_columns(_TURN_COUNT.label("turns")).order_by(
            SessionRow.last_active_at.desc(), SessionRow.id.desc()
        )
        async with self._database.reading() as connection:
            rows = await connection.execute(newest.limit(limit))
            return tuple(SessionSummary(session_of(row), row["turns"]) for row in rows.mappings())

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
            await require_question(connection, session_id, parent_turn_id)
            await mark_answered(connection, [(session_id, parent_turn_id, reply.question_token_count)])
            [turn_id] = await add_turns(connection, [reply_row(session_id, parent_turn_id, reply)])
            await move_heads_to_replies(connection, [(session_id, parent_turn_id, turn_id)])
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
        new = NewSession(key, persona, model)
        return (await open_sessions(self._database, connection, [new]))[key]

    async def _add_message(
        self, connection: AsyncConnection, session_id: int, head: int | None, message: InboundMessage
    ) -> Turn:
        question = Question(session_id, head, message.person, message.text, message.sent_at)
        [turn] = await add_questions(self._database, connection, [question])
        await claim_message(self._database, connection, message, turn.id)
        return turn

    async def _recorded(self, message: InboundMessage) -> Turn:
        async with self._database.reading() as connection:
            turn = await find_recorded(connection, message)
        if turn is None:
            raise StorageError("Another program took the message and gave it up; send it again")
        return turn
