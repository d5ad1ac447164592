"""What Slack and the connection to it say, and what that means for the core. Only the server is made of paper."""

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from adapters.slack.api import Clients
from adapters.slack.refusals import Gone, Refused
from core.errors import MessageGone, PlatformAway, PlatformError, PlatformRefused, RateLimited, SendUnclear

TOKEN = "xoxb-a-token-that-nobody-may-ever-see"
WORDS = "a person's words"

Handler = Callable[[web.Request], Awaitable[web.Response]]


@asynccontextmanager
async def slack(handle: Handler) -> AsyncIterator[Clients]:
    runner = web.AppRunner(web.Application())
    runner.app.router.add_route("*", "/api/{method}", handle)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
    clients = Clients(f"http://127.0.0.1:{port}/api")
    try:
        yield clients
    finally:
        await clients.aclose()
        await runner.cleanup()


async def error_of(handle: Handler) -> PlatformError:
    async with slack(handle) as clients:
        with pytest.raises(PlatformError) as raised:
            await clients.call(TOKEN, "chat.postMessage", {"channel": "C1", "markdown_text": WORDS})
    assert TOKEN not in str(raised.value)
    assert WORDS not in str(raised.value)
    assert raised.value.__cause__ is None
    return raised.value


def answer(code: str, status: int = 200, **headers: Any) -> Handler:
    async def handle(request: web.Request) -> web.Response:
        told = {"ok": False, "error": code, "echo": WORDS}
        return web.json_response(told, status=status, headers={name: str(value) for name, value in headers.items()})

    return handle


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("channel_not_found", PlatformRefused),
        ("is_archived", PlatformRefused),
        ("not_in_channel", PlatformRefused),
        ("restricted_action", PlatformRefused),
        ("account_inactive", PlatformRefused),
        ("token_revoked", PlatformRefused),
        ("invalid_auth", PlatformRefused),
        ("missing_scope", PlatformRefused),
        ("messages_tab_disabled", PlatformRefused),
        ("a_code_of_tomorrow", PlatformRefused),
        ("message_not_found", MessageGone),
        ("cant_update_message", MessageGone),
        ("edit_window_closed", MessageGone),
        ("ratelimited", RateLimited),
        ("rate_limited", RateLimited),
        ("message_limit_exceeded", RateLimited),
        ("internal_error", SendUnclear),
        ("fatal_error", SendUnclear),
        ("request_timeout", SendUnclear),
        ("service_unavailable", PlatformAway),
        ("team_added_to_org", PlatformAway),
    ],
)
async def test_each_code_has_its_consequence(code: str, kind: type[PlatformError]) -> None:
    assert type(await error_of(answer(code))) in {kind, Refused, Gone}
    assert isinstance(await error_of(answer(code)), kind)


async def test_a_refusal_tells_its_code() -> None:
    error = await error_of(answer("invalid_blocks"))

    assert isinstance(error, Refused)
    assert error.code == "invalid_blocks"


@pytest.mark.parametrize(("told", "wait_s"), [(7, 7.0), ("", 30.0), ("soon", 30.0), ("inf", 3600.0), (-5, 30.0)])
async def test_slack_says_for_how_long_it_wants_to_be_left_alone(told: object, wait_s: float) -> None:
    error = await error_of(answer("ratelimited", 429, **{"Retry-After": told}))

    assert isinstance(error, RateLimited)
    assert error.retry_after_s == wait_s


@pytest.mark.parametrize("status", [500, 502, 503, 504])
@pytest.mark.parametrize("body", ["", "<html>", '{"ok": false, "error": "internal_error"}', '{"ok": true}'])
async def test_a_broken_server_may_have_done_it(status: int, body: Any) -> None:
    async def handle(request: web.Request) -> web.Response:
        return web.Response(status=status, text=body, content_type="application/json")

    assert isinstance(await error_of(handle), SendUnclear)


@pytest.mark.parametrize("content_type", ["application/json", "text/html", "text/plain"])
@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b'"ok"', b"null", b"{", b"\xff\xfe", b'{"error": ["x"]}'])
async def test_an_answer_that_can_t_be_read_may_mean_that_it_was_done(content_type: str, body: Any) -> None:
    async def handle(request: web.Request) -> web.Response:
        return web.Response(body=body, content_type=content_type)

    assert isinstance(await error_of(handle), SendUnclear)


async def test_an_error_that_is_no_code_is_not_told_on() -> None:
    error = await error_of(answer(f"quoted: {WORDS}"))

    assert isinstance(error, SendUnclear)


async def test_a_connection_that_breaks_may_have_done_it_and_nothing_is_sent_twice() -> None:
    calls = []

    async def handle(request: web.Request) -> web.Response:
        calls.append(await request.json())
        assert request.transport is not None
        request.transport.abort()
        return web.Response()

    assert isinstance(await error_of(handle), SendUnclear)
    assert len(calls) == 1


async def test_an_answer_that_does_not_come_may_mean_that_it_was_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.slack.api._TOTAL_TIMEOUT_S", 0.2)
    waiting = asyncio.Event()

    async def handle(request: web.Request) -> web.Response:
        await waiting.wait()
        return web.Response()

    async with slack(handle) as clients:
        with pytest.raises(SendUnclear):
            await clients.call(TOKEN, "chat.postMessage", {})
        waiting.set()


async def test_nothing_was_done_where_nobody_listens() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    clients = Clients(f"http://127.0.0.1:{port}/api/")
    with pytest.raises(PlatformAway):
        await clients.call(TOKEN, "chat.postMessage", {})
    await clients.aclose()


async def test_an_address_that_is_none_is_refused() -> None:
    clients = Clients("http://[::1/api/")
    with pytest.raises(PlatformError):
        await clients.call(TOKEN, "chat.postMessage", {})
    await clients.aclose()


async def test_what_changes_something_goes_as_json_and_what_reads_does_not() -> None:
    seen = []

    async def handle(request: web.Request) -> web.Response:
        seen.append((request.method, request.query_string, await request.text(), request.headers["Authorization"]))
        return web.json_response({"ok": True})

    async with slack(handle) as clients:
        await clients.call(TOKEN, "chat.postMessage", {"channel": "C1"})
        await clients.ask(TOKEN, "users.info", {"user": "U1", "include_locale": True})

    assert [(method, query, json.loads(text or "null")) for method, query, text, _ in seen] == [
        ("POST", "", {"channel": "C1"}),
        ("GET", "user=U1&include_locale=1", None),
    ]
    assert {token for *_, token in seen} == {f"Bearer {TOKEN}"}


async def test_each_installation_speaks_with_its_own_token_over_the_same_connections() -> None:
    seen = []

    async def handle(request: web.Request) -> web.Response:
        seen.append((request.headers["Authorization"], request.transport))
        return web.json_response({"ok": True})

    async with slack(handle) as clients:
        for token in ("xoxb-1", "xoxb-2", "xoxb-1"):
            await clients.call(token, "auth.test", {})
        assert clients.of("xoxb-1") is clients.of("xoxb-1")

    assert [token for token, _ in seen] == ["Bearer xoxb-1", "Bearer xoxb-2", "Bearer xoxb-1"]
    assert len({id(transport) for _, transport in seen}) == 1


async def test_so_many_clients_are_kept_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.slack.api._MOST_CLIENTS", 2)
    clients = Clients()
    first = clients.of("xoxb-1")
    for token in ("xoxb-2", "xoxb-1", "xoxb-3"):
        clients.of(token)
    assert clients.of("xoxb-1") is first
    assert len(clients._clients) == 2
    await clients.aclose()


async def test_hosts_that_need_no_proxy_are_asked_without_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")

    async def handle(request: web.Request) -> web.Response:
        return web.json_response({"ok": True})

    async with slack(handle) as clients:
        await clients.call(TOKEN, "auth.test", {})
        monkeypatch.delenv("NO_PROXY")
        with pytest.raises(PlatformAway):
            await clients.call(TOKEN, "auth.test", {})


async def test_what_is_sent_is_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    await error_of(answer("invalid_auth"))

    assert TOKEN not in caplog.text
    assert WORDS not in caplog.text
