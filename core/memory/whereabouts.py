"""Where a message belongs: at which place it is kept, and whether a dialogue is going on there. Nothing is written."""

from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, literal, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from core.dialogue import InboundMessage, Kind, Platform, Role, SessionKey, TurnState
from core.memory.inbound_json import load
from core.memory.places import key_of, place_of
from core.memory.sessions import has_key
from core.memory.tables import (
    OPEN_STATES,
    DeliveryRow,
    InboxRow,
    PartRow,
    PlatformMessageRow,
    SessionRow,
    TurnRow,
)

_KEY = (
    SessionRow.platform,
    SessionRow.bot,
    SessionRow.workspace,
    SessionRow.channel,
    SessionRow.thread,
    SessionRow.person,
)


async def find_place(
    connection: AsyncConnection, event_key: str, key: SessionKey, message_id: str
) -> SessionKey | None:
    """Where somebody's message, or one of the bot's own, is kept; None where it is not.

    `event_key` is what a person's message would have in the inbox. Of `key` only the platform, the bot and the channel
    count: a reaction does not tell its thread, nor whose dialogue it is about.
    """
    place = await connection.scalar(select(InboxRow.place).where(InboxRow.event_key == event_key))
    if place:
        return key_of(place)
    return await _remembered(connection, key, message_id) or await _being_sent(connection, key, message_id)


async def is_talking(connection: AsyncConnection, key: SessionKey, since: datetime | None) -> bool:
    """Whether the bot is in a dialogue there, and it was not last active before `since`.

    Where the bot only listens, no dialogue is going on.
    """
    overheard = exists().where(TurnRow.session_id == SessionRow.id, TurnRow.state == TurnState.IGNORED.value)
    answered = exists().where(TurnRow.session_id == SessionRow.id, TurnRow.role == Role.ASSISTANT.value)
    is_recent = [] if since is None else [SessionRow.last_active_at >= since]
    going_on = select(literal(1)).where(has_key(key), *is_recent, or_(answered, ~overheard))
    return (await connection.execute(going_on)).first() is not None or await _is_called(connection, key)


async def _remembered(connection: AsyncConnection, key: SessionKey, message_id: str) -> SessionKey | None:
    found = (
        select(*_KEY)
        .join(TurnRow, TurnRow.session_id == SessionRow.id)
        .join(PlatformMessageRow, PlatformMessageRow.turn_id == TurnRow.id)
        .where(
            PlatformMessageRow.platform == key.platform.value,
            PlatformMessageRow.bot == key.bot,
            PlatformMessageRow.channel == key.channel,
            PlatformMessageRow.message_id == message_id,
        )
    )
    row = (await connection.execute(found)).first()
    return None if row is None else SessionKey(Platform(row[0]), *row[1:])


async def _being_sent(connection: AsyncConnection, key: SessionKey, message_id: str) -> SessionKey | None:
    """A part of a reply that is not settled yet. A handle says nothing of its channel; the place does."""
    found = (
        select(InboxRow.place)
        .join(DeliveryRow, DeliveryRow.inbox_id == InboxRow.id)
        .join(PartRow, PartRow.delivery_id == DeliveryRow.id)
        .where(_is_open(), InboxRow.platform == key.platform.value, InboxRow.bot == key.bot)
        .where(PartRow.handle == message_id)
    )
    places = map(key_of, await connection.scalars(found))
    return next((place for place in places if place.channel == key.channel), None)


async def _is_called(connection: AsyncConnection, key: SessionKey) -> bool:
    """Whether somebody waits there for an answer that is not begun yet."""
    waiting = and_(_is_open(), InboxRow.place == place_of(key), InboxRow.kind == Kind.MESSAGE.value)
    for text in await connection.scalars(select(InboxRow.inbound).where(waiting).order_by(InboxRow.id)):
        try:
            inbound = load(Kind.MESSAGE, text or "")
        except ValueError:
            continue  # another version of this program wrote it
        if isinstance(inbound, InboundMessage) and not inbound.is_overheard:
            return True
    return False


def _is_open() -> ColumnElement[bool]:
    """Spelled as the partial index is, which is used only then."""
    return InboxRow.state.in_([literal(state, literal_execute=True) for state in OPEN_STATES])
