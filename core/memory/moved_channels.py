"""Channels that have another id by now, and where they went."""

from dataclasses import replace

from sqlalchemy import ColumnElement, and_, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.dialogue import SessionKey
from core.memory.database import Database
from core.memory.tables import MovedChannelRow

_NAMES = ("platform", "bot", "workspace", "channel")


async def moved_to(connection: AsyncConnection, key: SessionKey) -> SessionKey | None:
    """The same place in the channel that took its channel's place; None where it never moved."""
    here = and_(_is_beside(key), MovedChannelRow.channel == key.channel)
    new = await connection.scalar(select(MovedChannelRow.new_channel).where(here))
    return None if new is None else replace(key, channel=new)


async def remember_move(database: Database, connection: AsyncConnection, old: SessionKey, new: str) -> None:
    """A channel that moves twice is found in one step, and one that moves back is no longer moved."""
    await connection.execute(delete(MovedChannelRow).where(_is_beside(old), MovedChannelRow.channel == new))
    further = update(MovedChannelRow).where(_is_beside(old), MovedChannelRow.new_channel == old.channel)
    await connection.execute(further.values(new_channel=new))
    row = {"platform": old.platform.value, "bot": old.bot, "workspace": old.workspace, "channel": old.channel}
    moved = database.insert(MovedChannelRow).values(**row, new_channel=new)
    await connection.execute(moved.on_conflict_do_update(index_elements=list(_NAMES), set_={"new_channel": new}))


def _is_beside(key: SessionKey) -> ColumnElement[bool]:
    return and_(
        MovedChannelRow.platform == key.platform.value,
        MovedChannelRow.bot == key.bot,
        MovedChannelRow.workspace == key.workspace,
    )
