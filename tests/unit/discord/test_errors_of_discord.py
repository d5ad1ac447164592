"""Whatever a call came to is one of the core's errors, and tells nothing that a person wrote."""

from types import SimpleNamespace

import aiohttp
import discord
import pytest

from adapters.discord.api import proxy_for, translated
from adapters.discord.refusals import Gone, Refused, WrongToken, meaning
from core.errors import MessageGone, PlatformAway, PlatformError, PlatformRefused, RateLimited, SendUnclear


def answered(status: int, code: int, text: str = "a secret") -> discord.HTTPException:
    response = SimpleNamespace(status=status, reason="because")
    return discord.HTTPException(response, {"code": code, "message": text})  # type: ignore[arg-type]


def came_of(error: Exception) -> PlatformError:
    with pytest.raises(PlatformError) as raised, translated():
        raise error
    return raised.value


@pytest.mark.parametrize("code", [50001, 50013, 10003, 10004, 50007, 50083, 160005, 50035, 0])
def test_a_no_is_for_good(code: int) -> None:
    error = came_of(answered(403, code))
    assert type(error) is Refused
    assert isinstance(error, PlatformRefused)
    assert not isinstance(error, MessageGone)
    assert error.code == code
    assert str(code or 403) in str(error)
    assert "secret" not in str(error)


def test_only_the_message_is_gone() -> None:
    assert isinstance(came_of(answered(404, 10008)), Gone)


@pytest.mark.parametrize("code", [10015, 10062, 50027])
def test_an_old_interaction_is_no_wrong_token(code: int) -> None:
    assert type(meaning(401, code)) is Refused


def test_a_wrong_token_loses_nothing() -> None:
    for error in (answered(401, 0), discord.LoginFailure("a secret")):
        assert type(came_of(error)) is WrongToken
    assert isinstance(WrongToken(), PlatformAway)
    assert "BANTER_DISCORD_TOKEN" in str(WrongToken())


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_broken_server_may_have_done_it(status: int) -> None:
    assert type(came_of(answered(status, 0))) is SendUnclear


def test_passing_troubles_pass() -> None:
    assert type(came_of(answered(400, 40062))) is PlatformAway
    assert type(came_of(answered(503, 130000))) is PlatformAway


def test_too_much_says_for_how_long() -> None:
    limited = came_of(discord.RateLimited(42.0))
    assert isinstance(limited, RateLimited)
    assert limited.retry_after_s == 42.0
    assert isinstance(came_of(answered(429, 0)), RateLimited)


@pytest.mark.parametrize(
    ("error", "meant"),
    [
        (aiohttp.ConnectionTimeoutError(), PlatformAway),
        (aiohttp.ClientConnectorError(None, OSError()), PlatformAway),  # type: ignore[arg-type]
        (aiohttp.InvalidURL("a secret"), PlatformRefused),
        (aiohttp.ServerDisconnectedError(), SendUnclear),
        (aiohttp.ClientPayloadError("a secret"), SendUnclear),
        (ConnectionResetError(), SendUnclear),
        (TimeoutError(), SendUnclear),
        (KeyError("a secret"), SendUnclear),
        (ValueError("a secret"), SendUnclear),
    ],
)
def test_what_the_connection_came_to(error: Exception, meant: type[PlatformError]) -> None:
    came = came_of(error)
    assert type(came) is meant
    assert "secret" not in str(came)


def test_the_environments_proxy_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("https_proxy", "http://proxy.example:3128")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.delenv("http_proxy", raising=False)

    assert proxy_for("https://discord.com/api/v10") == "http://proxy.example:3128"
    assert proxy_for("http://127.0.0.1:8083/api/v10") is None
    assert proxy_for("nonsense") is None
