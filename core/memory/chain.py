"""Walking from a turn up to its parents while a rule allows: the cost is by the steps, not by the history.

A walk takes `session` and `head`, the turn to begin with; where that is NULL, the session's own head. Several walks at
once take `heads`.

PostgreSQL is given a parent as a LATERAL lookup. Of a plain join it makes a hash join while the table is small,
and reads all of it again at every step; SQLite looks rows up anyway, and has no LATERAL.

Whether a turn far above is on the way is known without walking there. Ids grow from parent to child, so what lies
between a child on the way and its parent is off it: it was taken back or drawn again. Children that leave something out
so are few, and are marked (`skips`).
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import CTE, ColumnElement, bindparam, func, literal, or_, select, true
from sqlalchemy.ext.asyncio import AsyncConnection
from sqlalchemy.orm import InstrumentedAttribute, aliased

from core.dialogue import Role, TurnState
from core.memory.lists import is_among
from core.memory.tables import Id, SessionRow, TurnRow

_SESSION = bindparam("session", type_=Id)
_HEAD = func.coalesce(
    bindparam("head", type_=Id),
    select(SessionRow.head_turn_id).where(SessionRow.id == _SESSION).scalar_subquery(),
)
_BUDGET = bindparam("budget", type_=Id)

_Cost = Callable[[type[TurnRow]], ColumnElement[int]]
#: Of a turn.
_Column = InstrumentedAttribute[Any]


def walk_within_budget(cost: _Cost, *, lateral: bool) -> CTE:
    """The turns' `id` and their `depth`, until the next one would cost more than `budget` allows.

    The first turn is taken whatever it costs.
    """
    newest = (
        select(TurnRow.id, TurnRow.parent_id, cost(TurnRow).label("spent"), literal(0).label("depth"))
        .where(TurnRow.id == _HEAD, TurnRow.session_id == _SESSION)
        .cte("chain", recursive=True)
    )
    return _up_within_budget(newest, (), cost, lateral)


def walks_within_budget(carried: Sequence[_Column], cost: _Cost, *, lateral: bool) -> CTE:
    """The same from several turns at once: from `heads` up, each told by its `head_id` and the `session_id` it is of.

    With the turns' `carried` columns, `id` and `parent_id`.
    """
    newest = (
        select(
            TurnRow.id,
            TurnRow.parent_id,
            cost(TurnRow).label("spent"),
            literal(0).label("depth"),
            TurnRow.id.label("head_id"),
            TurnRow.session_id,
            *carried,
        )
        .where(is_among(TurnRow.id, "heads"))
        .cte("chain", recursive=True)
    )
    return _up_within_budget(newest, carried, cost, lateral)


def _up_within_budget(newest: CTE, carried: Sequence[_Column], cost: _Cost, lateral: bool) -> CTE:
    parent = _parent_in(newest, lateral)
    spent = newest.c.spent + cost(parent)
    of_walk = [newest.c[name] for name in ("head_id", "session_id") if name in newest.c]
    return newest.union_all(
        select(
            parent.id,
            parent.parent_id,
            spent,
            newest.c.depth + 1,
            *of_walk,
            *(getattr(parent, column.key) for column in carried),
        )
        .join_from(newest, parent, parent.id == newest.c.parent_id)
        .where(spent <= _BUDGET)
    )


def walk_to_question() -> CTE:
    """The turns' `id` down to the newest one that a person said to the bot; what was overheard lies on the way."""
    newest = (
        select(TurnRow.id, TurnRow.parent_id, TurnRow.role, TurnRow.state)
        .where(TurnRow.id == _HEAD, TurnRow.session_id == _SESSION)
        .cte("chain", recursive=True)
    )
    parent = _parent_in(newest, lateral=False)
    return newest.union_all(
        select(parent.id, parent.parent_id, parent.role, parent.state)
        .join_from(newest, parent, parent.id == newest.c.parent_id)
        .where(or_(newest.c.role != Role.PERSON.value, newest.c.state == TurnState.IGNORED.value))
    )


def _parent_in(chain: CTE, lateral: bool) -> type[TurnRow]:
    if not lateral:
        return aliased(TurnRow)
    return aliased(TurnRow, select(TurnRow).where(TurnRow.id == chain.c.parent_id).limit(1).lateral())


@dataclass(frozen=True, slots=True)
class Line:
    """The way from a turn, the head, up to the dialogue's first, as far up as was asked."""

    head_turn_id: int
    #: Both ends are turns on the way; what lies between them is not. The newest first.
    gaps: tuple[tuple[int, int], ...]

    def holds(self, turn_id: int) -> bool:
        return turn_id <= self.head_turn_id and not any(low < turn_id < high for low, high in self.gaps)


async def line_to(connection: AsyncConnection, session_id: int, head_turn_id: int, since_id: int) -> Line:
    """For turns of the session from `since_id` on."""
    skipping = select(TurnRow.id, TurnRow.parent_id).where(
        TurnRow.session_id == session_id,
        TurnRow.skips == true(),
        TurnRow.id > since_id,
        TurnRow.id <= head_turn_id,
    )
    rows = await connection.execute(skipping.order_by(TurnRow.id.desc()))
    return Line(head_turn_id, tuple(_gaps(head_turn_id, ((row.id, row.parent_id or 0) for row in rows))))


def _gaps(head_turn_id: int, skipping: Iterable[tuple[int, int]]) -> Iterable[tuple[int, int]]:
    """`skipping`: (turn, parent), the newest first. Those that are off the way themselves leave nothing out."""
    limit = head_turn_id
    for turn_id, parent_id in skipping:
        if turn_id <= limit:
            yield parent_id, turn_id
            limit = parent_id
