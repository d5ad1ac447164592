"""What is remembered, as named steps over a connection that is open: any number of them are one transaction.

`Memory.transaction` begins one. What the steps did is there when it ends, or nothing of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeVar

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.dialogue import FinishReason, InboundMessage, Person, Role, SessionKey, Turn, TurnState
from core.errors import StorageError
from core.memory import linking, outbox_writes, statistics
from core.memory.candidates import add_candidates
from core.memory.chain import walk_to_question
from core.memory.database import Database
from core.memory.leased import Lease, WaitingMessage
from core.memory.leases import check
from core.memory.linking import LinkRefusal, Said
from core.memory.owed import Again, Begun, Delivery, Saying
from core.memory.owed_rows import find_begun
from core.memory.recording import (
    Question,
    ReplyRecord,
    add_questions,
    add_turns,
    claim_message,
    find_recorded,
    mark_answered,
    move_heads_to_replies,
    remember_people,
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
from core.memory.statistics import Statistics
from core.memory.tables import InboxRow, PersonRow, SessionRow, TurnRow
from core.memory.turns import TURN, storable, turn_of

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class LastReply:
    """The reply that a dialogue ends with, and what it answers."""

    question: Turn
    reply: Turn
    finish_reason: FinishReason | None


_CHAIN = walk_to_question()
_QUESTION = (
    select(*TURN, TurnRow.parent_id)
    .join(_CHAIN, _CHAIN.c.id == TurnRow.id)
    .where(TurnRow.role == Role.PERSON.value, TurnRow.state != TurnState.IGNORED.value)
)


class Steps:
    """All of them raise StorageError."""

    def __init__(self, database: Database, connection: AsyncConnection) -> None:
        self.database = database
        #: For the steps of other modules of core.memory.
        self.connection = connection

    async def open_session(self, new: NewSession) -> Session:
        """The key's active session, or the new one. Where another program begins one at the same moment, that one."""
        return (await open_sessions(self.database, self.connection, [new]))[new.key]

    async def begin_session(self, key: SessionKey, persona: str, model: str) -> Session:
        """Ends the key's active session and begins a new one; what people chose for that one stays chosen."""
        earlier = await self.find_session(key)
        new = NewSession(key, persona, model)
        if earlier is not None:
            await lock_session(self.connection, earlier.id)
            await self.connection.execute(update(SessionRow).where(has_key(key)).values(active=False))
            new = replace(new, language=earlier.language, streaming=earlier.streaming)
        return await self.open_session(new)

    async def set_persona(self, session_id: int, persona: str, model: str) -> Session:
        return await self._change(session_id, persona=persona, model=model)

    async def set_model(self, session_id: int, model: str) -> Session:
        return await self._change(session_id, model=model)

    async def set_language(self, session_id: int, language: str) -> Session:
        """ "" is the place's own."""
        return await self._change(session_id, language=language)

    async def set_title(self, session_id: int, title: str) -> Session:
        return await self._change(session_id, title=title)

    async def set_streaming(self, session_id: int, streaming: bool) -> Session:
        return await self._change(session_id, streaming=streaming)

    async def session(self, session_id: int) -> Session | None:
        return await find_session(self.connection, SessionRow.id == session_id)

    async def find_session(self, key: SessionKey) -> Session | None:
        """The key's active session."""
        return await find_session(self.connection, has_key(key))

    async def author(self, turn_id: int) -> str:
        """The platform's id of the person who said a turn; "" for the assistant's."""
        platform_id = select(PersonRow.platform_id).join(TurnRow, TurnRow.person_id == PersonRow.id)
        return (await self.connection.scalar(platform_id.where(TurnRow.id == turn_id))) or ""

    async def last_question(self, session_id: int) -> Turn | None:
        """The newest person's turn of the dialogue."""
        row = (await self.connection.execute(_QUESTION, {"session": session_id, "head": None})).first()
        return None if row is None else turn_of(*row[:-1])

    async def last_reply(self, session_id: int) -> LastReply | None:
        """None where the dialogue does not end with a reply."""
        head = select(SessionRow.head_turn_id).where(SessionRow.id == session_id).scalar_subquery()
        last = select(*TURN, TurnRow.finish_reason).where(TurnRow.id == head, TurnRow.role == Role.ASSISTANT.value)
        row = (await self.connection.execute(last)).first()
        question = None if row is None else await self.last_question(session_id)
        if row is None or question is None:
            return None
        reason = None if row.finish_reason is None else FinishReason(row.finish_reason)
        return LastReply(question, turn_of(*row[:-1]), reason)

    async def undo(self, session_id: int) -> Turn | None:
        """Takes back the newest person's turn and what followed it, and returns that turn; None where there is none."""
        head = await lock_session(self.connection, session_id)
        row = (await self.connection.execute(_QUESTION, {"session": session_id, "head": head})).first()
        if row is None:
            return None
        await change_session(self.connection, session_id, head_turn_id=row.parent_id)
        return turn_of(*row[:-1])

    async def record_message(self, session_id: int, message: InboundMessage) -> Turn:
        """See `Memory.record_message`. Raises AlreadyRecorded: the transaction must be taken back."""
        head = await lock_session(self.connection, session_id)
        if earlier := await find_recorded(self.connection, message):
            return earlier
        question = Question(session_id, head, message.person, message.text, message.sent_at)
        [turn] = await add_questions(self.database, self.connection, [question])
        await claim_message(self.database, self.connection, message, turn.id)
        return turn

    async def record_reply(self, session_id: int, parent_turn_id: int, reply: ReplyRecord) -> Turn:
        """See `Memory.record_reply`."""
        await lock_session(self.connection, session_id)
        await require_question(self.connection, session_id, parent_turn_id)
        await mark_answered(self.connection, [(session_id, parent_turn_id, reply.question_token_count)])
        [turn_id] = await add_turns(self.connection, [reply_row(session_id, parent_turn_id, reply)])
        await add_candidates(self.connection, [(turn_id, reply.candidates)])
        await move_heads_to_replies(self.connection, [(session_id, parent_turn_id, turn_id)])
        return Turn(
            turn_id, Role.ASSISTANT, storable(reply.text), tokens=reply.tokens, prompt_start_id=reply.prompt_start_id
        )

    async def begun(self, lease: Lease, message: WaitingMessage) -> Begun | None:
        """What an earlier try has begun for a message, seen under the lease. Raises LeaseLost."""
        lost = (await check(self.connection, [lease]))[lease]
        if lost is not None:
            raise lost
        turn_id: int | None = await self.connection.scalar(select(InboxRow.turn_id).where(InboxRow.id == message.id))
        return await find_begun(self.connection, message.id, turn_id)

    async def say(self, saying: Saying) -> Delivery:
        """Raises LeaseLost."""
        return _one(await outbox_writes.say(self.database, self.connection, [saying]))

    async def again(self, again: Again) -> Begun:
        """Raises LeaseLost."""
        return _one(await outbox_writes.again(self.database, self.connection, [again]))

    async def new_link_code(self, person: Person, now: datetime) -> str:
        """What this person says as another identity of theirs; every earlier code is void."""
        return await linking.new_code(self.database, self.connection, await self._person_id(person), now)

    async def link(self, person: Person, code: str, now: datetime) -> Person | LinkRefusal:
        """Whom the person is joined with, or why they are not."""
        return await linking.redeem(self.database, self.connection, Said(await self._person_id(person), code, now))

    async def unlink(self, person: Person) -> bool:
        """Whether they were linked."""
        return await linking.unlink(self.connection, await self._person_id(person))

    async def identities(self, person: Person) -> tuple[Person, ...]:
        """All that belong to the same human, this one among them."""
        return await linking.linked_people(self.connection, await self._person_id(person))

    async def session_statistics(self, session_id: int) -> Statistics:
        return await statistics.of_session(self.connection, session_id)

    async def person_statistics(self, person: Person, session_id: int | None = None) -> Statistics:
        """Of what they asked; in one session, or in all."""
        return await statistics.of_person(self.connection, await self._person_id(person), session_id)

    async def _change(self, session_id: int, **values: object) -> Session:
        await lock_session(self.connection, session_id)
        await change_session(self.connection, session_id, **values)
        rows = await self.connection.execute(SESSION.where(SessionRow.id == session_id))
        return session_of(rows.mappings().one())

    async def _person_id(self, person: Person) -> int:
        return (await remember_people(self.database, self.connection, [person]))[person]


def _one(results: Sequence[_Result | StorageError]) -> _Result:
    """What became of a group of one."""
    [result] = results
    if isinstance(result, StorageError):
        raise result
    return result
