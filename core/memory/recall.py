"""Recall: the newest turns of a dialogue that fit a prompt, and nothing of what is older."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Integer, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from core.dialogue import Turn
from core.memory.chain import walk_within_budget
from core.memory.database import Database
from core.memory.tables import TurnRow
from core.memory.turns import TURN, turn_of

#: What every prompt format puts around a turn at the least (the end-of-text token), so that recall
#: leaves no turn out that a prompt has room for.
TURN_OVERHEAD_TOKENS = 1

#: Of a turn that no tokenizer has read; more than most scripts have.
CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Recalled:
    """Turns in a row, oldest first."""

    turns: tuple[Turn, ...]
    #: The turn before the first of them; None where that is the dialogue's first.
    older_id: int | None


def _cost(turn: type[TurnRow]) -> ColumnElement[int]:
    estimate = func.length(turn.text, type_=Integer) // CHARACTERS_PER_TOKEN + 1
    return func.coalesce(turn.token_count, estimate) + TURN_OVERHEAD_TOKENS


_CHAINS = {lateral: walk_within_budget(_cost, lateral=lateral) for lateral in (False, True)}
_STATEMENTS = {
    lateral: select(*TURN, TurnRow.parent_id).join(chain, chain.c.id == TurnRow.id).order_by(chain.c.depth.desc())
    for lateral, chain in _CHAINS.items()
}


@dataclass(frozen=True, slots=True)
class Wanted:
    session_id: int
    max_tokens: int
    #: The turn to walk up from; None is the session's head.
    head_turn_id: int | None


async def recall(database: Database, connection: AsyncConnection, wanted: Sequence[Wanted]) -> list[Recalled]:
    """The newest turn is there even where it alone is over `max_tokens`."""
    statement, found = _STATEMENTS[database.knows_lateral], []
    for one in wanted:
        values = {"session": one.session_id, "head": one.head_turn_id, "budget": one.max_tokens}
        rows = (await connection.execute(statement, values)).all()
        found.append(Recalled(tuple(turn_of(*row[:-1]) for row in rows), rows[0].parent_id if rows else None))
    return found
