"""A dialogue with everything that is known of each turn, for people who look at it."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import literal, select

from core.dialogue import FinishReason, Turn, TurnState
from core.memory.chain import walk_within_budget
from core.memory.database import Database
from core.memory.tables import TurnRow
from core.memory.turns import TURN, turn_of


@dataclass(frozen=True, slots=True)
class TranscriptTurn:
    """What is None was never measured: a person's turn has no model and no timings."""

    turn: Turn
    state: TurnState
    created_at: datetime
    token_count: int | None
    model: str | None
    finish_reason: FinishReason | None
    #: Turns and tokens of the prompt that this reply was made from.
    prompt_turns: int | None
    prompt_tokens: int | None
    seed: int | None
    queue_s: float | None
    first_token_s: float | None
    total_s: float | None


_CHAINS = {lateral: walk_within_budget(lambda _turn: literal(1), lateral=lateral) for lateral in (False, True)}
_COLUMNS = (
    *TURN,
    TurnRow.state,
    TurnRow.created_at,
    TurnRow.token_count,
    TurnRow.model,
    TurnRow.finish_reason,
    TurnRow.prompt_turns,
    TurnRow.prompt_tokens,
    TurnRow.seed,
    TurnRow.queue_s,
    TurnRow.first_token_s,
    TurnRow.total_s,
)
_STATEMENTS = {
    lateral: select(*_COLUMNS).join(chain, chain.c.id == TurnRow.id).order_by(chain.c.depth.desc())
    for lateral, chain in _CHAINS.items()
}


async def transcript(database: Database, session_id: int, limit: int) -> tuple[TranscriptTurn, ...]:
    """The newest `limit` turns of the dialogue, oldest first."""
    statement = _STATEMENTS[database.knows_lateral]
    async with database.reading() as connection:
        rows = await connection.execute(statement, {"session": session_id, "head": None, "budget": limit})
        return tuple(
            TranscriptTurn(
                turn=turn_of(*row[: len(TURN)]),
                state=TurnState(row.state),
                created_at=row.created_at,
                token_count=row.token_count,
                model=row.model,
                finish_reason=None if row.finish_reason is None else FinishReason(row.finish_reason),
                prompt_turns=row.prompt_turns,
                prompt_tokens=row.prompt_tokens,
                seed=row.seed,
                queue_s=row.queue_s,
                first_token_s=row.first_token_s,
                total_s=row.total_s,
            )
            for row in rows
        )
