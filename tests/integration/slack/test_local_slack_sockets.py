"""Socket Mode on the local Slack: connections, envelopes, retries; with slack_sdk's clients and bare websockets."""

import asyncio

import aiohttp
import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_slack.driver import LocalSlack
from bots.sandbox.local_slack.people import Person
from tests.integration.slack.bare_sockets import SAFE_S, bare
from tests.integration.slack.slack_apps import acking, bolt_app, client_of, echoing, over_sockets


async def test_hello_comes_first_and_counts_the_connections(slack: LocalSlack) -> None:
    async with bare(slack) as first:
        hello = await first.next()
        async with bare(slack) as second:
            again = await second.next()

    assert (hello["type"], hello["num_connections"], again["num_connections"]) == ("hello", 1, 2)
    assert hello["connection_info"] == {"app_id": slack.app_id}
    assert hello["debug_info"]["approximate_connection_time"] > 0


async def test_a_ticket_is_good_once_and_not_for_long(slack: LocalSlack) -> None:
    client = client_of(slack)
    used = (await client.apps_connections_open(app_token=slack.app_token))["url"]
    stale = (await client.apps_connections_open(app_token=slack.app_token))["url"]
    async with aiohttp.ClientSession() as session:
        async with session.ws_connect(used):
            pass
        await slack.advance(31)
        for url in (used, stale):
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await session.ws_connect(url)


async def test_events_go_round_among_the_connections(slack: LocalSlack, ann: Person) -> None:
    async with over_sockets(slack, echoing(bolt_app(slack)), connections=2):
        for number in range(4):
            await ann.says(f"{number}")
        await ann.dm.answers(4)
        state = await slack.settled()

    assert len(state.sockets) == 2
    assert all(socket.acks >= 4 for socket in state.sockets)


async def test_each_event_can_be_told_three_times_on_two_connections(slack: LocalSlack, ann: Person) -> None:
    heard: list[JsonObject] = []
    await slack.bring_each(3)
    async with over_sockets(slack, acking(bolt_app(slack, heard)), connections=2):
        await ann.says("hello")
        await slack.settled()
        (delivery,) = await slack.deliveries()

    assert len(heard) == len(delivery.attempts) == 3
    assert {attempt.over for attempt in delivery.attempts} == {"s1", "s2"}


async def test_a_refresh_is_followed_by_a_new_connection(slack: LocalSlack, ann: Person) -> None:
    async with over_sockets(slack, echoing(bolt_app(slack))):
        await slack.refresh()
        state = await slack.until(lambda state: len(state.sockets) == 2 and len(state.open_sockets) == 1)
        await ann.says("hello")
        await ann.dm.shows("you said: hello")

    assert [socket.is_open for socket in state.sockets] == [False, True]


async def test_a_warning_leaves_the_connection_open(slack: LocalSlack) -> None:
    async with bare(slack) as socket:
        await socket.next()
        await slack.refresh(reason="warning")
        warned = await socket.next()
        is_open = len((await slack.look()).open_sockets)
        await slack.refresh(reason="link_disabled")
        told = await socket.next()
        closed = await socket.close_code()

    assert (warned["type"], warned["reason"], is_open) == ("disconnect", "warning", 1)
    assert told["reason"] == "link_disabled"
    assert closed is aiohttp.WSMsgType.CLOSE


async def test_a_connection_that_is_lost_without_a_word_is_found_out_by_pings(slack: LocalSlack, ann: Person) -> None:
    async with over_sockets(slack, echoing(bolt_app(slack))):
        await slack.mute()
        await ann.says("hello")
        await slack.until(lambda state: len(state.sockets) > 1)
        await slack.advance(3)
        await ann.dm.shows("you said: hello")


async def test_a_connection_that_breaks_is_made_anew(slack: LocalSlack, ann: Person) -> None:
    async with over_sockets(slack, echoing(bolt_app(slack))):
        await slack.cut()
        await slack.until(lambda state: len(state.sockets) == 2 and len(state.open_sockets) == 1)
        await ann.says("hello")
        await ann.dm.shows("you said: hello")


async def test_there_can_be_ten_connections(slack: LocalSlack) -> None:
    app = AsyncApp(client=client_of(slack), signing_secret="x")
    async with over_sockets(slack, app, connections=10), bare(slack) as eleventh:
        refused = await eleventh.next()

    assert (refused["type"], refused["reason"]) == ("disconnect", "too_many_websockets")


async def test_an_event_can_be_held_back_reversed_repeated_and_made_up(slack: LocalSlack, ann: Person) -> None:
    async with bare(slack) as socket:
        await socket.next()
        await slack.hold_events()
        await ann.says("one")
        await ann.says("two")
        await slack.let_events_go(is_reversed=True)
        texts = []
        for _ in range(2):
            envelope = await socket.next()
            texts.append(envelope["payload"]["event"]["text"])
            await socket.ack(envelope)
        event_id = (await slack.deliveries())[0].event_id
        await slack.repeat_event(event_id)
        again = await socket.next()
        await socket.ack(again)
        await slack.send_event({"type": "event_callback", "event": {"type": "earthquake"}, "event_id": "Ev1"})
        made_up = await socket.next()

    assert texts == ["two", "one"]
    assert again["payload"]["event_id"] == event_id
    assert made_up["payload"]["event"] == {"type": "earthquake"}


async def test_pings_are_answered(slack: LocalSlack) -> None:
    url = (await client_of(slack).apps_connections_open(app_token=slack.app_token))["url"]
    async with aiohttp.ClientSession() as session, session.ws_connect(url, autoping=False) as wire:
        await wire.receive_json()
        await wire.ping(b"sdk-ping-pong:1")
        async with asyncio.timeout(SAFE_S):
            answer = await wire.receive()

    assert (answer.type, answer.data) == (aiohttp.WSMsgType.PONG, b"sdk-ping-pong:1")


async def test_the_app_token_opens_connections_and_nothing_else(slack: LocalSlack) -> None:
    client = AsyncWebClient(slack.app_token, base_url=slack.api_url, retry_handlers=[])
    opened = await client.apps_connections_open(app_token=slack.app_token)

    assert opened["url"].startswith("ws://127.0.0.1:")
    assert [call.install for call in await slack.calls("apps.connections.open")] == [""]
