"""A reply that was put in an earlier one's place: the platform shows it there, and so memory has it there."""

from collections.abc import Sequence

from sqlalchemy import and_, delete, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from core.memory.owed import Settled
from core.memory.tables import PlatformMessageRow, SessionRow, TurnRow


async def take_places(connection: AsyncConnection, settled: Sequence[Settled]) -> None:
    """Whose messages were another reply's until now: what followed that one follows the new one. Rare: one by one."""
    for item in settled:
        key, new_id = item.message.inbound.session_key, item.delivery.turn_id
        handles = [part.handle for part in item.delivery.parts if part.handle is not None]
        if new_id is None or not handles:
            continue
        taken = and_(
            PlatformMessageRow.platform == key.platform.value,
            PlatformMessageRow.bot == key.bot,
            PlatformMessageRow.channel == key.channel,
            PlatformMessageRow.message_id.in_(handles),
            PlatformMessageRow.direction == "out",
            PlatformMessageRow.turn_id != new_id,
        )
        old_ids = set(await connection.scalars(select(PlatformMessageRow.turn_id).where(taken)))
        await connection.execute(delete(PlatformMessageRow).where(taken))
        following = update(TurnRow).where(TurnRow.parent_id.in_(old_ids))
        await connection.execute(following.values(parent_id=new_id))
        heads = update(SessionRow).where(SessionRow.head_turn_id.in_(old_ids))
        await connection.execute(heads.values(head_turn_id=new_id))
