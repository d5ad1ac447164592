"""What an operator's tools ask over HTTP, from a real server."""

import socket
from collections.abc import AsyncIterator, Mapping

import httpx2
import pytest

from bots.web import serving, web_app
from core.errors import SettingsError


class ToldViews:
    """Shows what it is told to."""

    def __init__(self) -> None:
        self.healthy = {"dispatcher": True}
        self.ready = {"open": True, "database": True, "engine": True}

    def metrics(self) -> bytes:
        return b"banter_ready 1.0\n"

    def health(self) -> Mapping[str, bool]:
        return self.healthy

    def readiness(self) -> Mapping[str, bool]:
        return self.ready


@pytest.fixture
def views() -> ToldViews:
    return ToldViews()


@pytest.fixture
async def client(views: ToldViews) -> AsyncIterator[httpx2.AsyncClient]:
    async with (
        serving(web_app(views), "127.0.0.1", 0) as port,
        httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}", timeout=20.0) as client,
    ):
        yield client


async def test_the_metrics_are_prometheus_text(client: httpx2.AsyncClient) -> None:
    answer = await client.get("/metrics")

    assert (answer.status_code, answer.text) == (200, "banter_ready 1.0\n")
    assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")


@pytest.mark.parametrize(
    ("path", "broken", "told"),
    [
        ("/healthz", {"dispatcher": False}, {"good": False, "dispatcher": False}),
        ("/readyz", {"open": True, "engine": False}, {"good": False, "open": True, "engine": False}),
    ],
)
async def test_what_is_broken_is_named_and_the_answer_is_503(
    client: httpx2.AsyncClient, views: ToldViews, path: str, broken: dict[str, bool], told: dict[str, bool]
) -> None:
    assert (await client.get(path)).status_code == 200

    views.healthy = views.ready = broken

    answer = await client.get(path)
    assert (answer.status_code, answer.json()) == (503, told)


async def test_there_is_nothing_else(client: httpx2.AsyncClient) -> None:
    answers = [await client.get("/"), await client.get("/healthz/"), await client.post("/metrics")]

    assert [answer.status_code for answer in answers] == [404, 307, 405]
    assert "uvicorn" not in str([answer.headers for answer in answers])


async def test_it_is_bound_to_the_address_that_was_named(views: ToldViews) -> None:
    async with serving(web_app(views), "127.0.0.1", 0) as port:
        with pytest.raises(OSError, match="refused"):
            socket.create_connection(("127.0.0.2", port), timeout=20.0).close()


async def test_a_port_that_is_taken_is_a_wrong_setting(views: ToldViews) -> None:
    async with serving(web_app(views), "127.0.0.1", 0) as port:
        with pytest.raises(SettingsError, match=rf"web\.port: 127.0.0.1:{port} can't be listened to"):
            async with serving(web_app(views), "127.0.0.1", port):
                pass


async def test_an_address_that_is_none_is_a_wrong_setting(views: ToldViews) -> None:
    with pytest.raises(SettingsError, match=r"web\.host"):
        async with serving(web_app(views), "no such host.invalid", 0):
            pass
