"""A workspace that Slack does not tell of at first."""

from pathlib import Path

import pytest

from adapters.slack.api import Clients
from bots.sandbox.local_slack.driver import local_slack
from bots.slack_workspaces import OneWorkspace
from core.errors import PlatformAway
from core.voice import Voices
from tests.integration.slack.assistants import WAIT_S, scene
from tests.platforms.paper_bot import paper_voices
from tests.platforms.paper_model import answer_to

FAULTS = [
    ("drop_before", {"times": 2}),  # a question is asked again at once
    ("drop_after", {"times": 2}),
    ("answer", {"status": 502}),
    ("answer", {"status": 429, "retry_after_s": 1}),
    ("answer", {"status": 200, "error": "internal_error"}),
]


@pytest.fixture(scope="module")
def voices(tmp_path_factory: pytest.TempPathFactory) -> Voices:
    return paper_voices(tmp_path_factory.mktemp("voices"))


@pytest.mark.parametrize(("kind", "more"), FAULTS)
async def test_what_slack_does_not_tell_now_is_told_later(kind: str, more: dict[str, str | float]) -> None:
    async with local_slack() as slack:
        clients = Clients(slack.api_url)
        workspaces = OneWorkspace(clients, slack.token)
        await slack.fault(kind, "auth.test", **more)
        try:
            with pytest.raises(PlatformAway):
                await workspaces.serving(slack.team_id, "", is_enterprise_install=False)

            assert (await workspaces.serving(slack.team_id, "", is_enterprise_install=False)).id == slack.team_id
        finally:
            await clients.aclose()


async def test_what_comes_while_the_token_is_wrong_is_left_to_slack(caplog: pytest.LogCaptureFixture) -> None:
    """It comes again, and an operator may have set the right one by then."""
    async with local_slack() as slack:
        clients = Clients(slack.api_url)
        workspaces = OneWorkspace(clients, "xoxb-nobodys")
        try:
            for _ in range(2):
                with pytest.raises(PlatformAway, match="BANTER_SLACK_TOKEN"):
                    await workspaces.serving(slack.team_id, "", is_enterprise_install=False)
        finally:
            await clients.aclose()

    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "xoxb-nobodys" not in caplog.text


async def test_what_comes_while_slack_does_not_tell_whose_it_is_comes_again(tmp_path: Path, voices: Voices) -> None:
    async with scene(tmp_path, voices, over_http=True) as found:
        ann = await found.slack.person("Ann")
        await found.slack.fault("answer", "auth.test", status=502)
        await ann.says("hello")

        await ann.dm.shows(answer_to("hello"), WAIT_S)
