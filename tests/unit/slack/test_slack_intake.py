"""What is brought by Slack, on its way through Bolt."""

from collections.abc import Mapping, Sequence

import pytest

from adapters.slack.bolt_app import ACKED, NOT_NOW
from adapters.slack.intake import Intake
from adapters.slack.people import People
from adapters.slack.workspaces import Workspace
from core.dialogue import Inbound
from core.errors import DatabaseAway
from core.ports import Arrival, Cursor
from tests.unit.slack.happenings import APP, BOT_USER, WORKSPACE, Body, said, said_alone, shared
from tests.unit.slack.test_slack_installs import Book
from tests.unit.slack.test_slack_people import Book as Names


class Quiet:
    """Implements `Native`."""

    def understand(self, body: Mapping[str, object], workspace: Workspace) -> list[Inbound]:
        return []

    def ack_of(self, body: Mapping[str, object]) -> None: ...

    async def respond(self, body: Mapping[str, object], workspace: Workspace) -> None: ...


class Kept:
    """Implements `Accept`."""

    def __init__(self, *errors: Exception) -> None:
        self.arrivals: list[Arrival] = []
        self.errors = list(errors)

    async def __call__(self, arrivals: Sequence[Arrival], cursor: Cursor | None = None) -> None:
        if self.errors:
            raise self.errors.pop(0)
        self.arrivals += arrivals


def intake() -> Intake:
    return Intake(APP, Book(WORKSPACE), People(Names()), Quiet())


@pytest.mark.parametrize(
    "body",
    [
        shared(said("our price is 42", files=5)) | {"authorizations": [None]},
        shared(said(f"<@{BOT_USER}> our price is 42", files=5)),
    ],
)
async def test_of_what_another_company_says_a_dead_letter_keeps_nothing(body: Body) -> None:
    kept, one = Kept(), intake()
    with one.accepting(kept):
        assert (await one.take(body)).status == ACKED

    [arrival] = kept.arrivals
    assert arrival.error
    assert "price" not in arrival.raw
    assert "Ev0000000001" in arrival.raw


async def test_of_ones_own_it_keeps_what_was_said() -> None:
    kept, one = Kept(), intake()
    with one.accepting(kept):
        await one.take(said_alone("What is rain?", files=5))

    assert "What is rain?" in kept.arrivals[0].raw
    assert "a-verification-token" not in kept.arrivals[0].raw


async def test_a_fault_of_the_programs_own_is_a_dead_letter_and_blocks_nothing() -> None:
    kept, one = Kept(KeyError("a person's words"), KeyError("again")), intake()
    with one.accepting(kept):
        assert (await one.take(said_alone("What is rain?"))).status == ACKED

    assert [(arrival.inbound, arrival.error) for arrival in kept.arrivals] == [(None, "it was not taken: KeyError")]


@pytest.mark.parametrize("errors", [[DatabaseAway("away")], [KeyError("x"), DatabaseAway("away")], [KeyError("x")] * 3])
async def test_what_can_not_be_kept_is_not_acked(errors: list[Exception]) -> None:
    kept, one = Kept(*errors), intake()
    with one.accepting(kept):
        status = (await one.bury("{}", "it can't be taken apart")).status

    assert status == NOT_NOW


async def test_where_nobody_accepts_nothing_is_acked() -> None:
    assert (await intake().take(said_alone("hi"))).status == NOT_NOW
    assert (await intake().bury("{}", "x")).status == NOT_NOW
