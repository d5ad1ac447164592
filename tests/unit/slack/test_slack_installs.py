"""Which installation something is for."""

import pytest

from adapters.payloads import NotUnderstood
from adapters.slack.installs import workspace_for
from adapters.slack.workspaces import Workspace
from core.errors import PlatformAway, PlatformRefused
from tests.unit.slack.happenings import (
    BOT_USER,
    ORGANISATION,
    OTHER_TEAM,
    TEAM,
    WORKSPACE,
    Body,
    edited,
    mentioned,
    said,
    shared,
)

THEIR_BOT = "U0BANTER02"
THEIRS = Workspace(OTHER_TEAM, THEIR_BOT, "B0BANTER02", "xoxb-of-theirs")
WHOLE = Workspace(ORGANISATION, BOT_USER, "B0BANTER03", "xoxb-of-all")


class Book:
    """Implements `Workspaces`."""

    def __init__(self, *installed: Workspace) -> None:
        self._installed = {one.id: one for one in installed}
        self.is_away = False

    async def of(self, workspace_id: str) -> Workspace:
        if self.is_away:
            raise PlatformAway("away")
        if workspace_id not in self._installed:
            raise PlatformRefused("not there")
        return self._installed[workspace_id]

    async def serving(self, team_id: str, enterprise_id: str, *, is_enterprise_install: bool) -> Workspace:
        return await self.of(enterprise_id if is_enterprise_install else team_id)

    async def removed(self, workspace_id: str, at: float) -> None: ...


BOTH = Book(WORKSPACE, THEIRS)


async def test_an_event_is_for_whom_it_is_delivered() -> None:
    assert await workspace_for(said("hi"), BOTH) is WORKSPACE


async def test_in_a_shared_channel_it_is_for_whose_bot_is_called_whoever_it_is_delivered_for() -> None:
    assert await workspace_for(shared(mentioned(f"<@{BOT_USER}> hi")), BOTH) is WORKSPACE
    assert await workspace_for(shared(mentioned(f"<@{THEIR_BOT}> hi")), BOTH) is THEIRS
    assert await workspace_for(shared(edited("hi", f"<@{THEIR_BOT}> hi")), BOTH) is THEIRS


async def test_where_nobodys_bot_is_called_it_stays_where_it_is_delivered() -> None:
    assert await workspace_for(shared(said("hi")), BOTH) is WORKSPACE


async def test_a_company_that_has_no_bot_there_is_passed_over() -> None:
    assert await workspace_for(shared(mentioned(f"<@{THEIR_BOT}> hi")), Book(WORKSPACE)) is WORKSPACE


async def test_an_unshared_channel_is_for_nobody_else_whatever_is_said() -> None:
    body = said(f"<@{THEIR_BOT}> hi") | {"context_team_id": OTHER_TEAM}

    assert await workspace_for(body, BOTH) is WORKSPACE


@pytest.mark.parametrize(
    "body",
    [
        {"authorizations": [{"enterprise_id": ORGANISATION, "team_id": TEAM, "is_enterprise_install": True}]},
        {"authorizations": [{"enterprise_id": ORGANISATION, "team_id": None, "is_enterprise_install": True}]},
        {"enterprise_id": ORGANISATION, "team_id": TEAM, "is_enterprise_install": "true", "command": "/banter"},
        {"enterprise": {"id": ORGANISATION}, "team": {"id": TEAM}, "is_enterprise_install": True},
        {"enterprise": {"id": ORGANISATION}, "team": None, "user": {"team_id": TEAM}, "is_enterprise_install": True},
        {"team": {"id": TEAM, "enterprise_id": ORGANISATION}, "is_enterprise_install": True},
    ],
)
async def test_an_organisation_is_one_installation(body: Body) -> None:
    assert await workspace_for(body, Book(WORKSPACE, WHOLE)) is WHOLE


@pytest.mark.parametrize(
    "body",
    [
        {"team_id": TEAM},
        {"team": {"id": TEAM, "domain": "home"}, "enterprise": None, "is_enterprise_install": False},
        {"team": None, "user": {"id": "U0ANNA0001", "team_id": TEAM}},
        {"team": {"id": OTHER_TEAM}, "view": {"app_installed_team_id": TEAM}},
        {"team_id": TEAM, "enterprise_id": ORGANISATION, "is_enterprise_install": "false"},
    ],
)
async def test_interactions_tell_it_in_many_ways(body: Body) -> None:
    assert await workspace_for(body, Book(WORKSPACE, WHOLE, THEIRS)) is WORKSPACE


async def test_where_the_app_is_not_it_is_refused() -> None:
    with pytest.raises(PlatformRefused):
        await workspace_for(said("hi"), Book())


async def test_what_can_not_be_told_now_is_not_guessed() -> None:
    book = Book(WORKSPACE, THEIRS)
    book.is_away = True

    with pytest.raises(PlatformAway):
        await workspace_for(shared(said("hi")), book)


@pytest.mark.parametrize("body", [{}, {"team": 5, "user": [], "authorizations": 5}, {"authorizations": [None, 5]}])
async def test_what_names_no_workspace_is_not_understood(body: Body) -> None:
    with pytest.raises(NotUnderstood):
        await workspace_for(body, BOTH)
