"""Socket Mode on the local Slack: connections, envelopes, retries; with slack_sdk's clients and bare websockets."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bots.sandbox.json_values import JsonObject, object_in
from bots.sandbox.local_slack.driver import LocalSlack
from bots.sandbox.local_slack.limits import NO_RATES
from bots.sandbox.local_slack.options import Options
from bots.sandbox.local_slack.people import Person
from tests.integration.slack.slack_apps import acking, bolt_app, client_of, echoing, over_sockets, tried

SAFE_S = 20.0


class Bare:
    """A websocket without a library's help."""

    def __init__(self, wire: aiohttp.ClientWebSocketResponse) -> None:
        self.wire = wire

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(SAFE_S):
            said = await self.wire.receive_json()
            assert isinstance(said, dict)
            return said

    async def ack(self, envelope: dict[str, Any]) -> None:
        await self.wire.send_json({"envelope_id": envelope["envelope_id"]})

    async def close_code(self) -> aiohttp.WSMsgType:
        async with asyncio.timeout(SAFE_S):
            return (await self.wire.receive()).type


@asynccontextmanager
async def bare(slack: LocalSlack) -> AsyncIterator[Bare]:
    """Connected; the hello is still to come."""
    url = (await client_of(slack).apps_connections_open(app_token=slack.app_token))["url"]
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as wire:
        yield Bare(wire)


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


async def test_an_envelope_waits_for_its_acknowledgement(slack: LocalSlack, ann: Person) -> None:
    async with bare(slack) as socket:
        await socket.next()
        asked = await ann.says("hello")
        envelope = await socket.next()
        before = (await slack.look()).pending_events
        await socket.wire.send_str("no json")
        await socket.wire.send_json(["nor an object"])
        await socket.ack({"envelope_id": "nobody's"})
        await socket.ack(envelope)
        after = await slack.settled()

    assert (envelope["type"], envelope["accepts_response_payload"]) == ("events_api", False)
    assert (envelope["retry_attempt"], envelope["retry_reason"]) == (0, "")
    assert envelope["payload"]["event"]["ts"] == asked.ts
    assert (before, after.pending_events) == (1, 0)
    (delivery,) = await slack.deliveries()
    assert (delivery.state, len(delivery.attempts)) == ("taken", 1)


async def test_what_is_not_acknowledged_comes_at_once_then_after_one_minute_and_five(
    slack: LocalSlack, ann: Person
) -> None:
    async with bare(slack) as socket:
        await socket.next()
        await ann.says("hello")
        seen = []
        for seconds in (3, 3, 60 + 3, 300 + 3):
            envelope = await socket.next() if seconds == 3 else None
            if envelope is None:
                await slack.advance(seconds - 3)
                envelope = await socket.next()
            seen.append((envelope["retry_attempt"], envelope["retry_reason"], envelope["payload"]["event_id"]))
            await slack.advance(3)
        await slack.settled()
    (delivery,) = await slack.deliveries()

    assert [attempt for attempt, _, _ in seen] == [0, 1, 2, 3]
    assert [reason for _, reason, _ in seen] == ["", "timeout", "timeout", "timeout"]
    assert len({event_id for _, _, event_id in seen}) == 1
    assert delivery.state == "lost"


async def test_a_retry_does_not_come_before_its_time(slack: LocalSlack, ann: Person) -> None:
    async with bare(slack) as socket:
        await socket.next()
        await ann.says("hello")
        for _ in range(2):
            await socket.next()
            await slack.advance(3)
        await slack.delivered(tried(2))
        await slack.advance(55)
        tries = [len((await slack.deliveries())[0].attempts)]
        await slack.advance(5)
        await socket.next()
        await slack.advance(3)
        await slack.delivered(tried(3))
        await slack.advance(290)
        tries.append(len((await slack.deliveries())[0].attempts))
        await slack.advance(10)
        await socket.ack(await socket.next())
        await slack.settled()

    assert tries == [2, 3]
    assert (await slack.deliveries())[0].state == "taken"


async def test_what_happens_while_nobody_is_connected_comes_later(slack: LocalSlack, ann: Person) -> None:
    await ann.says("hello")
    await slack.delivered(tried(2))
    async with over_sockets(slack, echoing(bolt_app(slack))):
        await slack.advance(60)
        await ann.dm.shows("you said: hello")
    (hello, *_) = await slack.deliveries()

    assert [attempt.reason for attempt in hello.attempts] == ["connection_failed", "connection_failed", ""]


async def test_an_app_that_fails_gets_the_event_again(slack: LocalSlack, ann: Person) -> None:
    app, tries = bolt_app(slack), []

    async def fail_once(body: JsonObject, next: Any) -> None:  # noqa: A002 - Bolt's name
        tries.append(body["event_id"])
        if len(tries) == 1:
            raise RuntimeError("the database is away")
        await next()

    app.middleware(fail_once)
    async with over_sockets(slack, echoing(app)):
        await ann.says("hello")
        await slack.called("auth.test")
        while not tries:  # noqa: ASYNC110 - nothing else tells that Bolt failed
            await asyncio.sleep(0.01)
        await slack.advance(3)
        await ann.dm.shows("you said: hello")

    assert len(set(tries)) == 1


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


async def test_an_envelope_is_acknowledged_within_three_seconds_or_not_at_all(slack: LocalSlack, ann: Person) -> None:
    async with bare(slack) as socket:
        await socket.next()
        await ann.says("hello")
        envelope = await socket.next()
        await slack.advance(2)
        still = (await slack.deliveries())[0].attempts
        await slack.advance(1.5)
        late = await slack.delivered(lambda deliveries: bool(deliveries[0].attempts))
        await socket.ack(envelope)
        again = await socket.next()
        await socket.ack(again)
        await slack.settled()

    assert still == ()
    assert late[0].attempts[0].reason == "timeout"
    assert again["retry_attempt"] == 1


class TestDelayedEvents:
    @pytest.fixture
    def options(self) -> Options:
        return Options(rates=NO_RATES, has_delayed_events=True)

    async def test_an_event_comes_hourly_for_a_day(self, slack: LocalSlack, ann: Person) -> None:
        await ann.says("hello")
        await slack.delivered(tried(2))
        for tries, seconds in enumerate((60, 300, *[3600] * 22), 3):
            await slack.advance(seconds)
            await slack.delivered(tried(tries))
        state = (await slack.deliveries())[0].state
        await slack.advance(3600)
        await slack.settled()

        assert state == "pending"
        assert (await slack.deliveries())[0].state == "lost"


async def test_times_of_attempts_are_kept(slack: LocalSlack, ann: Person) -> None:
    began = time.monotonic()
    async with over_sockets(slack, acking(bolt_app(slack))):
        await ann.says("hello")
        await slack.settled()
    (delivery,) = await slack.deliveries()

    assert began < delivery.attempts[0].at < time.monotonic()
    assert object_in(delivery.body["event"])["text"] == "hello"


async def test_the_app_token_opens_connections_and_nothing_else(slack: LocalSlack) -> None:
    client = AsyncWebClient(slack.app_token, base_url=slack.api_url, retry_handlers=[])
    opened = await client.apps_connections_open(app_token=slack.app_token)

    assert opened["url"].startswith("ws://127.0.0.1:")
    assert [call.install for call in await slack.calls("apps.connections.open")] == [""]
