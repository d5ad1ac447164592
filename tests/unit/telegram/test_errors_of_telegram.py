"""What Telegram and the connection to it say, and what that means for the core.

The texts are those of Telegram's own server (tdlib/telegram-bot-api) and of the servers behind it. They go through the
SDK's real requests; only the wire is made of paper.
"""

import json
from collections.abc import Callable

import httpx
import pytest
import telegram
from telegram.error import TelegramError
from telegram.request import HTTPXRequest

from adapters.telegram.api import EntitiesRefused, NothingChanged, open_bot, translated
from core.errors import MessageGone, PlatformAway, PlatformError, PlatformRefused, RateLimited, SendUnclear

TOKEN = "7000000001:AAa-token-that-nobody-may-ever-see-000"

Wire = Callable[[httpx.Request], httpx.Response]


async def error_of(wire: Wire) -> PlatformError:
    """What a call over that wire comes to."""
    request = HTTPXRequest(httpx_kwargs={"transport": httpx.MockTransport(wire)})
    bot = telegram.Bot(TOKEN, request=request)
    with pytest.raises(PlatformError) as raised, translated():
        await bot.send_message(5, "a person's words")
    await request.shutdown()
    return raised.value


def answer(status: int, description: str, **parameters: int) -> Wire:
    told = {"ok": False, "error_code": status, "description": description}
    told |= {"parameters": parameters} if parameters else {}
    return lambda _: httpx.Response(status, text=json.dumps(told))


def failure(error: type[httpx.TransportError]) -> Wire:
    def fail(request: httpx.Request) -> httpx.Response:
        raise error(f"while asking {request.url}", request=request)

    return fail


NOT_MODIFIED = (
    "message is not modified: specified new message content and reply markup are exactly the same as a current content"
    " and reply markup of the message"
)


@pytest.mark.parametrize(
    ("status", "description", "kind", "words"),
    [
        (400, f"Bad Request: {NOT_MODIFIED}", NothingChanged, "says that already"),
        (400, "Bad Request: message to edit not found", MessageGone, "was deleted"),
        (400, "Bad Request: message to delete not found", MessageGone, "was deleted"),
        (400, "Bad Request: message to be replied not found", MessageGone, "was deleted"),
        (400, "Bad Request: MESSAGE_ID_INVALID", MessageGone, "was deleted"),
        (400, "Bad Request: message can't be edited", MessageGone, "can't be changed"),
        (400, "Bad Request: message can't be deleted for everyone", MessageGone, "can't be deleted"),
        (400, "Bad Request: ENTITIES_TOO_LONG", EntitiesRefused, "entities"),
        (400, "Bad Request: ENTITY_BOUNDS_INVALID", EntitiesRefused, "entities"),
        (
            400,
            "Bad Request: entity beginning at UTF-16 offset 3 ends after the end of the text at UTF-16 offset 9",
            EntitiesRefused,
            "entities",
        ),
        (
            400,
            "Bad Request: entity begins in a middle of a UTF-16 symbol at byte offset 4",
            EntitiesRefused,
            "entities",
        ),
        (400, "Bad Request: can't parse MessageEntity: unsupported type specified", EntitiesRefused, "entities"),
        (400, "Bad Request: receive an entity with incorrect length -1", EntitiesRefused, "entities"),
        (403, "Forbidden: bot was blocked by the user", PlatformRefused, "blocked the bot"),
        (403, "Forbidden: user is deactivated", PlatformRefused, "account is gone"),
        (403, "Forbidden: bot can't initiate conversation with a user", PlatformRefused, "not started the bot"),
        (403, "Forbidden: bot was kicked from the group chat", PlatformRefused, "removed from the chat"),
        (403, "Forbidden: bot was kicked from the supergroup chat", PlatformRefused, "removed from the chat"),
        (403, "Forbidden: bot was kicked from the channel chat", PlatformRefused, "removed from the chat"),
        (403, "Forbidden: bot is not a member of the supergroup chat", PlatformRefused, "not in the chat"),
        (403, "Forbidden: the group chat was deleted", PlatformRefused, "group is gone"),
        (400, "Bad Request: group chat was deactivated", PlatformRefused, "group is gone"),
        (400, "Bad Request: chat not found", PlatformRefused, "chat is gone"),
        (400, "Bad Request: private chat not found", PlatformRefused, "chat is gone"),
        (400, "Bad Request: PEER_ID_INVALID", PlatformRefused, "chat is gone"),
        (400, "Bad Request: CHANNEL_PRIVATE", PlatformRefused, "chat is gone"),
        (400, "Bad Request: TOPIC_CLOSED", PlatformRefused, "topic is closed"),
        (400, "Bad Request: TOPIC_DELETED", PlatformRefused, "topic is gone"),
        (400, "Bad Request: message thread not found", PlatformRefused, "topic is gone"),
        (400, "Bad Request: CHAT_WRITE_FORBIDDEN", PlatformRefused, "must not write"),
        (400, "Bad Request: CHAT_RESTRICTED", PlatformRefused, "must not write"),
        (400, "Bad Request: not enough rights to send text messages to the chat", PlatformRefused, "rights"),
        (400, "Bad Request: have no rights to send a message", PlatformRefused, "rights"),
        (400, "Bad Request: need administrator rights in the channel chat", PlatformRefused, "rights"),
        (400, "Bad Request: CHAT_ADMIN_REQUIRED", PlatformRefused, "rights"),
        (400, "Bad Request: business connection not found", PlatformRefused, "no longer connected"),
        (400, "Bad Request: BUSINESS_CONNECTION_INVALID", PlatformRefused, "no longer connected"),
        (400, "Bad Request: BUSINESS_PEER_INVALID", PlatformRefused, "may not write there"),
        (400, "Bad Request: file is too big", PlatformRefused, "larger"),
        (400, "Bad Request: wrong file_id or the file is temporarily unavailable", PlatformAway, "now"),
        (400, "Bad Request: Logged out", PlatformAway, "between servers"),
        (400, "Bad Request: message is too long", PlatformRefused, "too long"),
        (400, "Bad Request: something that came after this was written", PlatformRefused, "came after this"),
        (403, "Forbidden: something that came after this was written", PlatformRefused, "came after this"),
        (401, "Unauthorized", PlatformRefused, "BANTER_TELEGRAM_TOKEN"),
        (404, "Not Found", PlatformRefused, "BANTER_TELEGRAM_TOKEN"),
        (404, "Not Found: method not found", PlatformRefused, "method not found"),
        (409, "Conflict: terminated by other getUpdates request", PlatformAway, "another program"),
        (413, "Request Entity Too Large", PlatformRefused, "larger"),
        (500, "Internal Server Error: Request aborted", SendUnclear, "server failed"),
        (502, "Bad Gateway", SendUnclear, "server failed"),
    ],
)
async def test_an_answer_means(status: int, description: str, kind: type[PlatformError], words: str) -> None:
    error = await error_of(answer(status, description))

    assert type(error) is kind
    assert words in str(error)


async def test_a_chat_that_is_spoken_to_too_much_is_left_alone_for_as_long_as_it_says() -> None:
    error = await error_of(answer(429, "Too Many Requests: retry after 37", retry_after=37))

    assert isinstance(error, RateLimited)
    assert error.retry_after_s == 37.0


async def test_too_much_without_a_time_is_left_alone_for_a_while() -> None:
    error = await error_of(lambda _: httpx.Response(429, html="<h1>429 Too Many Requests</h1>"))

    assert isinstance(error, RateLimited)
    assert error.retry_after_s > 0


async def test_a_group_that_moved_is_met_again_under_its_new_id() -> None:
    wire = answer(400, "Bad Request: group chat was upgraded to a supergroup chat", migrate_to_chat_id=-1002)

    assert "another id" in str(await error_of(wire))
    assert isinstance(await error_of(wire), PlatformAway)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (httpx.ConnectError, PlatformAway),
        (httpx.ConnectTimeout, PlatformAway),
        (httpx.PoolTimeout, PlatformAway),
        (httpx.ProxyError, PlatformAway),
        (httpx.UnsupportedProtocol, PlatformAway),
        (httpx.LocalProtocolError, PlatformAway),
        (httpx.WriteTimeout, SendUnclear),
        (httpx.WriteError, SendUnclear),
        (httpx.ReadTimeout, SendUnclear),
        (httpx.ReadError, SendUnclear),
        (httpx.RemoteProtocolError, SendUnclear),
        (httpx.CloseError, SendUnclear),
    ],
)
async def test_a_connection_that_fails_means(error: type[httpx.TransportError], kind: type[PlatformError]) -> None:
    met = await error_of(failure(error))

    assert type(met) is kind
    assert error.__name__ in str(met)


@pytest.mark.parametrize(
    "wire",
    [
        failure(httpx.ReadError),
        failure(httpx.ConnectError),
        answer(401, "Unauthorized"),
        answer(400, "Bad Request: can't parse entities: Unsupported start tag \"a person's words\" at byte offset 0"),
        lambda _: httpx.Response(400, text="<p>a person's words</p>"),
        lambda _: httpx.Response(502, text="<p>a person's words</p>"),
    ],
)
async def test_an_error_tells_neither_the_token_nor_anybodys_words(wire: Wire) -> None:
    error = await error_of(wire)

    assert TOKEN not in f"{error!r}"
    assert "api.telegram.org" not in f"{error!r}"
    assert "person's words" not in f"{error!r}"
    assert error.__cause__ is None
    assert error.__suppress_context__


async def test_an_answer_that_is_no_json_is_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    bot = open_bot(TOKEN, "http://127.0.0.1:9")

    with pytest.raises(TelegramError):
        bot.request.parse_json_payload(b"a person's words")

    assert "person's words" not in caplog.text


def test_a_bot_does_not_show_its_token() -> None:
    assert TOKEN not in f"{open_bot(TOKEN)!r} {open_bot(TOKEN)!s}"


def test_no_token_is_said_with_the_settings_name() -> None:
    with pytest.raises(PlatformRefused, match="BANTER_TELEGRAM_TOKEN"):
        open_bot("")


def test_what_is_no_error_of_telegrams_passes() -> None:
    with pytest.raises(KeyError), translated():
        raise KeyError("a fault of the program")
