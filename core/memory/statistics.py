"""What was asked and answered, in numbers. Who calls these steps has opened the connection."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from core.dialogue import Role
from core.memory.tables import TurnRow


@dataclass(frozen=True, slots=True)
class Statistics:
    questions: int = 0
    replies: int = 0
    #: Of prompts, and of replies.
    tokens_read: int = 0
    tokens_written: int = 0
    #: Means over the replies of which they were measured; None where there is none.
    queue_s: float | None = None
    first_token_s: float | None = None
    total_s: float | None = None


_QUESTION = aliased(TurnRow)
_IS_REPLY = TurnRow.role == Role.ASSISTANT.value
_REPLIES = (
    func.count(),
    func.coalesce(func.sum(TurnRow.prompt_tokens), 0),
    func.coalesce(func.sum(TurnRow.token_count), 0),
    func.avg(TurnRow.queue_s),
    func.avg(TurnRow.first_token_s),
    func.avg(TurnRow.total_s),
)


async def of_session(connection: AsyncConnection, session_id: int) -> Statistics:
    """Those that were taken back or drawn again count too."""
    in_session = TurnRow.session_id == session_id
    questions = await connection.scalar(select(func.count()).where(in_session, TurnRow.role == Role.PERSON.value))
    row = (await connection.execute(select(*_REPLIES).where(in_session, _IS_REPLY))).one()
    return Statistics(questions or 0, *row)


async def of_person(connection: AsyncConnection, person_id: int, session_id: int | None = None) -> Statistics:
    """What one person asked, and the replies to it; in one session, or in all."""
    asked = select(func.count()).where(TurnRow.person_id == person_id, *_in(session_id))
    replies = select(*_REPLIES).join(_QUESTION, _QUESTION.id == TurnRow.parent_id)
    answered = replies.where(_QUESTION.person_id == person_id, _IS_REPLY, *_in(session_id))
    return Statistics((await connection.scalar(asked)) or 0, *(await connection.execute(answered)).one())


def _in(session_id: int | None) -> tuple[ColumnElement[bool], ...]:
    return () if session_id is None else (TurnRow.session_id == session_id,)
