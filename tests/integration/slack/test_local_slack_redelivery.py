"""What an app does not acknowledge comes again over Socket Mode, at Slack's times."""

import asyncio
import time
from typing import Any

import pytest

from bots.sandbox.json_values import JsonObject, object_in
from bots.sandbox.local_slack.driver import LocalSlack
from bots.sandbox.local_slack.limits import NO_RATES
from bots.sandbox.local_slack.options import Options
from bots.sandbox.local_slack.people import Person
from tests.integration.slack.bare_sockets import bare
from tests.integration.slack.slack_apps import acking, bolt_app, echoing, over_sockets, tried


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
