"""What goes wrong by request on the local Slack, as slack_sdk's clients meet it."""

import asyncio
import time

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bots.sandbox.local_slack.driver import LocalSlack
from bots.sandbox.local_slack.people import NeverSeen, Person, Place
from bots.sandbox.orders import OrderRefused
from tests.integration.slack.slack_apps import bolt_app, client_of, echoing, error_of, over_sockets


async def posted(client: AsyncWebClient, ann: Person) -> None:
    await client.chat_postMessage(channel=ann.dm.id, text="hello")


async def count(ann: Person) -> int:
    return len((await ann.dm.look()).bots)


async def test_a_connection_breaks_before_the_call_or_after_it(
    slack: LocalSlack, client: AsyncWebClient, ann: Person
) -> None:
    await slack.fault("drop_before", "chat.postMessage")
    with pytest.raises(aiohttp.ClientError):
        await posted(client, ann)
    before = await count(ann)
    await slack.fault("drop_after", "chat.postMessage")
    with pytest.raises(aiohttp.ClientError):
        await posted(client, ann)
    calls = await slack.calls("chat.postMessage")

    assert (before, await count(ann)) == (0, 1)
    assert [(call.fault, call.status) for call in calls] == [("drop_before", 0), ("drop_after", 0)]
    assert calls[1].answer["ok"]


async def test_slack_sdks_default_handlers_post_twice(slack: LocalSlack, ann: Person) -> None:
    await slack.fault("drop_after", "chat.postMessage")
    await posted(AsyncWebClient(slack.token, base_url=slack.api_url), ann)

    assert await count(ann) == 2


@pytest.mark.parametrize(("kind", "posts"), [("answer", 0), ("answer_after", 1)])
async def test_an_error_comes_instead_of_the_answer(
    slack: LocalSlack, client: AsyncWebClient, ann: Person, kind: str, posts: int
) -> None:
    await slack.fault(kind, "chat.postMessage", error="fatal_error")
    await slack.fault(kind, "chat.postMessage", status=503)
    assert await error_of(posted(client, ann)) == "fatal_error"
    with pytest.raises(SlackApiError) as caught:
        await posted(client, ann)

    assert caught.value.response.status_code == 503
    assert await count(ann) == posts * 2


async def test_too_often_says_when_to_come_again(slack: LocalSlack, client: AsyncWebClient, ann: Person) -> None:
    await slack.fault("answer", "chat.postMessage", status=429, retry_after_s=7)
    with pytest.raises(SlackApiError) as caught:
        await posted(client, ann)

    assert (caught.value.response.status_code, caught.value.response["error"]) == (429, "ratelimited")
    assert caught.value.response.headers["Retry-After"] == "7"
    assert await slack.excesses() == {}


async def test_answers_come_late_before_or_after_the_deed(
    slack: LocalSlack, client: AsyncWebClient, ann: Person
) -> None:
    await slack.fault("delay_after", "chat.postMessage", seconds=0.3)
    began = time.monotonic()
    await posted(client, ann)
    (first,) = (await ann.dm.look()).bots
    await slack.fault("delay_before", "chat.postMessage", seconds=0.3)
    await posted(client, ann)
    _, second = (await ann.dm.look()).bots
    calls = await slack.calls("chat.postMessage")

    assert time.monotonic() - began >= 0.6
    assert first.times[0] - calls[0].began < 0.2
    assert second.times[0] - calls[1].began >= 0.3


async def test_faults_meet_whom_they_are_meant_for(
    slack: LocalSlack, client: AsyncWebClient, ann: Person, general: Place
) -> None:
    other = await slack.installs(await slack.team("Other"))
    await slack.fault("answer", "chat.postMessage", channel=general.id, error="fatal_error")
    await slack.fault("answer", "auth.test", install=other.id, error="fatal_error")
    await slack.fault("answer", "chat.postMessage", after=1, times=2, error="internal_error")
    waiting = (await slack.look()).waiting_faults
    await client.auth_test()
    await posted(client, ann)
    answers = [await error_of(posted(client, ann)) for _ in range(2)]

    assert waiting == 4
    assert answers == ["internal_error", "internal_error"]
    assert await error_of(client.chat_postMessage(channel=general.id, text="x")) == "fatal_error"
    assert await error_of(client_of(slack, other).auth_test()) == "fatal_error"
    await slack.fault("answer", "chat.postMessage", error="fatal_error")
    await slack.clear_faults()
    await posted(client, ann)


async def test_a_fault_without_a_name_spares_the_sockets(slack: LocalSlack, client: AsyncWebClient) -> None:
    await slack.fault("answer", error="fatal_error")
    await client.apps_connections_open(app_token=slack.app_token)

    assert await error_of(client.auth_test()) == "fatal_error"
    await slack.fault("answer", "*", error="fatal_error")
    assert await error_of(client.apps_connections_open(app_token=slack.app_token)) == "fatal_error"


async def test_slack_goes_away_and_comes_back(slack: LocalSlack, client: AsyncWebClient, ann: Person) -> None:
    async with over_sockets(slack, echoing(bolt_app(slack))):
        await slack.go_away()
        with pytest.raises(aiohttp.ClientConnectorError):
            await client.auth_test()
        away = await slack.until(lambda state: not state.open_sockets)
        await slack.come_back()
        await slack.connected()
        await ann.says("hello")
        await ann.dm.shows("you said: hello")

    assert not away.is_here
    assert (await slack.look()).is_here


async def test_a_call_that_waits_ends_with_slack(slack: LocalSlack, client: AsyncWebClient, ann: Person) -> None:
    await slack.fault("delay_before", "chat.postMessage", seconds=60)
    posting = asyncio.create_task(posted(client, ann))
    await slack.called("chat.postMessage")
    await slack.go_away()

    with pytest.raises(aiohttp.ClientError):
        await posting


async def test_what_can_not_be_understood_is_refused(slack: LocalSlack, client: AsyncWebClient) -> None:
    headers = {"Authorization": f"Bearer {slack.token}"}
    async with aiohttp.ClientSession(headers=headers) as session:
        url = f"{slack.api_url}auth.test"
        for body, kind, error in ((b"{", "json", "invalid_json"), (b"[]", "json", "json_not_object")):
            async with session.post(url, data=body, headers={"Content-Type": f"application/{kind}"}) as answer:
                assert (await answer.json())["error"] == error
        async with session.post(url, data={"token": "xoxb-wrong"}) as answer:
            assert (await answer.json())["ok"]  # the header goes before
        async with session.get(f"{slack.api_url}conversations.info?channel=C1") as answer:
            assert (await answer.json())["error"] == "channel_not_found"
        async with session.post(f"{slack.api_url}chat.postMessage", json={}) as answer:
            assert (await answer.json())["error"] == "invalid_arguments"


async def test_calls_are_listed_without_secrets(slack: LocalSlack, client: AsyncWebClient, ann: Person) -> None:
    before = time.monotonic()
    await posted(client, ann)
    await client.api_call("auth.test", data={"token": slack.token})
    post, test = await slack.calls(since=before)

    assert (post.method, post.install, post.parameters["text"]) == ("chat.postMessage", slack.team_id, "hello")
    assert slack.token not in str(post) + str(test)
    assert post.ended is not None
    assert before < post.began < post.ended < test.began


async def test_orders_that_make_no_sense_are_refused(slack: LocalSlack, ann: Person, general: Place) -> None:
    asked = await ann.says("hello")
    ben = await slack.person("Ben")
    with pytest.raises(OrderRefused, match="not_in_channel"):
        await ben.says("hello", general)
    with pytest.raises(OrderRefused, match="message_not_found"):
        await ann.edits(asked, "x", general)
    with pytest.raises(OrderRefused, match="there is no event"):
        await slack.repeat_event("Ev1")
    with pytest.raises(OrderRefused, match="song"):
        await slack.fault("song")
    with pytest.raises(NeverSeen, match="shows"):
        await ann.dm.shows("never", timeout_s=0.01)
    with pytest.raises(NeverSeen, match="nothing was opened"):
        await ann.modal(timeout_s=0.01)
