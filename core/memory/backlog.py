"""How much is owed to people: what an operator watches, and how the database is asked whether it is there."""

from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import case, func, literal, select

from core.dialogue import TurnState
from core.memory.database import Database
from core.memory.tables import OPEN_STATES, InboxRow


@dataclass(frozen=True, slots=True)
class Backlog:
    """Events that are owed an answer."""

    #: Nobody has begun with them.
    waiting: int
    #: Some process answers them.
    begun: int
    #: Since the oldest of all came; 0 where there is none.
    oldest_s: float


async def read_backlog(database: Database) -> Backlog:
    """Costs by what is owed, not by what there is. Raises StorageError."""
    is_waiting = case((InboxRow.state == TurnState.WAITING.value, 1), else_=0)
    states = [literal(state, literal_execute=True) for state in OPEN_STATES]  # as the partial index spells them
    asked = select(func.count(), func.sum(is_waiting), func.min(InboxRow.accepted_at)).where(InboxRow.state.in_(states))
    async with database.reading() as connection:
        open_events, waiting, oldest = (await connection.execute(asked)).one()
    waiting = waiting or 0
    oldest_s = (datetime.now(UTC) - oldest).total_seconds() if oldest is not None else 0.0
    return Backlog(waiting, open_events - waiting, max(oldest_s, 0.0))
