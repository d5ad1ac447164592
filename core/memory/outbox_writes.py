"""The transactions of the outbox: each carries out any number of replies' steps at once.

What another process' lease forbids is refused alone, and the rest of the group goes on.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from functools import wraps
from typing import Protocol, TypeVar

from sqlalchemy import CompoundSelect, bindparam, or_, select, union_all, update
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import aliased

from core.dialogue import FinishReason, InboundMessage, Turn, TurnState
from core.errors import StorageError
from core.memory.candidates import add_candidates
from core.memory.database import Database
from core.memory.feedback import settle_opinions
from core.memory.leased import Lease
from core.memory.leases import check
from core.memory.lists import is_among
from core.memory.owed import (
    Again,
    Beginning,
    Begun,
    Delivery,
    Progress,
    Resuming,
    Saying,
    Whole,
)
from core.memory.owed_rows import find_begun, owe, write_deliveries, write_parts
from core.memory.recording import (
    Question,
    add_questions,
    add_turns,
    claim_messages,
    mark_answered,
    message_row,
    move_heads_to_replies,
    reply_row,
)
from core.memory.sessions import lock_sessions, open_sessions
from core.memory.tables import OPEN_STATES, Id, InboxRow
from core.memory.turns import storable
from core.memory.usage import count_usage


class _Leased(Protocol):
    @property
    def lease(self) -> Lease: ...


_Item = TypeVar("_Item", bound=_Leased)
_Result = TypeVar("_Result")
_Writes = Callable[[Database, AsyncConnection, Sequence[_Item]], Awaitable[Sequence[_Result]]]
_Refusable = Callable[[Database, AsyncConnection, Sequence[_Item]], Awaitable[list[_Result | StorageError]]]


def under_lease(write: _Writes[_Item, _Result]) -> _Refusable[_Item, _Result]:
    """The items whose lease is good reach `write`; the others are told that it is lost."""

    @wraps(write)
    async def checked(
        database: Database, connection: AsyncConnection, items: Sequence[_Item]
    ) -> list[_Result | StorageError]:
        lost = await check(connection, [item.lease for item in items])
        good = [item for item in items if lost[item.lease] is None]
        results = iter(await write(database, connection, good) if good else ())
        return [lost[item.lease] or next(results) for item in items]

    return checked


@under_lease
async def begin(database: Database, connection: AsyncConnection, items: Sequence[Beginning]) -> list[Begun]:
    sessions = await open_sessions(database, connection, [item.session for item in items])
    of_items = [sessions[item.session.key] for item in items]
    heads = await lock_sessions(connection, (session.id for session in of_items))
    first = [_said(item) for item in items]
    questions = [
        Question(session.id, heads[session.id], said.person, item.text, said.sent_at, TurnState.ANSWERING)
        for item, said, session in zip(items, first, of_items, strict=True)
    ]
    turns = await add_questions(database, connection, questions)
    rows = [
        message_row(message.inbound.session_key, message.inbound.message_id, turn.id, "in")
        for item, turn in zip(items, turns, strict=True)
        for message in item.messages
        if isinstance(message.inbound, InboundMessage)
    ]
    await claim_messages(database, connection, rows)
    await _mark_begun(connection, [(item.messages[0].id, turn.id) for item, turn in zip(items, turns, strict=True)])
    await _join(connection, items)
    deliveries = await owe(database, connection, [(item.messages[0], item.owed) for item in items])
    begun = zip(deliveries, of_items, turns, strict=True)
    return [Begun(delivery, session, turn) for delivery, session, turn in begun]


def _said(item: Beginning) -> InboundMessage:
    said = item.messages[0].inbound
    if not isinstance(said, InboundMessage):
        raise TypeError("only a message is answered")
    return said


async def _mark_begun(connection: AsyncConnection, begun: Sequence[tuple[int, int | None]]) -> None:
    """What has ended meanwhile stays ended."""
    await connection.execute(_MARK_BEGUN, [{"of": one[0], "turn": one[1]} for one in begun])


_MARK_BEGUN = (
    update(InboxRow)
    .where(
        InboxRow.id == bindparam("of", type_=Id),
        or_(*(InboxRow.state == state for state in OPEN_STATES)),  # IN can't be said for many rows at once
    )
    .values(state=TurnState.ANSWERING.value, attempts=InboxRow.attempts + 1, turn_id=bindparam("turn", type_=Id))
)


async def _join(connection: AsyncConnection, items: Sequence[Beginning]) -> None:
    rows = [{"of": later.id, "first": item.messages[0].id} for item in items for later in item.messages[1:]]
    if rows:
        change = update(InboxRow).where(InboxRow.id == bindparam("of", type_=Id))
        values = {"state": TurnState.ANSWERING.value, "joined_id": bindparam("first", type_=Id)}
        await connection.execute(change.values(values), rows)


@under_lease
async def resume(_database: Database, connection: AsyncConnection, items: Sequence[Resuming]) -> list[Begun | None]:
    """Rare: one by one."""
    found = []
    for item in items:
        await _mark_begun(connection, [(item.message.id, item.message.turn_id)])
        found.append(await find_begun(connection, item.message.id, item.message.turn_id))
    return found


@under_lease
async def again(database: Database, connection: AsyncConnection, items: Sequence[Again]) -> list[Begun]:
    await _mark_begun(connection, [(item.message.id, item.question.id) for item in items])
    new = [
        (item.message, Delivery(0, item.token, continues_id=_id(item.continues), parts=item.parts)) for item in items
    ]
    deliveries = await owe(database, connection, new)
    await write_parts(database, connection, deliveries)
    begun = zip(deliveries, items, strict=True)
    return [Begun(delivery, item.session, item.question, item.continues) for delivery, item in begun]


def _id(turn: Turn | None) -> int | None:
    return None if turn is None else turn.id


@under_lease
async def say(database: Database, connection: AsyncConnection, items: Sequence[Saying]) -> list[Delivery]:
    deliveries = await owe(database, connection, [(item.message, item.delivery) for item in items])
    await write_parts(database, connection, deliveries)
    change = update(InboxRow).where(InboxRow.id == bindparam("of", type_=Id))
    values = {"state": TurnState.ANSWERED.value, "reason": bindparam("why")}
    said = [{"of": item.message.id, "why": storable(item.reason)} for item in items]
    await connection.execute(change.values(values), said)
    return deliveries


@under_lease
async def progress(database: Database, connection: AsyncConnection, items: Sequence[Progress]) -> list[None]:
    await write_deliveries(database, connection, [item.delivery for item in items])
    return [None for _ in items]


@under_lease
async def record(database: Database, connection: AsyncConnection, items: Sequence[Whole]) -> list[Delivery]:
    await lock_sessions(connection, (item.session.id for item in items))
    rows = [reply_row(item.session.id, item.question.id, item.record) for item in items]
    ids = await add_turns(connection, rows)
    answered = [(item.session.id, item.question.id, item.record.question_token_count) for item in items]
    await mark_answered(connection, answered)
    replies = [(item.session.id, item.question.id, turn_id) for item, turn_id in zip(items, ids, strict=True)]
    await move_heads_to_replies(connection, replies)
    deliveries = [replace(item.delivery, turn_id=turn_id) for item, turn_id in zip(items, ids, strict=True)]
    await write_deliveries(database, connection, deliveries)
    await set_state(connection, (item.message.id for item in items), TurnState.ANSWERED)
    drawn = zip(items, ids, strict=True)
    await add_candidates(connection, [(turn_id, item.record.candidates) for item, turn_id in drawn])
    ended = [one for one in zip(items, ids, strict=True) if one[0].record.finish_reason is FinishReason.CANCELLED]
    await settle_opinions(connection, [(item.delivery.id, turn_id) for item, turn_id in ended])
    await count_usage(database, connection, items)
    return deliveries


async def set_state(
    connection: AsyncConnection, ids: Iterable[int], state: TurnState, *, with_joined: bool = False
) -> None:
    statement = _SET_STATE_WITH_JOINED if with_joined else _SET_STATE
    await connection.execute(statement, {"ids": list(ids), "new_state": state.value})


def _with_joined(ids: str) -> CompoundSelect[int]:
    """SQLite finds neither of two lists by an index where they are joined by OR."""
    row = aliased(InboxRow)
    return union_all(select(row.id).where(is_among(row.id, ids)), select(row.id).where(is_among(row.joined_id, ids)))


_SET_STATE = update(InboxRow).where(is_among(InboxRow.id, "ids")).values(state=bindparam("new_state"))
_SET_STATE_WITH_JOINED = (
    update(InboxRow).where(InboxRow.id.in_(_with_joined("ids"))).values(state=bindparam("new_state"), raw=None)
)
