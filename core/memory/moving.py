"""A channel has another id: its dialogues, what waits there and what is remembered of it go on under the new one.

A Telegram group becomes a supergroup, a Slack channel is shared with another company. Messages that came for the new id
before that was told were answered in dialogues of their own: those are joined to the old ones. What still comes for the
old id is sent after the channel when a dialogue would begin there (`open_sessions`).
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sqlalchemy import and_, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.dialogue import Inbound, InboundMessage, Move, SessionKey
from core.memory.database import Database
from core.memory.inbound_json import dump, load
from core.memory.leased import Lease, leaving
from core.memory.moved_channels import moved_to, remember_move
from core.memory.places import key_of, place_of
from core.memory.sessions import SESSION, Session, lock_sessions, session_of
from core.memory.tables import (
    OPEN_STATES,
    DeliveryRow,
    InboxRow,
    LeaseRow,
    PartRow,
    PlatformMessageRow,
    SessionRow,
    TurnRow,
)
from core.memory.turns import storable


async def move_channel(database: Database, connection: AsyncConnection, lease: Lease, move: Move) -> None:
    """The lease's holder gives it up; other holders of the channel's places lose theirs when they write next."""
    old, new = move.session_key, move.new_channel
    if old.channel == new:
        return
    await remember_move(database, connection, old, new)
    await _move_leases(connection, lease, old, new)
    moved = await _move_waiting(connection, move)
    await _move_sessions(connection, old, new)
    if move.keeps_message_ids:
        await _move_messages(connection, old, new)
    else:
        await _begin_parts_anew(connection, moved)


async def send_after(database: Database, connection: AsyncConnection, rows: Sequence[int]) -> None:
    """Open events that came for the old id of a channel go where it went."""
    asked = select(InboxRow.id, InboxRow.kind, InboxRow.place, InboxRow.inbound).where(InboxRow.id.in_(rows))
    for row in (await connection.execute(asked)).all():
        key = key_of(row.place)
        new = await moved_to(connection, key)
        if new is not None:
            await _put(connection, row.id, load(row.kind, row.inbound), new)
            free = {"place": place_of(new), "owner": "", "epoch": 0, "expires_at": datetime.now(UTC), "paused": ""}
            await connection.execute(database.insert(LeaseRow).values(free).on_conflict_do_nothing())


def _is_in_channel(place: str, old: SessionKey) -> bool:
    key = key_of(place)
    return (key.platform, key.bot, key.workspace, key.channel) == (old.platform, old.bot, old.workspace, old.channel)


def _beginning(old: SessionKey) -> str:
    """What the places of a channel begin with. LIKE knows no case on SQLite, so each is looked at again."""
    return place_of(replace(old, thread="", person="")).removesuffix('"",""]')


async def _move_leases(connection: AsyncConnection, lease: Lease, old: SessionKey, new: str) -> None:
    """A holder that is stopped by this finds its place gone. The lease keeps others away until it has left, or ends."""
    asked = select(LeaseRow.place, LeaseRow.owner, LeaseRow.expires_at)
    found = await connection.execute(
        asked.where(LeaseRow.place.startswith(_beginning(old), autoescape=True))
        .order_by(LeaseRow.place)
        .with_for_update()
    )
    for row in found.all():
        if not _is_in_channel(row.place, old):
            continue
        place = place_of(replace(key_of(row.place), channel=new))
        owner = "" if row.place == lease.place else leaving(row.owner, row.place)
        there = select(LeaseRow.owner).where(LeaseRow.place == place).with_for_update()
        holder = await connection.scalar(there)
        if holder is not None:
            await connection.execute(delete(LeaseRow).where(LeaseRow.place == row.place))
            later = update(LeaseRow).where(LeaseRow.place == place)
            await connection.execute(later.values(owner=leaving(holder, place), epoch=LeaseRow.epoch + 1, paused=""))
            continue
        change = update(LeaseRow).where(LeaseRow.place == row.place)
        await connection.execute(change.values(place=place, owner=owner, epoch=LeaseRow.epoch + 1, paused=""))


async def _move_waiting(connection: AsyncConnection, move: Move) -> list[int]:
    """The rows that were moved."""
    old, new = move.session_key, move.new_channel
    asked = select(InboxRow.id, InboxRow.kind, InboxRow.place, InboxRow.inbound).where(
        InboxRow.state.in_(OPEN_STATES), InboxRow.place.startswith(_beginning(old), autoescape=True)
    )
    rows = [row for row in await connection.execute(asked) if _is_in_channel(row.place, old) and row.inbound]
    for row in rows:
        inbound = load(row.kind, row.inbound)
        if isinstance(inbound, InboundMessage) and not move.keeps_message_ids:
            inbound = replace(inbound, is_left_behind=True)
        await _put(connection, row.id, inbound, replace(key_of(row.place), channel=new))
    return [row.id for row in rows]


async def _put(connection: AsyncConnection, row: int, inbound: Inbound, key: SessionKey) -> None:
    moved = storable(dump(replace(inbound, session_key=key)))
    change = update(InboxRow).where(InboxRow.id == row)
    await connection.execute(change.values(place=place_of(key), inbound=moved))


async def _move_sessions(connection: AsyncConnection, old: SessionKey, new: str) -> None:
    for session in await _sessions_of(connection, old):
        key = replace(session.key, channel=new)
        there = [one for one in await _sessions_of(connection, key) if one.key == key and one.active]
        if session.active and there:
            await _join(connection, session, there[0])
        change = update(SessionRow).where(SessionRow.id == session.id)
        await connection.execute(change.values(channel=new))


async def _sessions_of(connection: AsyncConnection, channel: SessionKey) -> list[Session]:
    in_channel = SESSION.where(
        SessionRow.platform == channel.platform.value,
        SessionRow.bot == channel.bot,
        SessionRow.workspace == channel.workspace,
        SessionRow.channel == channel.channel,
    )
    return [session_of(row) for row in (await connection.execute(in_channel.order_by(SessionRow.id))).mappings()]


async def _join(connection: AsyncConnection, older: Session, newer: Session) -> None:
    """What was said in the newer dialogue follows the older one's end."""
    heads = await lock_sessions(connection, [older.id, newer.id])
    first = update(TurnRow).where(TurnRow.session_id == newer.id, TurnRow.parent_id.is_(None))
    await connection.execute(first.values(parent_id=heads[older.id]))
    turns = update(TurnRow).where(TurnRow.session_id == newer.id)
    await connection.execute(turns.values(session_id=older.id))
    emptied = update(SessionRow).where(SessionRow.id == newer.id)
    await connection.execute(emptied.values(active=False, head_turn_id=None))
    if heads[newer.id] is not None:
        at_end = update(SessionRow).where(SessionRow.id == older.id)
        await connection.execute(at_end.values(head_turn_id=heads[newer.id], summary=""))


async def _move_messages(connection: AsyncConnection, old: SessionKey, new: str) -> None:
    """What is known under the new id already stays as it is known there."""
    here = and_(
        PlatformMessageRow.platform == old.platform.value,
        PlatformMessageRow.bot == old.bot,
        PlatformMessageRow.channel == old.channel,
    )
    known = select(PlatformMessageRow.message_id).where(
        PlatformMessageRow.platform == old.platform.value,
        PlatformMessageRow.bot == old.bot,
        PlatformMessageRow.channel == new,
    )
    await connection.execute(delete(PlatformMessageRow).where(here, PlatformMessageRow.message_id.in_(known)))
    await connection.execute(update(PlatformMessageRow).where(here).values(channel=new))


async def _begin_parts_anew(connection: AsyncConnection, rows: Sequence[int]) -> None:
    """The handles of replies that are being written mean nothing, or something else, in the new channel."""
    owed = select(DeliveryRow.id).where(DeliveryRow.inbox_id.in_(rows)).scalar_subquery()
    await connection.execute(delete(PartRow).where(PartRow.delivery_id.in_(owed)))
