"""The names of people: asked for once in a while, and waited for a short time."""

import asyncio
from collections.abc import Mapping

import pytest

from adapters.slack.people import People, PeopleLimits, name_of, people_in
from adapters.slack.workspaces import Workspace
from core.errors import PlatformAway, RateLimited
from tests.unit.slack.happenings import ANNA, OMAR, WORKSPACE, edited, moved, reacted, said

OTHER = Workspace("T0OTHER001", "U0BANTER02", "B0BANTER02", "xoxb-of-other")
LIMITS = PeopleLimits(wait_s=0.02)


class Book:
    """Implements `Directory`."""

    def __init__(self) -> None:
        self.names = {ANNA: "Anna Berg", OMAR: "Omar"}
        self.asked: list[tuple[str, str]] = []
        self.error: Exception | None = None
        #: While it is not set, nothing is told.
        self.opened = asyncio.Event()
        self.opened.set()

    async def user(self, workspace: Workspace, user_id: str) -> Mapping[str, object]:
        self.asked.append((workspace.id, user_id))
        await self.opened.wait()
        if self.error:
            raise self.error
        return {"id": user_id, "profile": {"display_name": self.names.get(user_id, "")}}


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_a_name_is_asked_for_once() -> None:
    book = Book()
    people = People(book)

    assert await people.names(WORKSPACE, [ANNA, OMAR, ANNA]) == {ANNA: "Anna Berg", OMAR: "Omar"}
    assert await people.names(WORKSPACE, [ANNA]) == {ANNA: "Anna Berg"}
    assert book.asked == [(WORKSPACE.id, ANNA), (WORKSPACE.id, OMAR)]


async def test_what_two_wait_for_is_asked_once() -> None:
    book = Book()
    people = People(book)
    first, second = await asyncio.gather(people.names(WORKSPACE, [ANNA]), people.names(WORKSPACE, [ANNA]))

    assert first == second == {ANNA: "Anna Berg"}
    assert len(book.asked) == 1


async def test_nothing_of_one_workspace_is_told_in_another() -> None:
    book = Book()
    people = People(book)
    await people.names(WORKSPACE, [ANNA])
    await people.names(OTHER, [ANNA])

    assert book.asked == [(WORKSPACE.id, ANNA), (OTHER.id, ANNA)]


async def test_nobody_waits_long_and_the_next_one_knows() -> None:
    book = Book()
    book.opened.clear()
    people = People(book, LIMITS)
    assert await people.names(WORKSPACE, [ANNA]) == {}

    book.opened.set()
    assert await people.names(WORKSPACE, [ANNA]) == {ANNA: "Anna Berg"}
    assert len(book.asked) == 1


@pytest.mark.parametrize("error", [PlatformAway("away"), RateLimited("too much", 60.0), TimeoutError()])
async def test_who_can_not_be_asked_for_is_left_alone_for_a_while(error: Exception) -> None:
    book, clock = Book(), Clock()
    book.error = error
    people = People(book, LIMITS, clock)
    assert await people.names(WORKSPACE, [ANNA]) == {}
    assert await people.names(WORKSPACE, [ANNA]) == {}
    assert len(book.asked) == 1

    book.error = None
    clock.now += 61.0
    assert await people.names(WORKSPACE, [ANNA]) == {ANNA: "Anna Berg"}


async def test_people_change_their_names_and_an_old_one_is_better_than_none() -> None:
    book, clock = Book(), Clock()
    people = People(book, LIMITS, clock)
    await people.names(WORKSPACE, [ANNA])
    book.names[ANNA], book.error = "Anna Lang", PlatformAway("away")
    clock.now += 3601.0
    assert await people.names(WORKSPACE, [ANNA]) == {ANNA: "Anna Berg"}

    book.error = None
    clock.now += 61.0
    assert await people.names(WORKSPACE, [ANNA]) == {ANNA: "Anna Lang"}


async def test_no_more_is_remembered_or_asked_at_once_than_there_is_room_for() -> None:
    book = Book()
    people = People(book, PeopleLimits(wait_s=0.02, names=2, questions=3, people=5))
    book.opened.clear()
    await people.names(WORKSPACE, [f"U{number}" for number in range(9)])
    assert [user for _, user in book.asked] == ["U0", "U1", "U2"]

    book.opened.set()
    await people.names(WORKSPACE, ["U0", "U1", "U2"])
    assert len(people._names) == 2


async def test_no_more_is_asked_in_a_minute_than_slack_answers() -> None:
    book, clock = Book(), Clock()
    people = People(book, PeopleLimits(per_minute=2), clock)
    for user in (ANNA, OMAR, "U0NOBODY01", "U0NOBODY02"):
        await people.names(WORKSPACE, [user])
    await people.names(OTHER, [ANNA])
    assert [user for _, user in book.asked] == [ANNA, OMAR, ANNA]

    clock.now += 60.0
    await people.names(WORKSPACE, ["U0NOBODY01"])
    assert len(book.asked) == 4


async def test_questions_that_are_open_at_the_end_are_ended() -> None:
    book = Book()
    book.opened.clear()
    people = People(book, LIMITS)
    await people.names(WORKSPACE, [ANNA])
    await people.aclose()

    assert people._asking == {}


@pytest.mark.parametrize(
    ("user", "name"),
    [
        ({"profile": {"display_name": "anna", "real_name": "Anna Berg"}, "name": "ab"}, "anna"),
        ({"profile": {"display_name": "", "real_name": "Anna Berg"}, "name": "ab"}, "Anna Berg"),
        ({"profile": {}, "real_name": "Anna Berg", "name": "ab"}, "Anna Berg"),
        ({"profile": None, "name": "ab"}, "ab"),
        ({"profile": {"display_name": 5}}, ""),
        ({}, ""),
    ],
)
def test_a_person_goes_by_what_others_see(user: dict[str, object], name: str) -> None:
    assert name_of(user) == name


def test_the_author_comes_before_those_who_are_named() -> None:
    assert people_in(said(f"<@{OMAR}> hi")) == [ANNA, OMAR]
    assert people_in(edited("a", f"<@{OMAR}> b")) == [ANNA, OMAR]
    assert people_in(reacted("+1")) == [ANNA]
    assert people_in(moved()) == []
    assert people_in({"event": 5}) == []
