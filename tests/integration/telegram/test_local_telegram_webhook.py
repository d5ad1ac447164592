"""Updates that the local Bot API server brings: to a real HTTP server, and through it to python-telegram-bot."""

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from telegram import Bot, Update
from telegram.error import BadRequest, Conflict

from bots.sandbox.local_telegram.driver import LocalTelegram, local_telegram
from bots.sandbox.local_telegram.options import NO_RATES, Options
from bots.sandbox.local_telegram.people import Person
from bots.web import serving
from tests.integration.telegram.ptb_bots import echo_application

SECRET = "only-telegram-knows-it"


class Endpoint:
    """Takes updates in; answers with what it is told to, else with 200."""

    def __init__(self) -> None:
        self.url = ""
        self.answers: list[Response] = []
        #: (secret, update) of every request.
        self.brought: asyncio.Queue[tuple[str | None, dict[str, object]]] = asyncio.Queue()
        #: Cleared, requests wait.
        self.is_open = asyncio.Event()
        self.is_open.set()
        self.waiting = 0

    async def take(self, request: Request) -> Response:
        update = await request.json()
        self.waiting += 1
        await self.brought.put((request.headers.get("X-Telegram-Bot-Api-Secret-Token"), update))
        async with asyncio.timeout(20):
            await self.is_open.wait()
        self.waiting -= 1
        return self.answers.pop(0) if self.answers else Response()

    async def next(self) -> dict[str, object]:
        async with asyncio.timeout(10):
            return (await self.brought.get())[1]


@pytest.fixture
async def telegram() -> AsyncIterator[LocalTelegram]:
    async with local_telegram(Options(rates=NO_RATES, webhook_wait_s=0.02)) as telegram:
        yield telegram


@pytest.fixture
async def endpoint() -> AsyncIterator[Endpoint]:
    endpoint = Endpoint()
    app = Starlette(routes=[Route("/hook", endpoint.take, methods=["POST"])])
    async with serving(app, "127.0.0.1", 0) as port:
        endpoint.url = f"http://127.0.0.1:{port}/hook"
        yield endpoint


@pytest.fixture
async def ann(telegram: LocalTelegram) -> Person:
    return await telegram.person("Ann")


def text(update: dict[str, object]) -> object:
    message = update["message"]
    assert isinstance(message, dict)
    return message["text"]


async def test_an_application_answers_what_is_brought_with_the_secret(
    telegram: LocalTelegram, bot: Bot, ann: Person
) -> None:
    async with echo_application(telegram) as application:

        async def take(request: Request) -> Response:
            if request.headers["X-Telegram-Bot-Api-Secret-Token"] != SECRET:
                return Response(status_code=403)
            update = Update.de_json(await request.json(), application.bot)
            await application.update_queue.put(update)
            return Response()

        app = Starlette(routes=[Route("/hook", take, methods=["POST"])])
        async with serving(app, "127.0.0.1", 0) as port:
            await bot.set_webhook(f"http://127.0.0.1:{port}/hook", secret_token=SECRET)
            await ann.says("hello")
            await ann.chat.shows("you said: hello")
            await telegram.settled()
            await bot.delete_webhook()


async def test_what_waited_is_brought_first_and_in_order(bot: Bot, ann: Person, endpoint: Endpoint) -> None:
    for number in range(3):
        await ann.says(str(number))
    await bot.set_webhook(endpoint.url, secret_token=SECRET)
    await ann.says("3")

    brought = [await endpoint.brought.get() for _ in range(4)]

    assert [text(update) for _, update in brought] == ["0", "1", "2", "3"]
    assert {secret for secret, _ in brought} == {SECRET}


async def test_without_a_secret_there_is_no_header(bot: Bot, ann: Person, endpoint: Endpoint) -> None:
    await bot.set_webhook(endpoint.url)
    await ann.says("hello")

    assert (await endpoint.brought.get())[0] is None


async def test_what_is_not_taken_is_brought_again_before_anything_else_of_that_chat(
    bot: Bot, ann: Person, telegram: LocalTelegram, endpoint: Endpoint
) -> None:
    endpoint.answers = [Response(status_code=500), Response(status_code=403), Response(status_code=301)]
    await bot.set_webhook(endpoint.url)
    await ann.says("first")
    await ann.says("second")

    brought = [text(await endpoint.next()) for _ in range(5)]
    info = (await telegram.settled()).webhook

    assert brought == ["first"] * 4 + ["second"]
    assert str(info["last_error_message"]).startswith("Wrong response from the webhook: 301")


async def test_the_waits_between_tries_grow(bot: Bot, ann: Person, endpoint: Endpoint) -> None:
    endpoint.answers = [Response(status_code=500) for _ in range(6)]
    await bot.set_webhook(endpoint.url)
    loop = asyncio.get_running_loop()
    await ann.says("first")
    times = []
    for _ in range(7):
        await endpoint.next()
        times.append(loop.time())

    gaps = [later - earlier for earlier, later in pairwise(times)]
    # At once, then 0.02, 0.04, 0.08 …: each is at least as long as it has to be.
    assert all(gap >= 0.02 * 2**number * 0.9 for number, gap in enumerate(gaps[1:]))


async def test_a_retry_after_is_kept_to(bot: Bot, ann: Person, endpoint: Endpoint) -> None:
    endpoint.answers = [Response(status_code=503, headers={"Retry-After": "1"})]
    await bot.set_webhook(endpoint.url)
    loop = asyncio.get_running_loop()
    await ann.says("first")
    await endpoint.next()
    began = loop.time()
    await endpoint.next()

    assert 0.9 < loop.time() - began < 5


async def test_one_chat_does_not_wait_for_another(
    bot: Bot, ann: Person, telegram: LocalTelegram, endpoint: Endpoint
) -> None:
    ben = await telegram.person("Ben")
    endpoint.is_open.clear()
    await bot.set_webhook(endpoint.url)
    await ann.says("from Ann")
    await ann.says("later")
    await ben.says("from Ben")

    assert {text(await endpoint.next()), text(await endpoint.next())} == {"from Ann", "from Ben"}
    assert endpoint.waiting == 2
    endpoint.is_open.set()
    assert text(await endpoint.next()) == "later"


async def test_no_more_connections_are_used_than_are_allowed(
    bot: Bot, telegram: LocalTelegram, endpoint: Endpoint
) -> None:
    people = [await telegram.person(f"P{number}") for number in range(3)]
    endpoint.is_open.clear()
    await bot.set_webhook(endpoint.url, max_connections=2)
    for person in people:
        await person.says("hello")
    for _ in range(2):
        await endpoint.next()
    await telegram.look()

    assert endpoint.waiting == 2
    assert endpoint.brought.empty()
    endpoint.is_open.set()
    await endpoint.next()
    await telegram.settled()


async def test_an_update_is_brought_twice_by_request(
    bot: Bot, ann: Person, telegram: LocalTelegram, endpoint: Endpoint
) -> None:
    await bot.set_webhook(endpoint.url)
    await ann.says("hello")
    first = await endpoint.next()
    await telegram.settled()
    await telegram.repeat_update(int(str(first["update_id"])))

    assert await endpoint.next() == first


async def test_polling_and_a_webhook_exclude_each_other(bot: Bot, ann: Person, endpoint: Endpoint) -> None:
    await bot.set_webhook(endpoint.url)
    with pytest.raises(Conflict, match="can't use getUpdates method while webhook is active"):
        await bot.get_updates()

    await bot.delete_webhook()
    await ann.says("hello")
    assert len(await bot.get_updates()) == 1
    assert endpoint.brought.empty()


async def test_setting_a_webhook_ends_a_poll(bot: Bot, telegram: LocalTelegram, endpoint: Endpoint) -> None:
    poll = asyncio.create_task(bot.get_updates(timeout=20))
    await telegram.called("getUpdates")
    await bot.set_webhook(endpoint.url)

    with pytest.raises(Conflict, match="terminated by setWebhook request"):
        await poll


async def test_pending_updates_are_dropped_by_request(bot: Bot, ann: Person, endpoint: Endpoint) -> None:
    await ann.says("one")
    await bot.set_webhook(endpoint.url, drop_pending_updates=True)
    await ann.says("two")
    assert text(await endpoint.next()) == "two"

    endpoint.is_open.clear()
    await ann.says("three")
    await endpoint.next()
    await bot.delete_webhook(drop_pending_updates=True)
    assert await bot.get_updates() == ()


async def test_what_was_set_is_told(bot: Bot, ann: Person, endpoint: Endpoint) -> None:
    await ann.says("waits")
    before = await bot.get_webhook_info()
    endpoint.is_open.clear()
    await bot.set_webhook(endpoint.url, max_connections=7, allowed_updates=["message"])
    await endpoint.next()
    after = await bot.get_webhook_info()

    assert (before.url, before.pending_update_count, before.allowed_updates) == ("", 1, ())
    assert (after.url, after.max_connections, after.allowed_updates) == (endpoint.url, 7, ("message",))
    assert after.pending_update_count == 1
    endpoint.is_open.set()


async def test_an_endpoint_that_is_not_there_is_tried_again(
    bot: Bot, ann: Person, telegram: LocalTelegram, unused_tcp_port: int
) -> None:
    await bot.set_webhook(f"http://127.0.0.1:{unused_tcp_port}/hook")
    await ann.says("hello")
    await telegram.troubled()
    info = await bot.get_webhook_info()
    endpoint = Endpoint()
    app = Starlette(routes=[Route("/hook", endpoint.take, methods=["POST"])])
    async with serving(app, "127.0.0.1", unused_tcp_port):
        assert text(await endpoint.next()) == "hello"
        await telegram.settled()

    assert info.last_error_message == "Connection refused"


@pytest.mark.parametrize(
    ("url", "secret", "told"),
    [
        ("http://example.org/hook", "", "An HTTPS URL must be provided for webhook"),
        ("https://example.org/hook", "x" * 257, "Secret token is too long"),
        ("https://example.org/hook", "no spaces", "Secret token contains unallowed characters"),
    ],
)
async def test_an_address_and_a_secret_are_looked_at(bot: Bot, url: str, secret: str, told: str) -> None:
    with pytest.raises(BadRequest, match=f"(?i){told}"):
        await bot.set_webhook(url, secret_token=secret)
    assert (await bot.get_webhook_info()).url == ""
