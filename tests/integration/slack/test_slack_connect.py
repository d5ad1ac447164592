"""Slack Connect and Enterprise Grid: nothing crosses companies, and an organisation is one installation."""

from collections.abc import AsyncIterator

import pytest

from bots.sandbox.local_slack.driver import LocalSlack, local_slack
from core.dialogue import Called
from tests.integration.slack.receiving import WAYS, over_sockets


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    async with local_slack() as slack:
        yield slack


@pytest.mark.parametrize("way", list(WAYS))
async def test_in_a_shared_channel_only_what_calls_ones_own_bot_is_heard(slack: LocalSlack, way: str) -> None:
    other = await slack.team("Globex")
    theirs = await slack.installs(other)
    anna = await slack.person("Anna")
    omar = await slack.person("Omar", other, theirs)
    bridge = await slack.channel("bridge", anna, omar, installs=[slack.install, theirs], shared_with=[other])
    async with WAYS[way](slack, slack.install, theirs) as stage:
        secret = await omar.says("our price is 42", bridge)
        ours = await omar.says(f"{slack.mention} what is rain?", bridge)
        both = await anna.says(f"<@{theirs.bot_user_id}> what is snow?", bridge)
        await omar.says("a word among us", bridge, thread=ours)
        await omar.edits(secret, "our price is 43", bridge)
        await stage.kept.says("what is rain?", "what is snow?")
        await slack.settled()

    by_id = {one.message_id: one for one in stage.kept.said}
    assert by_id[ours.ts].session_key.workspace == slack.install.id
    assert by_id[ours.ts].person.workspace == other
    assert by_id[both.ts].session_key.workspace == theirs.id
    assert by_id[both.ts].person.workspace == slack.team_id
    assert {one.called for one in stage.kept.said} == {Called(by_mention=True)}
    assert "price" not in " ".join(one.raw for one in stage.kept.arrivals)
    assert {one.session_key.workspace for one in stage.kept.said if one.message_id == ours.ts} == {slack.install.id}


async def test_a_deletion_in_a_shared_channel_is_told(slack: LocalSlack) -> None:
    other = await slack.team("Globex")
    omar = await slack.person("Omar", other)
    bridge = await slack.channel("bridge", omar, shared_with=[other])
    async with over_sockets(slack) as stage:
        message = await omar.says(f"{slack.mention} what is rain?", bridge)
        await omar.deletes(message, bridge)
        await stage.kept.until(lambda kept: any(type(one.inbound).__name__ == "Deletion" for one in kept.arrivals))


@pytest.mark.parametrize("way", list(WAYS))
async def test_an_organisation_is_one_installation_for_all_its_workspaces(slack: LocalSlack, way: str) -> None:
    first, second = await slack.team("North", "E0ORG00001"), await slack.team("South", "E0ORG00001")
    organisation = await slack.installs("E0ORG00001")
    anna = await slack.person("Anna", first, organisation)
    omar = await slack.person("Omar", second, organisation)
    async with WAYS[way](slack, slack.install, organisation) as stage:
        await anna.says("from the north")
        await omar.says("from the south")
        await stage.kept.says("from the north", "from the south")

    assert {one.session_key.workspace for one in stage.kept.said} == {organisation.id}
    assert {one.person.workspace for one in stage.kept.said} == {organisation.id}
