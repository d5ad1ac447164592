"""What the core can't take becomes a dead letter, and holds nothing else up."""

from collections.abc import Sequence

import pytest

from adapters.handing_over import hand_over
from core.dialogue import Platform
from core.errors import DatabaseAway
from core.ports import Arrival, Cursor

CURSOR = Cursor(Platform.TELEGRAM, "1", "offset", 8)
GOOD, BAD, LATER = Arrival("good", None), Arrival("bad", None), Arrival("later", None)


class Choosy:
    """Takes nothing that holds `BAD`."""

    def __init__(self, error: Exception) -> None:
        self.error = error
        self.taken: list[Arrival] = []
        self.cursor: Cursor | None = None

    async def __call__(self, arrivals: Sequence[Arrival], cursor: Cursor | None = None) -> None:
        if BAD in arrivals:
            raise self.error
        self.taken += arrivals
        self.cursor = cursor or self.cursor


async def test_what_can_be_taken_goes_in_at_once() -> None:
    core = Choosy(TypeError())

    await hand_over(core, [GOOD, LATER], CURSOR)

    assert (core.taken, core.cursor) == ([GOOD, LATER], CURSOR)


async def test_one_that_can_not_be_taken_is_a_dead_letter() -> None:
    core = Choosy(TypeError("its words"))

    await hand_over(core, [GOOD, BAD, LATER], CURSOR)

    assert core.taken == [GOOD, Arrival("bad", None, "it was not taken: TypeError"), LATER]
    assert core.cursor == CURSOR


async def test_a_database_that_is_away_takes_nothing() -> None:
    core = Choosy(DatabaseAway("away"))

    with pytest.raises(DatabaseAway):
        await hand_over(core, [GOOD, BAD, LATER], CURSOR)

    assert (core.taken, core.cursor) == ([], None)
