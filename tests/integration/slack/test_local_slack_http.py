"""Events, interactions and commands over HTTP, as Bolt's own web server takes them; signatures and retries."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.signature import SignatureVerifier

from bots.sandbox.local_slack.driver import LocalSlack
from bots.sandbox.local_slack.people import Person, Place
from bots.sandbox.local_slack.request_urls import signature
from bots.sandbox.orders import OrderRefused
from tests.integration.slack.slack_apps import bolt_app, echoing, over_http, tried

BODY = b'{"type": "event_callback", "event": {"type": "message", "text": "forged"}}'


class Answering:
    """An app that does nothing but answer as it is told to."""

    def __init__(self) -> None:
        self.status = 200
        self.headers: dict[str, str] = {}
        self.requests: list[tuple[dict[str, str], bytes]] = []

    async def answer(self, request: web.Request) -> web.Response:
        self.requests.append((dict(request.headers), await request.read()))
        return web.Response(status=self.status, headers=self.headers)


@asynccontextmanager
async def answering(slack: LocalSlack) -> AsyncIterator[Answering]:
    app, answers = web.Application(), Answering()
    app.add_routes([web.post("/events", answers.answer)])
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await slack.post_events_to(f"http://127.0.0.1:{runner.addresses[0][1]}/events", verify=False)
    try:
        yield answers
    finally:
        await runner.cleanup()


async def test_an_app_answers_over_http(slack: LocalSlack, ann: Person, general: Place) -> None:
    async with over_http(slack, echoing(bolt_app(slack))) as url:
        await ann.says(f"{slack.mention} hello", general)
        await general.shows(f"you said: {slack.mention} hello")
        await slack.settled()
    deliveries = await slack.deliveries()

    assert {delivery.state for delivery in deliveries} == {"taken"}
    assert {attempt.over for delivery in deliveries for attempt in delivery.attempts} == {url}


async def test_a_url_that_does_not_meet_the_challenge_is_not_used(slack: LocalSlack) -> None:
    async with answering(slack) as answers:
        url = "http://127.0.0.1:1/nobody"
        with pytest.raises(OrderRefused, match="challenge"):
            await slack.post_events_to(url)
        assert answers.requests == []


async def test_requests_are_signed_as_slack_sdk_checks_it(slack: LocalSlack, ann: Person) -> None:
    async with answering(slack) as answers:
        await ann.says("hello")
        await slack.settled()
    ((headers, body),) = answers.requests

    assert SignatureVerifier(slack.signing_secret).is_valid_request(body, headers)
    assert not SignatureVerifier("another secret").is_valid_request(body, headers)
    assert abs(int(headers["X-Slack-Request-Timestamp"]) - time.time()) < 10
    assert "X-Slack-Retry-Num" not in headers


@pytest.mark.parametrize(("age_s", "secret", "status"), [(0, "", 200), (0, "x", 401), (301, "", 401), (-301, "", 401)])
async def test_bolt_refuses_what_is_forged_or_old(slack: LocalSlack, age_s: int, secret: str, status: int) -> None:
    async with over_http(slack, bolt_app(slack)) as url, aiohttp.ClientSession() as session:
        timestamp = str(int(time.time()) - age_s)
        headers = {
            "Content-Type": "application/json",
            "X-Slack-Request-Timestamp": timestamp,
            "X-Slack-Signature": signature(slack.signing_secret + secret, timestamp, BODY),
        }
        async with session.post(url, data=BODY, headers=headers) as answer:
            got = 200 if answer.status == 404 else answer.status  # Bolt knows no such event, and that is all

    assert got == status


async def test_slacks_clock_can_be_wrong(slack: LocalSlack, ann: Person) -> None:
    async with over_http(slack, bolt_app(slack)) as url:
        await slack.post_events_to(url, verify=False, skew_s=-400)
        await ann.says("hello")
        (delivery,) = await slack.delivered(tried(2))

    assert [(attempt.reason, attempt.status) for attempt in delivery.attempts] == [("http_error", 401)] * 2


async def test_errors_are_tried_again_as_documented(slack: LocalSlack, ann: Person) -> None:
    async with answering(slack) as answers:
        answers.status = 500
        await ann.says("hello")
        for tries, seconds in ((2, 0), (3, 60), (4, 300)):
            await slack.advance(seconds)
            await slack.delivered(tried(tries))
        await slack.settled()
    retries = [
        (headers.get("X-Slack-Retry-Num"), headers.get("X-Slack-Retry-Reason")) for headers, _ in answers.requests
    ]

    assert retries == [(None, None), ("1", "http_error"), ("2", "http_error"), ("3", "http_error")]
    assert len({body for _, body in answers.requests}) == 1
    assert (await slack.deliveries())[0].state == "lost"


async def test_an_app_can_ask_not_to_be_told_again(slack: LocalSlack, ann: Person) -> None:
    async with answering(slack) as answers:
        answers.status, answers.headers = 500, {"X-Slack-No-Retry": "1"}
        await ann.says("hello")
        await slack.settled()

    assert len(answers.requests) == 1


async def test_a_server_that_is_not_there_is_tried_again(slack: LocalSlack, ann: Person) -> None:
    await slack.post_events_to("http://127.0.0.1:1/nobody", verify=False)
    await ann.says("hello")
    await slack.delivered(tried(2))
    async with answering(slack) as answers:
        await slack.advance(60)
        await slack.settled()
    ((headers, _),) = answers.requests

    assert (headers["X-Slack-Retry-Num"], headers["X-Slack-Retry-Reason"]) == ("2", "connection_failed")


async def test_an_answer_that_takes_too_long_counts_as_none(slack: LocalSlack, ann: Person) -> None:
    async with answering(slack) as answers:
        await ann.says("one")
        await slack.settled()
        app = web.Application()
        app.add_routes([web.post("/events", _never)])
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        await slack.post_events_to(f"http://127.0.0.1:{runner.addresses[0][1]}/events", verify=False)
        await ann.says("two")
        await slack.advance(3)
        deliveries = await slack.delivered(lambda deliveries: bool(deliveries[1].attempts))
        await runner.cleanup()

    assert deliveries[1].attempts[0].reason == "timeout"
    assert len(answers.requests) == 1


async def _never(_request: web.Request) -> web.Response:
    await asyncio.Event().wait()
    return web.Response()


async def test_commands_and_buttons_come_as_forms(slack: LocalSlack, ann: Person) -> None:
    async with answering(slack) as answers:
        answered = await ann.commands("/banter help me")
    ((headers, body),) = answers.requests

    assert answered.is_ack
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert b"command=%2Fbanter&text=help+me" in body
    assert SignatureVerifier(slack.signing_secret).is_valid_request(body, headers)


async def test_socket_mode_goes_on_when_the_url_is_taken_away(slack: LocalSlack, ann: Person) -> None:
    async with answering(slack):
        await slack.post_events_to("")
        await ann.says("hello")
        (delivery,) = await slack.delivered(lambda deliveries: bool(deliveries[0].attempts))

    assert delivery.attempts[0].over == ""
