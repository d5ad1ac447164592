"""What the local Slack refuses, and how often it lets itself be called."""

from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from bots.sandbox.local_slack.driver import LocalSlack
from bots.sandbox.local_slack.limits import Rates, Window
from bots.sandbox.local_slack.options import AppOptions, Options
from bots.sandbox.local_slack.people import Person, Place
from tests.integration.slack.slack_apps import client_of, error_of

BUTTON = {"type": "button", "action_id": "a", "text": {"type": "plain_text", "text": "Go"}, "value": "v"}


def actions(**more: object) -> list[dict[str, Any]]:
    return [{"type": "actions", "elements": [BUTTON | more]}]


async def test_a_post_says_something_in_one_way(client: AsyncWebClient, ann: Person) -> None:
    both = client.chat_postMessage(channel=ann.dm.id, text="x", markdown_text="y")

    assert await error_of(both) == "markdown_text_conflict"
    assert await error_of(client.api_call("chat.postMessage", json={"channel": ann.dm.id})) == "no_text"
    assert await error_of(client.chat_update(channel=ann.dm.id, ts="1.000001", text="x")) == "message_not_found"


async def test_texts_have_lengths(slack: LocalSlack, client: AsyncWebClient, ann: Person) -> None:
    sent = await client.chat_postMessage(channel=ann.dm.id, text="x" * 40_001)
    long = client.chat_postMessage(channel=ann.dm.id, markdown_text="x" * 12_001)
    update = client.chat_update(channel=ann.dm.id, ts=sent["ts"], text="x" * 4_001)

    assert await error_of(long) == "msg_too_long"
    assert await error_of(update) == "msg_too_long"
    await client.chat_update(channel=ann.dm.id, ts=sent["ts"], text="x" * 4_000)
    assert [len(text) for text in (await ann.dm.look()).bots[0].texts] == [40_000, 4_000]
    assert await slack.excesses() == {"cut": 1, "text": 2}


@pytest.mark.parametrize(
    ("blocks", "error"),
    [
        ([{"type": "divider"}] * 51, "msg_blocks_too_many"),
        ([{"type": "song"}], "invalid_blocks"),
        (actions(value="v" * 2001), "invalid_blocks"),
        (actions(action_id="a" * 256), "invalid_blocks"),
        (actions(text={"type": "plain_text", "text": "x" * 76}), "invalid_blocks"),
        ([{"type": "actions", "elements": [BUTTON, BUTTON]}], "invalid_blocks"),
        ([{"type": "context_actions", "elements": [BUTTON]}], "invalid_blocks"),
        ([{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}], "invalid_blocks"),
        ([{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}], "invalid_blocks"),
        ([{"type": "markdown", "text": "x" * 6001}] * 2, "msg_blocks_too_long"),
        ([{"type": "divider", "block_id": "b"}] * 2, "invalid_blocks"),
        ("no json", "invalid_blocks_format"),
    ],
)
async def test_blocks_are_looked_at(client: AsyncWebClient, ann: Person, blocks: Any, error: str) -> None:
    post = client.chat_postMessage(channel=ann.dm.id, text="x", blocks=blocks)

    assert await error_of(post) == error


async def test_blocks_that_are_right_are_taken(client: AsyncWebClient, ann: Person) -> None:
    feedback = {
        "type": "feedback_buttons",
        "action_id": "opinion",
        "positive_button": {"text": {"type": "plain_text", "text": "Good"}, "value": "up"},
        "negative_button": {"text": {"type": "plain_text", "text": "Bad"}, "value": "down"},
    }
    blocks = [{"type": "context_actions", "elements": [feedback]}, *actions()]
    await client.chat_postMessage(channel=ann.dm.id, text="x", blocks=blocks)

    assert (await ann.dm.look()).bots[0].labels == ["Good", "Bad", "Go"]


async def test_metadata_is_a_type_and_a_payload_and_is_told_on_demand_only(client: AsyncWebClient, ann: Person) -> None:
    metadata = {"event_type": "turn", "event_payload": {"id": "t1"}}
    sent = await client.chat_postMessage(channel=ann.dm.id, text="x", metadata=metadata)
    await client.chat_update(channel=ann.dm.id, ts=sent["ts"], text="y")
    wrong = client.chat_postMessage(channel=ann.dm.id, text="x", metadata={"event_type": "turn"})
    large = client.chat_postMessage(
        channel=ann.dm.id, text="x", metadata={"event_type": "turn", "event_payload": {"id": "x" * 8000}}
    )

    assert await error_of(wrong) == "invalid_metadata_format"
    assert await error_of(large) == "metadata_too_large"
    (plain,) = (await client.conversations_history(channel=ann.dm.id))["messages"]
    (whole,) = (await client.conversations_history(channel=ann.dm.id, include_all_metadata=True))["messages"]
    assert "metadata" not in plain
    assert whole["metadata"] == metadata
    await client.chat_update(channel=ann.dm.id, ts=sent["ts"], text="z", metadata={})
    assert (await ann.dm.look()).bots[0].metadata is None


async def test_places_refuse_whom_they_do_not_know(
    slack: LocalSlack, client: AsyncWebClient, ann: Person, general: Place
) -> None:
    elsewhere, secret = (
        await slack.channel("open", ann, installs=()),
        await slack.channel("secret", ann, kind="group", installs=()),
    )
    assert await error_of(client.chat_postMessage(channel="C1", text="x")) == "channel_not_found"
    assert await error_of(client.chat_postMessage(channel=elsewhere.id, text="x")) == "not_in_channel"
    assert await error_of(client.chat_postMessage(channel=secret.id, text="x")) == "channel_not_found"
    assert await error_of(client.chat_postMessage(channel=general.id, text="x", thread_ts="1.000001")) == (
        "thread_not_found"
    )
    sent = await client.chat_postMessage(channel=general.id, text="x")
    await general.archive()
    assert await error_of(client.chat_postMessage(channel=general.id, text="x")) == "is_archived"
    assert await error_of(client.chat_update(channel=general.id, ts=sent["ts"], text="x")) == "is_inactive"
    await general.unarchive()
    await general.remove_bot(slack.install)
    assert await error_of(client.chat_postMessage(channel=general.id, text="x")) == "not_in_channel"


async def test_tokens_have_scopes(slack: LocalSlack, ann: Person) -> None:
    client = client_of(slack, await slack.installs(slack.team_id, ["chat:write"]))
    await client.chat_postMessage(channel=ann.dm.id, text="x")
    with pytest.raises(SlackApiError) as caught:
        await client.conversations_history(channel=ann.dm.id)

    assert caught.value.response["error"] == "missing_scope"
    assert (caught.value.response["needed"], caught.value.response["provided"]) == ("im:history", "chat:write")


async def test_only_good_tokens_are_taken(slack: LocalSlack, client: AsyncWebClient) -> None:
    for token, error in (("xoxb-wrong", "invalid_auth"), (slack.app_token, "invalid_auth")):
        stranger = AsyncWebClient(token, base_url=slack.api_url, retry_handlers=[])
        assert await error_of(stranger.auth_test()) == error
    assert await error_of(AsyncWebClient(base_url=slack.api_url).auth_test()) == "not_authed"
    assert await error_of(client.apps_connections_open(app_token=slack.token)) == "not_allowed_token_type"
    assert await error_of(client.api_call("chat.sing")) == "unknown_method"
    await slack.revoke_token()
    assert await error_of(client.auth_test()) == "token_revoked"


class TestRates:
    @pytest.fixture
    def options(self) -> Options:
        return Options(rates=Rates(tier2=Window(3), post_in_channel=Window(2, 2.0)))

    async def test_a_method_has_its_tier_in_each_workspace(self, slack: LocalSlack, ann: Person) -> None:
        client = client_of(slack)
        other_team = await slack.team("Other")
        other = await slack.installs(other_team)
        olga = await slack.person("Olga", other_team, other)
        asked, elsewhere = await ann.says("x"), await olga.says("x")
        for _ in range(3):
            await client.chat_startStream(channel=ann.dm.id, thread_ts=asked.ts)
        with pytest.raises(SlackApiError) as caught:
            await client.chat_startStream(channel=ann.dm.id, thread_ts=asked.ts)
        await client_of(slack, other).chat_startStream(channel=olga.dm.id, thread_ts=elsewhere.ts)
        await slack.advance(60)
        await client.chat_startStream(channel=ann.dm.id, thread_ts=asked.ts)

        refused = caught.value.response
        assert (refused.status_code, refused["error"]) == (429, "ratelimited")
        assert 0 < int(refused.headers["Retry-After"]) <= 60
        assert await slack.excesses() == {"chat.startStream": 1}

    async def test_posts_have_a_rate_in_each_channel(self, slack: LocalSlack, ann: Person) -> None:
        client, general = client_of(slack), await slack.channel("general", ann)
        for _ in range(2):
            await client.chat_postMessage(channel=ann.dm.id, text="x")
        assert await error_of(client.chat_postMessage(channel=ann.dm.id, text="x")) == "ratelimited"
        await client.chat_postMessage(channel=general.id, text="x")
        await slack.advance(2)
        await client.chat_postMessage(channel=ann.dm.id, text="x")

        assert len((await ann.dm.look()).bots) == 3

    async def test_slack_sdks_handler_waits_as_it_is_told(self, slack: LocalSlack, ann: Person) -> None:
        handler = AsyncRateLimitErrorRetryHandler(max_retry_count=1)
        client = AsyncWebClient(slack.token, base_url=slack.api_url, retry_handlers=[handler])
        await slack.fault("answer", "chat.postMessage", status=429, retry_after_s=1)
        await client.chat_postMessage(channel=ann.dm.id, text="x")
        refused, taken = await slack.calls("chat.postMessage")

        assert (refused.status, taken.status) == (429, 200)
        assert taken.began - refused.began >= 1
        assert len((await ann.dm.look()).bots) == 1


class TestSettings:
    @pytest.fixture
    def options(self) -> Options:
        return Options(app=AppOptions(events=("app_mention",)))

    async def test_the_app_is_told_only_what_it_subscribes_to(
        self, slack: LocalSlack, ann: Person, general: Place
    ) -> None:
        await ann.says(f"{slack.mention} hello", general)
        await ann.says("hello")

        assert [delivery.what for delivery in await slack.deliveries()] == ["app_mention"]
