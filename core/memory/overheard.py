"""What people say around the bot, remembered as turns that nobody answers."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.dialogue import InboundMessage, TurnState
from core.memory.database import Database
from core.memory.leased import Lease, WaitingMessage, Work
from core.memory.outbox_writes import under_lease
from core.memory.recording import Question, add_questions, claim_messages, message_row
from core.memory.sessions import NewSession, lock_sessions, open_sessions
from core.memory.tables import Id, InboxRow
from core.memory.waiting import next_of


@dataclass(frozen=True, slots=True)
class Overheard:
    lease: Lease
    message: WaitingMessage
    session: NewSession
    reason: str


@under_lease
async def remember(database: Database, connection: AsyncConnection, items: Sequence[Overheard]) -> list[Work | None]:
    """The turn, as the dialogue's head, and the end of its message; what waits next there."""
    sessions = await open_sessions(database, connection, [item.session for item in items])
    of_items = [sessions[item.session.key] for item in items]
    heads = await lock_sessions(connection, (session.id for session in of_items))
    said = [_said(item) for item in items]
    questions = [
        Question(session.id, heads[session.id], one.person, one.text, one.sent_at, TurnState.IGNORED)
        for session, one in zip(of_items, said, strict=True)
    ]
    turns = [turn.id for turn in await add_questions(database, connection, questions)]
    known = [message_row(one.session_key, one.message_id, turn, "in") for one, turn in zip(said, turns, strict=True)]
    await claim_messages(database, connection, known)
    ended = update(InboxRow).where(InboxRow.id == bindparam("of", type_=Id))
    values = {"turn_id": bindparam("turn", type_=Id), "reason": bindparam("why"), "state": TurnState.IGNORED.value}
    rows = [{"of": item.message.id, "turn": turn, "why": item.reason} for item, turn in zip(items, turns, strict=True)]
    await connection.execute(ended.values({**values, "raw": None}), rows)
    return await next_of(database, connection, [item.lease for item in items])


def _said(item: Overheard) -> InboundMessage:
    said = item.message.inbound
    if not isinstance(said, InboundMessage):
        raise TypeError("only a message is overheard")
    return said
