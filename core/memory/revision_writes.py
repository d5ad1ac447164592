"""The transactions of `Revising`: rare, so each item is carried out by itself."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.dialogue import Feedback, InboundMessage, Move, Opinion, Person, Role, TurnState
from core.memory.database import Database
from core.memory.erasing import clear_summaries, cut_turns, with_replies
from core.memory.feedback import Opined, add_opinion, find_reply
from core.memory.inbound_json import dump
from core.memory.leased import Lease, WaitingMessage
from core.memory.moving import move_channel, send_after
from core.memory.outbox_writes import under_lease
from core.memory.owed import DELIVERED, FAILED, STOPPED, STREAMING
from core.memory.sessions import lock_session
from core.memory.tables import OPEN_STATES, DeliveryRow, FeedbackRow, InboxRow, PartRow, TurnRow
from core.memory.turns import storable


@dataclass(frozen=True, slots=True)
class Edited:
    """A message says something else now."""

    lease: Lease
    event: WaitingMessage
    #: The message's row in the inbox; None where it was forgotten there.
    row: int | None
    said: InboundMessage | None
    #: The turn that it is in, and all that this one says now; None while it waits.
    turn_id: int | None = None
    text: str = ""
    #: Whose reply is begun again from its start, where it was seen so far.
    restarts: int | None = None
    #: Whose reply ends with what was seen of it.
    stops: int | None = None
    #: The question is answered once more, in the order of its place; else the event ends here.
    goes_on: bool = False


@dataclass(frozen=True, slots=True)
class Deleted:
    """A message is gone, and nothing else is left of its turn."""

    lease: Lease
    event: WaitingMessage
    row: int | None
    #: None where it was not begun.
    turn_id: int | None


@dataclass(frozen=True, slots=True)
class StoppedReply:
    """Somebody wants no more of the reply that is being written."""

    lease: Lease
    event: WaitingMessage
    person: Person
    delivery_id: int
    #: The event is taken care of by this; else something is said to it.
    ends: bool


@dataclass(frozen=True, slots=True)
class Judged:
    """Somebody's word about a reply that is finished."""

    lease: Lease
    event: WaitingMessage
    said: Feedback
    #: The event is taken care of by this; else it goes on.
    ends: bool = True


@dataclass(frozen=True, slots=True)
class Moved:
    """A channel has another id."""

    lease: Lease
    event: WaitingMessage
    said: Move


@dataclass(frozen=True, slots=True)
class Following:
    """Events that came for the old id of a channel."""

    lease: Lease
    rows: tuple[int, ...]


@under_lease
async def edit(_database: Database, connection: AsyncConnection, items: Sequence[Edited]) -> list[None]:
    for item in items:
        if item.said is not None:
            change = update(InboxRow).where(InboxRow.id == item.row)
            await connection.execute(change.values(inbound=storable(dump(item.said)), raw=None))
        if item.turn_id is not None:
            await _rewrite(connection, item.turn_id, item.text)
        if item.turn_id is not None and (item.goes_on or item.restarts is not None):
            await _supersede(connection, item.turn_id)
        if item.restarts is not None:
            await _begin_again(connection, item.restarts)
        if item.stops is not None:
            stopped = update(DeliveryRow).where(DeliveryRow.inbox_id == item.stops, DeliveryRow.state == STREAMING)
            await connection.execute(stopped.values(state=STOPPED))
        if item.goes_on:
            ordinary = update(InboxRow).where(InboxRow.id == item.event.id)
            await connection.execute(ordinary.values(urgent=False, turn_id=item.turn_id))
        else:
            await _end(connection, item.event)
    return [None for _ in items]


async def _rewrite(connection: AsyncConnection, turn_id: int, text: str) -> None:
    row = (await connection.execute(select(TurnRow.session_id).where(TurnRow.id == turn_id))).one()
    await lock_session(connection, row.session_id)
    change = update(TurnRow).where(TurnRow.id == turn_id)
    await connection.execute(change.values(text=storable(text), token_count=None))
    await clear_summaries(connection, {row.session_id})


async def _supersede(connection: AsyncConnection, turn_id: int) -> None:
    """The replies that were made to the old words are no answers to the new ones."""
    replies = update(TurnRow).where(TurnRow.parent_id == turn_id, TurnRow.role == Role.ASSISTANT.value)
    await connection.execute(replies.values(state=TurnState.CANCELLED.value))


async def _begin_again(connection: AsyncConnection, row: int) -> None:
    """What is known of the reply's messages stays: the new words are put in their place."""
    owed = select(DeliveryRow.id).where(DeliveryRow.inbox_id == row)
    delivery_id = await connection.scalar(owed)
    if delivery_id is None:
        return
    fresh = {"state": STREAMING, "text": "", "token_ids": None, "seed": None, "turn_id": None}
    await connection.execute(update(DeliveryRow).where(DeliveryRow.id == delivery_id).values(fresh))
    await connection.execute(
        update(PartRow).where(PartRow.delivery_id == delivery_id).values({PartRow.end: None, PartRow.closed: False})
    )
    stops = update(FeedbackRow).where(FeedbackRow.delivery_id == delivery_id, FeedbackRow.turn_id.is_(None))
    await connection.execute(stops.values(withdrawn=True))
    change = update(InboxRow).where(InboxRow.id == row, InboxRow.state.in_(OPEN_STATES))
    await connection.execute(change.values(state=TurnState.ANSWERING.value, attempts=0))


@under_lease
async def take_out(_database: Database, connection: AsyncConnection, items: Sequence[Deleted]) -> list[None]:
    for item in items:
        first = select(InboxRow.id).where(InboxRow.turn_id == item.turn_id).scalar_subquery()
        is_it = or_(InboxRow.turn_id == item.turn_id, InboxRow.joined_id.in_(first))
        rows = (await connection.scalars(select(InboxRow.id).where(is_it, InboxRow.state.in_(OPEN_STATES)))).all()
        change = update(InboxRow).where(InboxRow.id.in_(rows))
        await connection.execute(change.values(state=TurnState.CANCELLED.value, reason="deleted", raw=None))
        owed = update(DeliveryRow).where(DeliveryRow.inbox_id.in_(rows), DeliveryRow.state != DELIVERED)
        await connection.execute(owed.values(state=FAILED))
    return [None for _ in items]


@under_lease
async def forget(_database: Database, connection: AsyncConnection, items: Sequence[Deleted]) -> list[None]:
    for item in items:
        if item.turn_id is not None:
            await _forget_turn(connection, item.turn_id)
        change = update(InboxRow).where(InboxRow.id == item.row, InboxRow.state.in_(OPEN_STATES))
        gone = {"state": TurnState.CANCELLED.value, "reason": "deleted", "inbound": None, "raw": None}
        await connection.execute(change.values(gone))
        await _end(connection, item.event)
    return [None for _ in items]


async def _forget_turn(connection: AsyncConnection, turn_id: int) -> None:
    """With the replies to it, wherever it stands; what followed them follows what it followed."""
    session_id = await connection.scalar(select(TurnRow.session_id).where(TurnRow.id == turn_id))
    if session_id is None:
        return
    await lock_session(connection, session_id)
    going = await with_replies(connection, [turn_id])
    follows = TurnRow.parent_id.in_(going), TurnRow.id.not_in(going)
    next_id = await connection.scalar(select(TurnRow.id).where(*follows).order_by(TurnRow.id.desc()).limit(1))
    starts = update(TurnRow).where(TurnRow.session_id == session_id, TurnRow.prompt_start_id.in_(going))
    await connection.execute(starts.values(prompt_start_id=next_id))
    await cut_turns(connection, going)


@under_lease
async def judge(database: Database, connection: AsyncConnection, items: Sequence[Judged]) -> list[bool]:
    return [await _judge_one(database, connection, item) for item in items]


async def _judge_one(database: Database, connection: AsyncConnection, item: Judged) -> bool:
    said = item.said
    turn_id = await find_reply(connection, said.session_key, said.message_id)
    if turn_id is None:
        return False
    await add_opinion(database, connection, Opined(said.person, said.opinion, said.is_withdrawn, turn_id))
    if item.ends:
        await _end(connection, item.event)
    return True


@under_lease
async def stop(database: Database, connection: AsyncConnection, items: Sequence[StoppedReply]) -> list[None]:
    for item in items:
        owed = DeliveryRow.id == item.delivery_id
        stopped = update(DeliveryRow).where(owed, DeliveryRow.state == STREAMING)
        await connection.execute(stopped.values(state=STOPPED))
        row = (await connection.execute(select(DeliveryRow.inbox_id, DeliveryRow.turn_id).where(owed))).one()
        now = update(InboxRow).where(InboxRow.id == row.inbox_id)
        await connection.execute(now.values(not_before=InboxRow.accepted_at))
        about = item.delivery_id if row.turn_id is None else None
        await add_opinion(
            database, connection, Opined(item.person, Opinion.STOP, turn_id=row.turn_id, delivery_id=about)
        )
        if item.ends:
            await _end(connection, item.event)
    return [None for _ in items]


@under_lease
async def move(database: Database, connection: AsyncConnection, items: Sequence[Moved]) -> list[None]:
    for item in items:
        await _end(connection, item.event)
        await move_channel(database, connection, item.lease, item.said)
    return [None for _ in items]


@under_lease
async def follow(database: Database, connection: AsyncConnection, items: Sequence[Following]) -> list[None]:
    for item in items:
        await send_after(database, connection, item.rows)
    return [None for _ in items]


async def _end(connection: AsyncConnection, event: WaitingMessage) -> None:
    """What it said is in the turn now, or nowhere."""
    ended = {"state": TurnState.DELIVERED.value, "inbound": None, "raw": None}
    await connection.execute(update(InboxRow).where(InboxRow.id == event.id).values(ended))
