"""`banter doctor` asks Slack about the app, says what to do, and changes nothing."""

from collections.abc import AsyncIterator

import pytest
from pydantic import SecretStr

from bots.sandbox.local_slack.driver import LocalSlack, local_slack
from bots.slack_doctor import examine_slack
from core.settings.settings import Settings
from core.settings.slack import SlackSettings
from tests.integration.slack.assistants import by_http, by_socket, installed_by_people


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    async with local_slack() as slack:
        yield slack


async def seen(told: SlackSettings, **changes: object) -> list[tuple[bool, str]]:
    findings = await examine_slack(Settings(slack=told.model_copy(update=changes)))
    assert not any(secret in finding.told for finding in findings for secret in ("xoxb-1", "xapp-1", "signing-secret"))
    return [(finding.good, finding.told) for finding in findings]


async def test_it_says_where_the_app_is_and_changes_nothing(slack: LocalSlack) -> None:
    told = f"Acme ({slack.team_id}), app {slack.app_id}, all scopes"

    assert await seen(by_socket(slack)) == [(True, told), (True, "over 2 websockets (Socket Mode)")]
    assert (await seen(by_http(slack)))[0] == (True, told)
    assert {call.method for call in await slack.calls()} == {"auth.test", "bots.info", "apps.connections.open"}


async def test_missing_scopes_are_named(slack: LocalSlack) -> None:
    await slack.installs(slack.team_id, ["chat:write", "users:read"])
    [(good, told), _] = await seen(by_socket(slack))

    assert not good
    assert "scopes are missing: app_mentions:read, assistant:write, channels:history" in told
    assert "install the app again" in told


async def test_a_wrong_token_is_told_by_its_setting(slack: LocalSlack) -> None:
    [(good, told), _] = await seen(by_socket(slack), token=SecretStr("xoxb-nobodys"))
    [_, (app_good, app_told)] = await seen(by_socket(slack), app_token=SecretStr(f"xapp-1-{slack.app_id}-nobodys"))

    assert not good
    assert told.startswith("BANTER_SLACK_TOKEN: ")
    assert not app_good
    assert app_told.startswith("BANTER_SLACK_APP_TOKEN: ")


async def test_the_bot_of_another_app_is_told(slack: LocalSlack) -> None:
    [(good, told), _] = await seen(by_socket(slack), app_token=SecretStr("xapp-1-A0OTHER-secret"))

    assert not good
    assert told == f"the bot token is of the app {slack.app_id}, and the other secrets of A0OTHER"


async def test_a_slack_that_is_away_is_told_by_its_host(slack: LocalSlack) -> None:
    findings = await seen(by_socket(slack), api_url="http://127.0.0.1:9/api")

    assert [good for good, _ in findings] == [False, False]
    assert all(told.startswith("127.0.0.1:9: ") for _, told in findings)


async def test_what_is_not_set_is_told_and_nobody_is_asked() -> None:
    findings = await seen(SlackSettings(client_id="1.2"))

    assert [told.partition(":")[0] for _, told in findings] == ["BANTER_SLACK_CLIENT_SECRET", "BANTER_SLACK_APP_TOKEN"]


async def test_an_app_that_workspaces_install_needs_no_token(slack: LocalSlack) -> None:
    [(good, told), _] = await seen(installed_by_people(slack))

    assert good
    assert told.startswith("workspaces install the app at /slack/install")
