"""Summaries of what lies before a dialogue's prompts.

A summary tells of the turns that were read for it and of all that its base tells of. Triggers delete it in the moment
in which one of these changes or goes, so nobody has to look for that; whether its newest turn was taken back since, is
looked at when it is read. At most two are kept: the one in use, and the next one.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import blake2s

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from core.dialogue import Summary, Turn
from core.memory.chain import line_to
from core.memory.database import Database
from core.memory.sessions import lock_sessions
from core.memory.tables import SummaryRow, TurnRow
from core.memory.turns import storable

_SUMMARY = select(SummaryRow.id, SummaryRow.until_turn_id, SummaryRow.text)


@dataclass(frozen=True, slots=True)
class NewSummary:
    session_id: int
    #: The summary that was read before the turns.
    base: Summary | None
    #: What was read, oldest first.
    turns: tuple[Turn, ...]
    text: str
    #: The name of the model that wrote it.
    model: str


async def summaries(database: Database, session_id: int, head_turn_id: int) -> tuple[Summary, ...]:
    """Those that tell of turns on the way to the head, and of nothing else; oldest first. Raises StorageError."""
    of_session = _SUMMARY.where(SummaryRow.session_id == session_id).order_by(SummaryRow.until_turn_id)

    async def read(connection: AsyncConnection) -> tuple[Summary, ...]:
        found = [Summary(*row) for row in await connection.execute(of_session)]
        if not found:
            return ()
        line = await line_to(connection, session_id, head_turn_id, found[0].until_turn_id)
        return tuple(summary for summary in found if line.holds(summary.until_turn_id))

    return await database.read(read)


async def add_summary(database: Database, new: NewSummary) -> bool:
    """False where what was read has changed since; then nothing is kept. Raises StorageError."""
    async with database.writing() as connection:
        if new.session_id not in await lock_sessions(connection, [new.session_id]):
            return False
        if not await _is_unchanged(connection, new):
            return False
        row = await connection.execute(insert(SummaryRow).values(_row(new)).returning(SummaryRow.id))
        kept = [row.scalar_one(), *([new.base.id] if new.base else [])]
        others = delete(SummaryRow).where(SummaryRow.session_id == new.session_id, SummaryRow.id.not_in(kept))
        await connection.execute(others)
        return True


async def _is_unchanged(connection: AsyncConnection, new: NewSummary) -> bool:
    """Locks what was read: a change of it waits, and then finds the summary that it makes untrue."""
    if new.base is not None:
        base = select(SummaryRow.text).where(SummaryRow.id == new.base.id).with_for_update(read=True)
        if await connection.scalar(base) != new.base.text:
            return False
    ids = [turn.id for turn in new.turns]
    read = select(TurnRow.id, TurnRow.text).where(TurnRow.id.in_(ids), TurnRow.session_id == new.session_id)
    rows = await connection.execute(read.order_by(TurnRow.id).with_for_update(read=True))
    return _fingerprint((row.id, row.text) for row in rows) == _fingerprint_of(new.turns)


def _row(new: NewSummary) -> dict[str, object]:
    return {
        "session_id": new.session_id,
        "base_id": new.base.id if new.base else None,
        "since_turn_id": new.turns[0].id,
        "until_turn_id": new.turns[-1].id,
        "fingerprint": _fingerprint_of(new.turns),
        "model": new.model,
        "created_at": datetime.now(UTC),
        "text": storable(new.text),
    }


def _fingerprint_of(turns: Sequence[Turn]) -> str:
    return _fingerprint((turn.id, turn.text) for turn in turns)


def _fingerprint(said: Iterable[tuple[int, str]]) -> str:
    whole = blake2s(digest_size=16)
    for turn_id, told in said:
        whole.update(f"{turn_id}:{len(told)}:{told}".encode())
    return whole.hexdigest()
