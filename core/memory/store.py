"""What is remembered, as named queries over SQLite and PostgreSQL.

Turns are a tree and a session's head is a leaf of it: taking back moves the head up, drawing again grows a second
reply beside the first. Nothing is deleted by either. Every method is one transaction and raises StorageError.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from sqlalchemy import func, select

from core.dialogue import InboundMessage, Role, SessionKey, Summary, Turn
from core.errors import StorageError
from core.memory import recall, summaries, transcript
from core.memory.database import Database
from core.memory.grouped import GroupedReads
from core.memory.recall import Recalled, Wanted
from core.memory.recording import AlreadyRecorded, ReplyRecord, find_recorded
from core.memory.search import Search, search
from core.memory.sessions import SESSION, NewSession, Session, session_of
from core.memory.steps import Steps
from core.memory.summaries import NewSummary
from core.memory.tables import SessionRow, TurnRow
from core.memory.transcript import TranscriptTurn


@dataclass(frozen=True, slots=True)
class SessionSummary:
    session: Session
    #: All that are stored, those that were taken back or drawn again too.
    turns: int


_TURN_COUNT = select(func.count()).where(TurnRow.session_id == SessionRow.id).scalar_subquery()


class Memory:
    """Any number of tasks and programs may use one database at the same time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._reads = GroupedReads(database)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Steps]:
        """Several steps in one transaction; an error inside takes all of it back."""
        async with self._database.writing() as connection:
            yield Steps(self._database, connection)

    async def open_session(self, key: SessionKey, persona: str, model: str) -> Session:
        """The key's active session, or a new one with this persona and model."""
        if found := await self.find_session(key):
            return found
        async with self.transaction() as steps:
            return await steps.open_session(NewSession(key, persona, model))

    async def begin_session(self, key: SessionKey, persona: str, model: str) -> Session:
        """Ends the key's active session and begins a new one."""
        async with self.transaction() as steps:
            return await steps.begin_session(key, persona, model)

    async def set_persona(self, session_id: int, persona: str, model: str) -> Session:
        async with self.transaction() as steps:
            return await steps.set_persona(session_id, persona, model)

    async def set_title(self, session_id: int, title: str) -> Session:
        async with self.transaction() as steps:
            return await steps.set_title(session_id, title)

    async def session(self, session_id: int) -> Session | None:
        async with self._reading() as steps:
            return await steps.session(session_id)

    async def find_session(self, key: SessionKey) -> Session | None:
        """The dialogue that is going on there."""
        async with self._reading() as steps:
            return await steps.find_session(key)

    async def has_session(self, key: SessionKey) -> bool:
        """Whether a dialogue is going on there."""
        return await self.find_session(key) is not None

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
        return (await self.recall_from(session_id, max_tokens, head_turn_id)).turns

    async def recall_from(self, session_id: int, max_tokens: int, head_turn_id: int | None) -> Recalled:
        """See `recall`; and whether there is more before."""
        return await self._reads.read(recall.recall, Wanted(session_id, max_tokens, head_turn_id))

    async def search(self, wanted: Search) -> tuple[Turn, ...]:
        """Older turns of one dialogue that have words of the question, the best first."""
        return await search(self._database, wanted)

    async def summaries(self, session_id: int, head_turn_id: int) -> tuple[Summary, ...]:
        """What was said before, in short: at most the one in use and the next one, oldest first."""
        return await summaries.summaries(self._database, session_id, head_turn_id)

    async def add_summary(self, new: NewSummary) -> bool:
        """False where what was read has changed since; then nothing is kept."""
        return await summaries.add_summary(self._database, new)

    async def transcript(self, session_id: int, limit: int) -> tuple[TranscriptTurn, ...]:
        """The newest `limit` turns of the dialogue with all that is known of them, oldest first."""
        return await transcript.transcript(self._database, session_id, limit)

    async def record_message(self, session_id: int, message: InboundMessage) -> Turn:
        """A person's turn, waiting, as the dialogue's head. A second copy of a message is the turn of the first."""
        try:
            async with self.transaction() as steps:
                return await steps.record_message(session_id, message)
        except AlreadyRecorded:
            return await self._recorded(message)

    async def record_reply(self, session_id: int, parent_turn_id: int, reply: ReplyRecord) -> Turn:
        """The assistant's turn, as the head; the turn that it answers is answered then.

        Where the dialogue went on or was taken back meanwhile, the head stays and the reply is kept beside it.
        """
        async with self.transaction() as steps:
            return await steps.record_reply(session_id, parent_turn_id, reply)

    async def replies_to(self, turn_id: int) -> tuple[str, ...]:
        """The texts of the replies that were drawn for a turn, oldest first."""
        replies = select(TurnRow.text).where(TurnRow.parent_id == turn_id, TurnRow.role == Role.ASSISTANT.value)
        async with self._database.reading() as connection:
            return tuple((await connection.scalars(replies.order_by(TurnRow.id))).all())

    async def author(self, turn_id: int) -> str:
        """The platform's id of the person who said a turn; "" for the assistant's."""
        async with self._reading() as steps:
            return await steps.author(turn_id)

    async def last_question(self, session_id: int) -> Turn | None:
        """The newest person's turn of the dialogue."""
        async with self._reading() as steps:
            return await steps.last_question(session_id)

    async def undo(self, session_id: int) -> Turn | None:
        """Takes back the newest person's turn and what followed it, and returns that turn; None where there is none."""
        async with self.transaction() as steps:
            return await steps.undo(session_id)

    @asynccontextmanager
    async def _reading(self) -> AsyncIterator[Steps]:
        """For a single step that only reads."""
        async with self._database.reading() as connection:
            yield Steps(self._database, connection)

    async def _recorded(self, message: InboundMessage) -> Turn:
        async with self._database.reading() as connection:
            turn = await find_recorded(connection, message)
        if turn is None:
            raise StorageError("Another program took the message and gave it up; send it again")
        return turn
