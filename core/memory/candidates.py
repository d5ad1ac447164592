"""The hypotheses that a reply was chosen from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from core.dialogue import FinishReason
from core.memory.tables import CandidateRow
from core.memory.turns import pack_ids, storable, unpack_ids


@dataclass(frozen=True, slots=True)
class CandidateRecord:
    """One of them, as it is kept."""

    text: str
    token_ids: tuple[int, ...]
    finish_reason: FinishReason
    #: Sum over its tokens, in nats, before any sampling setting.
    log_probability: float
    #: What rankers gave it, by their names.
    scores: Mapping[str, float] | None = None
    is_chosen: bool = False


async def add_candidates(connection: AsyncConnection, drawn: Sequence[tuple[int, Sequence[CandidateRecord]]]) -> None:
    """(the reply's turn, its candidates in the model's order)."""
    rows = [_row(turn_id, number, one) for turn_id, candidates in drawn for number, one in enumerate(candidates)]
    if rows:
        await connection.execute(insert(CandidateRow), rows)


async def candidates_of(connection: AsyncConnection, turn_id: int) -> tuple[CandidateRecord, ...]:
    asked = select(CandidateRow.__table__).where(CandidateRow.turn_id == turn_id).order_by(CandidateRow.number)
    return tuple(
        CandidateRecord(
            text=row.text,
            token_ids=unpack_ids(row.token_ids) if row.token_ids else (),
            finish_reason=FinishReason(row.finish_reason),
            log_probability=row.log_probability,
            scores=row.scores,
            is_chosen=row.chosen,
        )
        for row in await connection.execute(asked)
    )


def _row(turn_id: int, number: int, candidate: CandidateRecord) -> dict[str, object]:
    return {
        "turn_id": turn_id,
        "number": number,
        "chosen": candidate.is_chosen,
        "finish_reason": candidate.finish_reason.value,
        "log_probability": candidate.log_probability,
        "scores": None if candidate.scores is None else dict(candidate.scores),
        "text": storable(candidate.text),
        "token_ids": pack_ids(candidate.token_ids) if candidate.token_ids else None,
    }
