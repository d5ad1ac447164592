"""Recall: the newest turns of a dialogue that fit a prompt, and nothing of what is older."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CTE, ColumnElement, Integer, Row, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from core.dialogue import Turn
from core.memory.chain import walks_within_budget
from core.memory.database import Database
from core.memory.lists import is_among
from core.memory.tables import PersonRow, SessionRow, TurnRow
from core.memory.turns import turn_of

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


_CARRIED = (
    TurnRow.role,
    TurnRow.text,
    TurnRow.person_id,
    TurnRow.tokenizer,
    TurnRow.token_ids,
    TurnRow.prompt_start_id,
)


def _recalling(chain: CTE) -> Select[*tuple[Any, ...]]:
    """As `turn_of` takes them, and then what tells where they belong; oldest first."""
    turn = chain.c
    speaker = select(PersonRow.name).where(PersonRow.id == turn.person_id).scalar_subquery()
    of_turn = (turn.id, turn.role, turn.text, speaker, turn.tokenizer, turn.token_ids, turn.prompt_start_id)
    return select(*of_turn, turn.parent_id, turn.head_id, turn.session_id).order_by(turn.head_id, turn.depth.desc())


_STATEMENTS = {lateral: _recalling(walks_within_budget(_CARRIED, _cost, lateral=lateral)) for lateral in (False, True)}
_HEADS = select(SessionRow.id, SessionRow.head_turn_id).where(is_among(SessionRow.id, "sessions"))


@dataclass(frozen=True, slots=True)
class Wanted:
    session_id: int
    max_tokens: int
    #: The turn to walk up from; None is the session's head.
    head_turn_id: int | None


async def recall(database: Database, connection: AsyncConnection, wanted: Sequence[Wanted]) -> list[Recalled]:
    """The newest turn is there even where it alone is over `max_tokens`. One statement for all with the same limit."""
    heads = await _heads(connection, wanted)
    walked: dict[tuple[int, int, int], list[Row[*tuple[Any, ...]]]] = {}
    for max_tokens in dict.fromkeys(one.max_tokens for one in wanted):
        of_limit = {head for one in wanted if one.max_tokens == max_tokens and (head := heads[one]) is not None}
        asked = {"heads": sorted(of_limit), "budget": max_tokens}
        for row in await connection.execute(_STATEMENTS[database.knows_lateral], asked):
            walked.setdefault((max_tokens, row[-1], row[-2]), []).append(row)
    found = [walked.get((one.max_tokens, one.session_id, heads[one] or 0), []) for one in wanted]
    return [Recalled(tuple(_turn_of(row) for row in rows), rows[0][7] if rows else None) for rows in found]


def _turn_of(row: Row[*tuple[Any, ...]]) -> Turn:
    return turn_of(row[0], row[1], row[2], row[3], row[4], row[5], row[6])


async def _heads(connection: AsyncConnection, wanted: Sequence[Wanted]) -> dict[Wanted, int | None]:
    """The turn that each walk begins with; None where there is no dialogue yet."""
    unknown = sorted({one.session_id for one in wanted if one.head_turn_id is None})
    known = {}
    if unknown:
        known = {row[0]: row[1] for row in await connection.execute(_HEADS, {"sessions": unknown})}
    return {one: known.get(one.session_id) if one.head_turn_id is None else one.head_turn_id for one in wanted}
