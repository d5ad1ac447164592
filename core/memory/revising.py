"""Messages that were changed or deleted on their platform after they had been accepted: what memory makes of that.

A message is found at its place while it waits, and by its turn afterwards. Who calls this sees to it that nobody
writes a reply to the same turn meanwhile; every write names the lease, and carries out everything or nothing.
"""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, and_, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from core.dialogue import Inbound, InboundMessage, Kind, SessionKey, Turn, TurnState
from core.memory import revision_writes as writes_of
from core.memory.database import Database
from core.memory.feedback import find_reply
from core.memory.grouped import GroupedWrites
from core.memory.inbound_json import load
from core.memory.owed import FAILED, SentPart
from core.memory.places import place_of
from core.memory.revision_writes import Deleted, Edited, Following, Judged, Moved, StoppedReply
from core.memory.sessions import Session, find_session
from core.memory.steps import Steps
from core.memory.tables import OPEN_STATES, DeliveryRow, InboxRow, PartRow, PlatformMessageRow, SessionRow, TurnRow
from core.memory.turns import TURN, turn_of


@dataclass(frozen=True, slots=True)
class Accepted:
    """A message that was accepted, as far as its answer has come."""

    #: In the inbox; None where it was forgotten there.
    row: int | None
    said: InboundMessage | None
    #: What it became, alone or in a burst; None while it waits.
    turn_id: int | None
    #: All messages of its turn by their rows, in their order.
    burst: dict[int, InboundMessage]
    #: Whose reply to that turn is still owed: its own row, or that of somebody who wants another one.
    answering: int | None = None
    #: Another reply to it is asked for, and not begun.
    is_wanted: bool = False


@dataclass(frozen=True, slots=True)
class Owed:
    """A reply that is not delivered yet."""

    row: int
    delivery_id: int
    state: str
    #: As far as it may have been seen.
    text: str
    #: What asked for it.
    token: str
    parts: tuple[SentPart, ...]


@dataclass(frozen=True, slots=True)
class Redrawable:
    """A question that can be answered once more."""

    session: Session
    question: Turn
    #: The platform's id of who asked.
    asker: str
    #: It ends the dialogue, with its replies.
    is_last: bool
    #: The messages of the reply that is seen now.
    parts: tuple[SentPart, ...]


class Revising:
    """All methods raise StorageError; writes LeaseLost where another process answers at the place by now."""

    def __init__(self, writes: GroupedWrites) -> None:
        self._database = writes.database
        self._writes = writes

    async def is_open(self, row: int) -> bool:
        """Whether an event still waits to be taken care of."""
        async with self._database.reading() as connection:
            state = await connection.scalar(select(InboxRow.state).where(InboxRow.id == row))
            return state in OPEN_STATES

    async def find(self, key: SessionKey, message_id: str) -> Accepted | None:
        """None where the message was never accepted, or came to nothing."""
        async with self._database.reading() as connection:
            turn_id = await _turn_of(connection, key, message_id)
            if turn_id is None:
                return await _waiting(connection, key, message_id)
            burst = await _said_in(connection, _answers(turn_id))
            row = next((row for row, said in burst.items() if said.message_id == message_id), None)
            owed = select(InboxRow.id, InboxRow.state).where(
                InboxRow.turn_id == turn_id, InboxRow.joined_id.is_(None), InboxRow.state.in_(OPEN_STATES)
            )
            by_state = {row.state: row.id for row in await connection.execute(owed)}
            is_wanted = by_state.pop(TurnState.WAITING.value, None) is not None
            answering = next(iter(by_state.values()), None)
            return Accepted(row, None if row is None else burst[row], turn_id, burst, answering, is_wanted)

    async def owed(self, row: int) -> Owed | None:
        """What is owed to a message that is being answered."""
        async with self._database.reading() as connection:
            found = await _owed(connection, InboxRow.id == row)
            return found[0] if found else None

    async def owed_at(self, place: str) -> tuple[Owed, Inbound] | None:
        """The reply that is being written or sent at a place, and what asked for it."""
        begun = (TurnState.ANSWERING.value, TurnState.ANSWERED.value)
        is_it = [InboxRow.place == place, InboxRow.state.in_(begun), InboxRow.joined_id.is_(None)]
        asked = select(InboxRow.id, InboxRow.kind, InboxRow.inbound).where(*is_it, InboxRow.urgent.is_(False))
        async with self._database.reading() as connection:
            row = (await connection.execute(asked)).first()
            found = [] if row is None else await _owed(connection, InboxRow.id == row.id)
            return (found[0], load(row.kind, row.inbound)) if row is not None and found else None

    async def needless(self, turn_id: int) -> tuple[Owed, ...]:
        """What was sent of replies to a turn that come to nothing."""
        async with self._database.reading() as connection:
            return tuple(await _owed(connection, _answers(turn_id), DeliveryRow.state == FAILED))

    async def question_of_reply(self, key: SessionKey, message_id: str) -> Redrawable | None:
        """What one of the bot's own messages answers."""
        async with self._database.reading() as connection:
            reply_id = await find_reply(connection, key, message_id)
            if reply_id is None:
                return None
            question = select(TurnRow.parent_id).where(TurnRow.id == reply_id)
            question_id = await connection.scalar(question)
            return None if question_id is None else await _redrawable(self._database, connection, question_id, reply_id)

    async def question(self, turn_id: int) -> Redrawable | None:
        """With the reply that the dialogue ends with, where that answers it."""
        head = select(SessionRow.head_turn_id).join(TurnRow, TurnRow.session_id == SessionRow.id)
        async with self._database.reading() as connection:
            reply_id = await connection.scalar(head.where(TurnRow.id == turn_id))
            return await _redrawable(self._database, connection, turn_id, reply_id)

    async def edit(self, edited: Edited) -> None:
        await self._writes.write(writes_of.edit, edited)

    async def take_out(self, deleted: Deleted) -> None:
        """The message is not answered any more, and what is sent of a reply to it is needless."""
        await self._writes.write(writes_of.take_out, deleted)

    async def forget(self, deleted: Deleted) -> None:
        """The turn is gone with the replies to it, and the event is taken care of."""
        await self._writes.write(writes_of.forget, deleted)

    async def judge(self, judged: Judged) -> bool:
        """Whether the reply is known."""
        return await self._writes.write(writes_of.judge, judged)

    async def stop(self, stopped: StoppedReply) -> None:
        """The reply ends with what there is of it."""
        await self._writes.write(writes_of.stop, stopped)

    async def move(self, moved: Moved) -> None:
        """The channel's dialogues go on in the new one; the lease is given up."""
        await self._writes.write(writes_of.move, moved)

    async def follow(self, following: Following) -> None:
        """They are answered where the channel went."""
        await self._writes.write(writes_of.follow, following)


def _answers(turn_id: int) -> ColumnElement[bool]:
    """The inbox' rows whose reply is one to that turn, with those that were joined to them."""
    first = select(InboxRow.id).where(InboxRow.turn_id == turn_id).scalar_subquery()
    return or_(InboxRow.turn_id == turn_id, InboxRow.joined_id.in_(first))


async def _turn_of(connection: AsyncConnection, key: SessionKey, message_id: str) -> int | None:
    """What a person's message became, alone or with others."""
    turn_id: int | None = await connection.scalar(
        select(PlatformMessageRow.turn_id).where(
            PlatformMessageRow.platform == key.platform.value,
            PlatformMessageRow.bot == key.bot,
            PlatformMessageRow.channel == key.channel,
            PlatformMessageRow.message_id == message_id,
            PlatformMessageRow.direction == "in",
        )
    )
    return turn_id


async def _waiting(connection: AsyncConnection, key: SessionKey, message_id: str) -> Accepted | None:
    """A message that was not begun yet; that of a command as well."""
    waiting = await _said_in(connection, and_(InboxRow.place == place_of(key), InboxRow.state.in_(_OPEN)))
    found = next(((row, said) for row, said in waiting.items() if said.message_id == message_id), None)
    return None if found is None else Accepted(found[0], found[1], None, dict([found]))


#: Spelled as the partial index is, which is used only then.
_OPEN = [literal(state, literal_execute=True) for state in OPEN_STATES]


async def _said_in(connection: AsyncConnection, which: ColumnElement[bool]) -> dict[int, InboundMessage]:
    """Row → what a person said, in their order."""
    asked = select(InboxRow.id, InboxRow.kind, InboxRow.inbound).where(which, InboxRow.inbound.is_not(None))
    rows = await connection.execute(asked.where(InboxRow.kind == Kind.MESSAGE.value).order_by(InboxRow.id))
    said = {row.id: load(row.kind, row.inbound) for row in rows}
    return {row: one for row, one in said.items() if isinstance(one, InboundMessage)}


async def _owed(connection: AsyncConnection, *which: ColumnElement[bool]) -> list[Owed]:
    asked = select(DeliveryRow.__table__).join(InboxRow, InboxRow.id == DeliveryRow.inbox_id).where(*which)
    found = []
    for row in (await connection.execute(asked.order_by(DeliveryRow.id))).all():
        parts = select(PartRow.__table__).where(PartRow.delivery_id == row.id).order_by(PartRow.part)
        sent = [SentPart(one.part, one.handle, one.end, one.closed) for one in await connection.execute(parts)]
        found.append(Owed(row.inbox_id, row.id, row.state, row.text, row.token, tuple(sent)))
    return found


async def _redrawable(
    database: Database, connection: AsyncConnection, question_id: int, reply_id: int | None
) -> Redrawable | None:
    row = (await connection.execute(select(*TURN, TurnRow.session_id).where(TurnRow.id == question_id))).first()
    session = None if row is None else await find_session(connection, SessionRow.id == row.session_id)
    if row is None or session is None:
        return None
    steps = Steps(database, connection)
    last = await steps.last_question(session.id)
    return Redrawable(
        session=session,
        question=turn_of(*row[:-1]),
        asker=await steps.author(question_id),
        is_last=last is not None and last.id == question_id,
        parts=await _seen_parts(connection, reply_id),
    )


async def _seen_parts(connection: AsyncConnection, reply_id: int | None) -> tuple[SentPart, ...]:
    columns = (PlatformMessageRow.part, PlatformMessageRow.message_id)
    asked = select(*columns).where(PlatformMessageRow.turn_id == reply_id, PlatformMessageRow.direction == "out")
    rows = await connection.execute(asked.order_by(PlatformMessageRow.part))
    return tuple(SentPart(row.part, row.message_id) for row in rows)
