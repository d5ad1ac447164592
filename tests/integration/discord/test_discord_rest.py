"""Every call ends, is made as often as it may be, and tells what it came to."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from discord.http import Route

from adapters.discord.api import DiscordRest
from adapters.discord.endpoint import speak_to
from adapters.discord.paced_http import Manner
from adapters.discord.refusals import Refused, WrongToken
from core.errors import PlatformAway, RateLimited, SendUnclear
from tests.integration.discord.scripted_api import Answer, ScriptedApi, limited, response_of, scripted_api, too_much

TOKEN = "MTIz.abcdef.a-very-secret-token"


@pytest.fixture
async def api() -> AsyncIterator[ScriptedApi]:
    async with scripted_api() as api:
        yield api


@pytest.fixture
async def rest(api: ScriptedApi) -> AsyncIterator[DiscordRest]:
    rest = DiscordRest(TOKEN)
    try:
        yield rest
    finally:
        await rest.aclose()


class Window:
    """Counts as Discord does."""

    def __init__(self, limit: int, length_s: float) -> None:
        self.limit, self.length_s = limit, length_s
        self.ends_at, self.used = 0.0, 0
        self.excesses = 0

    def take(self) -> Answer:
        now = time.monotonic()
        if now >= self.ends_at:
            self.ends_at, self.used = now + self.length_s, 0
        if self.used >= self.limit:
            self.excesses += 1
            return too_much(self.ends_at - now)
        self.used += 1
        return Answer(headers=limited(self.limit, self.limit - self.used, self.ends_at - now))


def post(channel: str = "5") -> Route:
    return Route("POST", "/channels/{channel_id}/messages", channel_id=channel)


def edit(message: str = "9", channel: str = "5") -> Route:
    return Route("PATCH", "/channels/{channel_id}/messages/{message_id}", channel_id=channel, message_id=message)


async def test_it_logs_in_by_itself_and_once(api: ScriptedApi, rest: DiscordRest) -> None:
    await asyncio.gather(*(rest.request(post(), json={}) for _ in range(3)))

    assert await rest.user_id() == "1"
    assert api.logins == 1
    assert api.calls == ["POST /channels/5/messages"] * 3


async def test_what_is_sent_is_sent_once_whatever_comes_of_it(api: ScriptedApi, rest: DiscordRest) -> None:
    await rest.open()
    for answer, meant in (
        (Answer(500), SendUnclear),
        (Answer(502), SendUnclear),
        (Answer(drops=True), SendUnclear),
        (Answer(403, {"code": 50013, "message": "no"}), Refused),
    ):
        api.calls.clear()
        api.will(answer)
        with pytest.raises(meant):
            await rest.request(post(), json={}, manner=Manner.SENT)
        assert len(api.calls) == 1


async def test_an_answer_that_is_needed_is_asked_for_again(api: ScriptedApi, rest: DiscordRest) -> None:
    api.will(too_much(0.05), Answer(body={"id": "7"}))

    assert await rest.request(post(), json={}) == {"id": "7"}
    assert len(api.calls) == 2


@pytest.mark.parametrize("manner", [Manner.SENT, Manner.SHOWN])
async def test_too_much_is_told_at_once_with_its_time(api: ScriptedApi, rest: DiscordRest, manner: Manner) -> None:
    api.will(too_much(9.5))
    with pytest.raises(RateLimited) as raised:
        await rest.request(edit(), json={}, manner=manner)
    assert raised.value.retry_after_s == 9.5

    with pytest.raises(RateLimited) as raised:
        await rest.request(edit(), json={}, manner=Manner.SHOWN)
    assert 8 < raised.value.retry_after_s <= 9.5
    assert len(api.calls) == 1
    await rest.request(edit(channel="6"), json={}, manner=Manner.SHOWN)


async def test_a_limit_of_all_calls_is_one_of_all_calls(api: ScriptedApi, rest: DiscordRest) -> None:
    api.will(too_much(9.5, is_global=True))
    with pytest.raises(RateLimited):
        await rest.request(edit(), json={}, manner=Manner.SENT)

    for manner in Manner:
        with pytest.raises(RateLimited):
            await rest.request(post("77"), json={}, manner=manner)
    assert len(api.calls) == 1


async def test_a_limit_of_all_calls_is_none_of_an_interactions(api: ScriptedApi, rest: DiscordRest) -> None:
    api.will(too_much(9.5, is_global=True))
    with pytest.raises(RateLimited):
        await rest.request(edit(), json={}, manner=Manner.SENT)

    path = "/interactions/{interaction_id}/{interaction_token}/callback"
    await rest.request(Route("POST", path, interaction_id="1", interaction_token="t"), json={}, manner=Manner.SENT)
    assert len(api.calls) == 2


async def test_what_is_shown_never_waits_and_leaves_the_last_call_to_what_is_sent(
    api: ScriptedApi, rest: DiscordRest
) -> None:
    api.will(*(Answer(headers=limited(3, left, 20.0)) for left in (2, 1, 0)))
    for _ in range(2):
        await rest.request(edit(), json={}, manner=Manner.SHOWN)
    begun = time.monotonic()
    with pytest.raises(RateLimited) as raised:
        await rest.request(edit(), json={}, manner=Manner.SHOWN)
    assert 18 < raised.value.retry_after_s <= 20

    await rest.request(edit(), json={}, manner=Manner.SENT)
    assert time.monotonic() - begun < 5
    assert len(api.calls) == 3
    assert rest.window_s(edit()) == pytest.approx(10.0, abs=0.1)


async def test_calls_of_one_bucket_keep_to_it_however_many_come_at_once(api: ScriptedApi, rest: DiscordRest) -> None:
    window = Window(3, 0.2)

    async def counted(request: web.Request) -> web.StreamResponse:
        return response_of(window.take())

    api.handler = counted
    await rest.request(edit(), json={}, manner=Manner.SENT)
    async with asyncio.timeout(10):
        await asyncio.gather(*(rest.request(edit(str(number)), json={}, manner=Manner.SENT) for number in range(20)))

    assert window.excesses == 0


async def test_where_nobody_listens_nothing_was_sent(rest: DiscordRest) -> None:
    speak_to("http://127.0.0.1:9/api/v10")
    with pytest.raises(PlatformAway):
        await rest.open()


async def test_a_connection_that_can_not_be_made_any_more_sent_nothing(rest: DiscordRest) -> None:
    await rest.open()
    speak_to("http://127.0.0.1:9/api/v10")
    with pytest.raises(PlatformAway):
        await rest.request(post(), json={}, manner=Manner.SENT)


async def test_a_login_that_fails_is_tried_again_with_the_next_call(api: ScriptedApi, rest: DiscordRest) -> None:
    good, api.login = api.login, Answer(503)
    with pytest.raises(PlatformAway):
        await rest.open()
    api.login = good
    await rest.open()
    assert await rest.user_id() == "1"


async def test_a_wrong_token_is_told_of_and_not_shown_again_and_again(
    api: ScriptedApi, rest: DiscordRest, caplog: pytest.LogCaptureFixture
) -> None:
    api.login = Answer(401, {"message": "401: Unauthorized", "code": 0})
    for _ in range(5):
        with pytest.raises(WrongToken):
            await rest.request(post(), json={}, manner=Manner.SENT)

    assert api.logins == 1
    assert [record.levelname for record in caplog.records].count("ERROR") == 1
    assert "BANTER_DISCORD_TOKEN" in caplog.text


async def test_a_token_that_stays_wrong_is_said_once(
    api: ScriptedApi, rest: DiscordRest, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.discord.api._WRONG_TOKEN_PAUSE_S", 0.0)
    api.login = Answer(401, {"message": "401: Unauthorized", "code": 0})
    for _ in range(3):
        with pytest.raises(WrongToken):
            await rest.request(post(), json={}, manner=Manner.SENT)

    assert api.logins == 3
    assert [record.levelname for record in caplog.records].count("ERROR") == 1


async def test_a_token_that_becomes_wrong_loses_nothing(api: ScriptedApi, rest: DiscordRest) -> None:
    await rest.open()
    api.will(Answer(401, {"message": "401: Unauthorized", "code": 0}))
    for _ in range(2):
        with pytest.raises(PlatformAway):
            await rest.request(post(), json={}, manner=Manner.SENT)
    assert len(api.calls) == 1


async def test_no_token_and_no_text_comes_into_the_log(
    api: ScriptedApi, rest: DiscordRest, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.WARNING, "aiohttp.access")  # the server's own
    way = Route(
        "PATCH", "/webhooks/{webhook_id}/{webhook_token}/messages/@original", webhook_id="1", webhook_token="wht"
    )
    for answer in (Answer(), too_much(0.01), Answer(), Answer(404, {"code": 10015, "message": "my words"})):
        api.will(answer)
    await rest.request(way, json={"content": "my words"})
    await rest.request(way, json={"content": "my words"})
    with pytest.raises(Refused) as raised:
        await rest.request(way, json={"content": "my words"})

    for secret in (TOKEN, "wht", "my words"):
        assert secret not in caplog.text
        assert secret not in str(raised.value)


async def test_an_answer_that_never_comes_is_not_waited_for_for_ever(
    api: ScriptedApi, rest: DiscordRest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.discord.api._DEADLINE_S", 0.2)
    await rest.open()
    held = asyncio.Event()

    async def never(request: web.Request) -> web.StreamResponse:
        await held.wait()
        return web.json_response({})

    api.handler = never
    try:
        with pytest.raises(SendUnclear):
            await rest.request(post(), json={}, manner=Manner.SENT)
    finally:
        held.set()
