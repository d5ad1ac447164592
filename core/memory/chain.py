"""Walking from a turn up to its parents while a rule allows: the cost is by the steps, not by the history.

Each statement takes `session` and `head`, the turn to begin with; where that is NULL, the session's own head.

PostgreSQL is given a parent as a LATERAL lookup. Of a plain join it makes a hash join while the table is small,
and reads all of it again at every step; SQLite looks rows up anyway, and has no LATERAL.
"""

from collections.abc import Callable

from sqlalchemy import CTE, ColumnElement, bindparam, func, literal, select
from sqlalchemy.orm import aliased

from core.dialogue import Role
from core.memory.tables import Id, SessionRow, TurnRow

_SESSION = bindparam("session", type_=Id)
_HEAD = func.coalesce(
    bindparam("head", type_=Id),
    select(SessionRow.head_turn_id).where(SessionRow.id == _SESSION).scalar_subquery(),
)
_BUDGET = bindparam("budget", type_=Id)


def walk_within_budget(cost: Callable[[type[TurnRow]], ColumnElement[int]], *, lateral: bool) -> CTE:
    """The turns' `id` and their `depth`, until the next one would cost more than `budget` allows.

    The first turn is taken whatever it costs.
    """
    newest = (
        select(TurnRow.id, TurnRow.parent_id, cost(TurnRow).label("spent"), literal(0).label("depth"))
        .where(TurnRow.id == _HEAD, TurnRow.session_id == _SESSION)
        .cte("chain", recursive=True)
    )
    parent = _parent_in(newest, lateral)
    spent = newest.c.spent + cost(parent)
    return newest.union_all(
        select(parent.id, parent.parent_id, spent, newest.c.depth + 1)
        .join_from(newest, parent, parent.id == newest.c.parent_id)
        .where(spent <= _BUDGET)
    )


def walk_to_question() -> CTE:
    """The turns' `id` down to the newest one of a person, which is the only one of that role."""
    newest = (
        select(TurnRow.id, TurnRow.parent_id, TurnRow.role)
        .where(TurnRow.id == _HEAD, TurnRow.session_id == _SESSION)
        .cte("chain", recursive=True)
    )
    parent = _parent_in(newest, lateral=False)
    return newest.union_all(
        select(parent.id, parent.parent_id, parent.role)
        .join_from(newest, parent, parent.id == newest.c.parent_id)
        .where(newest.c.role != Role.PERSON.value)
    )


def _parent_in(chain: CTE, lateral: bool) -> type[TurnRow]:
    if not lateral:
        return aliased(TurnRow)
    return aliased(TurnRow, select(TurnRow).where(TurnRow.id == chain.c.parent_id).limit(1).lateral())
