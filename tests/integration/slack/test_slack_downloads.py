"""Files are read within a limit, and the token goes to Slack's own hosts alone."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import web

from adapters.slack.api import Clients
from adapters.slack.calls import Calls, Errand
from adapters.slack.downloads import is_slacks, read_file
from adapters.slack.pace import Pace
from adapters.slack.workspaces import Workspace
from bots.sandbox.local_slack.people import Document
from core.dialogue import Attachment
from core.errors import PlatformAway, PlatformError, PlatformRefused
from tests.integration.slack.sending import standing

TOKEN = "xoxb-a-token-that-nobody-may-ever-see"
Handler = Callable[[web.Request], Awaitable[web.Response]]


async def test_a_file_that_came_with_a_message_is_read() -> None:
    async with standing() as stage:
        asked = await stage.anna.says("see", stage.place, files=[Document("notes.txt", b"x" * 3000 + b"the end")])
        attachment = Attachment("notes.txt", "text/plain", 3007, str(asked.files[0]["id"]))

        assert (await stage.sender.read(stage.key, attachment, 10_000)).endswith(b"the end")
        assert await stage.sender.read(stage.key, attachment, 100) == b"x" * 100
        with pytest.raises(PlatformRefused):
            await stage.sender.read(stage.key, Attachment("gone", "", 0, "F404"), 100)


@asynccontextmanager
async def serving(routes: dict[str, Handler]) -> AsyncIterator[str]:
    """Gives its address."""
    app = web.Application()
    for path, handle in routes.items():
        app.router.add_route("*", path, handle)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        yield f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}"  # type: ignore[union-attr]
    finally:
        await runner.cleanup()


def file_at(address: str, **more: object) -> Handler:
    async def info(request: web.Request) -> web.Response:
        file = {"id": "F1", "mimetype": "text/plain", "url_private_download": address.format(request.host)} | more
        return web.json_response({"ok": True, "file": file})

    return info


def leading_to(address: str) -> Handler:
    async def lead(request: web.Request) -> web.Response:
        return web.Response(status=302, headers={"Location": address.format(request.host)})

    return lead


async def content(request: web.Request) -> web.Response:
    assert request.headers["Authorization"] == f"Bearer {TOKEN}"
    return web.Response(body=b"content")


def status(code: int) -> Handler:
    async def answer(request: web.Request) -> web.Response:
        return web.Response(status=code)

    return answer


async def login_page(request: web.Request) -> web.Response:
    return web.Response(text="<html>log in</html>", content_type="text/html")


async def read(routes: dict[str, Handler]) -> bytes:
    async with serving(routes) as address:
        clients = Clients(f"{address}/api/")
        try:
            errand = Errand(Workspace("T1", "U1", "B1", TOKEN), "reply")
            return await read_file(Calls(clients, Pace()), errand, "F1", 100)
        finally:
            await clients.aclose()


async def test_a_redirect_within_slack_is_followed() -> None:
    routes = {"/api/files.info": file_at("http://{}/a"), "/a": leading_to("http://{}/b"), "/b": leading_to("/c")}

    with pytest.raises(PlatformRefused):
        await read(routes | {"/c": leading_to("/c")})
    assert await read(routes | {"/b": content}) == b"content"


async def test_the_token_is_told_to_nobody_else() -> None:
    told: list[str] = []

    async def listen(request: web.Request) -> web.Response:
        told.append(str(request.headers))
        return web.Response(body=b"mine")

    async with serving({"/{anywhere:.*}": listen}) as elsewhere:
        for routes in (
            {"/api/files.info": file_at(f"{elsewhere}/a")},
            {"/api/files.info": file_at("http://{}/a"), "/a": leading_to(f"{elsewhere}/a")},
            {"/api/files.info": file_at("http://{}@" + elsewhere.removeprefix("http://") + "/a")},
        ):
            with pytest.raises(PlatformRefused):
                await read(routes)
    assert told == []


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ({"/a": login_page}, PlatformRefused),
        ({"/a": status(403)}, PlatformRefused),
        ({"/a": status(404)}, PlatformRefused),
        ({"/a": status(500)}, PlatformAway),
        ({"/a": status(429)}, PlatformAway),
    ],
)
async def test_a_file_that_is_not_given_out_is_told_from_one_that_can_t_be_had_now(
    file: dict[str, Handler], kind: type[PlatformError]
) -> None:
    with pytest.raises(PlatformError) as raised:
        await read({"/api/files.info": file_at("http://{}/a"), **file})
    assert type(raised.value) is kind


async def test_a_page_that_somebody_sent_is_read() -> None:
    assert await read({"/api/files.info": file_at("http://{}/a", mimetype="text/html"), "/a": login_page}) == (
        b"<html>log in</html>"
    )


@pytest.mark.parametrize("more", [{"is_external": True}, {"url_private_download": ""}, {"url_private_download": 5}])
async def test_a_file_that_slack_does_not_have_is_refused(more: dict[str, Any]) -> None:
    with pytest.raises(PlatformRefused):
        await read({"/api/files.info": file_at("http://{}/a", **more), "/a": content})


async def test_an_answer_about_a_file_that_breaks_off_is_no_send_in_doubt() -> None:
    async def drop(request: web.Request) -> web.Response:
        assert request.transport is not None
        request.transport.close()
        return web.Response()

    with pytest.raises(PlatformAway):
        await read({"/api/files.info": drop})


@pytest.mark.parametrize(
    ("address", "may_be_told"),
    [
        ("https://files.slack.com/files-pri/T1-F1/x", True),
        ("https://acme.enterprise.slack.com/x", True),
        ("https://slack.com/x", True),
        ("https://slack-files.com/x", True),
        ("https://FILES.SLACK.COM:443/x", True),
        ("http://files.slack.com/x", False),
        ("https://files.slack.com:8443/x", False),
        ("https://evilslack.com/x", False),
        ("https://slack.com.evil.org/x", False),
        ("https://files.slack.com@evil.org/x", False),
        ("https://evil.org/files.slack.com", False),
        ("ftp://files.slack.com/x", False),
        ("//files.slack.com/x", False),
        ("https://files.slack.com:port/x", False),
        ("", False),
        ("http://[::1/x", False),
    ],
)
def test_hosts_that_may_be_told_the_token(address: str, may_be_told: bool) -> None:
    assert is_slacks(address, Clients()) == may_be_told


def test_the_host_of_another_api_is_slack_s_own() -> None:
    clients = Clients("http://127.0.0.1:4000/api/")

    assert is_slacks("http://127.0.0.1:4000/files/x", clients)
    assert not is_slacks("http://127.0.0.1:4001/files/x", clients)
    assert not is_slacks("https://127.0.0.1:4000/files/x", clients)
