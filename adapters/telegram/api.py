"""The way to Telegram: a bot whose every call ends, and what its errors mean for the core.

The token is part of every address, so no address and no foreign error's words get out of here unread. What a failed
call came to is told by where it ended. One that never left (no connection, none free, a broken proxy) may be made
again; one that ended after it was written, or with a 5xx, may have been carried out.
"""

import asyncio
import contextlib
import json
import os
import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import httpx
import telegram
from telegram.error import (
    BadRequest,
    ChatMigrated,
    Conflict,
    EndPointNotFound,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
)
from telegram.request import HTTPXRequest

from adapters.telegram.line import TELEGRAM
from core.errors import MessageGone, PlatformAway, PlatformError, PlatformRefused, RateLimited, SendUnclear

# The SDK gives times as it will in its next version, and does not warn at every RetryAfter that it will.
os.environ.setdefault("PTB_TIMEDELTA", "true")

_CONNECT_TIMEOUT_S = 5.0
_TRANSFER_TIMEOUT_S = 15.0
#: For a connection to become free; the pool is larger than what is ever sent at once.
_POOL_TIMEOUT_S = 5.0
_POOL_SIZE = 64
_DOWNLOAD_TIMEOUT_S = 60.0
#: Telegram's own limit for what a bot can fetch.
_FILE_LIMIT_BYTES = 20 * 1024 * 1024
#: Where Telegram says that it is too much, and not for how long.
_USUAL_PAUSE_S = 5.0
_LONGEST_WORDS_CHARS = 120


class NothingChanged(PlatformRefused):
    """The message says that already."""


class EntitiesRefused(PlatformRefused):
    """The text itself may be taken without them."""


def open_bot(token: str, base_url: str = TELEGRAM) -> telegram.Bot:
    """An async context manager; it asks who the bot is when it is entered. Raises PlatformRefused without a token."""
    with translated():
        return _Bot(
            token,
            base_url=f"{base_url}/bot",
            base_file_url=f"{base_url}/file/bot",
            request=_request(_POOL_SIZE),
            get_updates_request=_request(2),
        )


async def read_file(bot: telegram.Bot, file_id: str, limit_bytes: int) -> bytes:
    """The file that Telegram gives out for the id, or its beginning. Raises PlatformError."""
    request = bot.request
    if not isinstance(request, _Request):
        raise TypeError("the bot was not opened by open_bot")
    try:
        async with asyncio.timeout(_DOWNLOAD_TIMEOUT_S):
            with translated():
                file = await bot.get_file(file_id)
                address = file.file_path or ""
                if not address.startswith(("http://", "https://")):  # of a server that shares our disk
                    raise PlatformRefused("Telegram gives out no address for the file")
                return await request.fetch(address, min(limit_bytes, _FILE_LIMIT_BYTES))
    except TimeoutError:
        raise PlatformAway(f"the file did not come within {_DOWNLOAD_TIMEOUT_S:g} s") from None


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Whatever the SDK or the connection raises comes out as a PlatformError."""
    try:
        yield
    except (TelegramError, httpx.HTTPError, httpx.InvalidURL) as error:
        raise _translation(error) from None


class _Bot(telegram.Bot):
    __slots__ = ()

    def __repr__(self) -> str:
        """The SDK's own one tells the token."""
        return "telegram.Bot"

    async def initialize(self) -> None:
        with translated():  # the SDK's error tells the token
            await super().initialize()


class _Request(HTTPXRequest):
    __slots__ = ()

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:  # as the SDK has it
        """The SDK's own one logs what it can't read, and people's text with it."""
        try:
            answer = json.loads(payload.decode(errors="replace"))
        except ValueError:
            raise TelegramError("the answer is no JSON") from None
        if not isinstance(answer, dict):
            raise TelegramError("the answer is no object")
        return answer

    async def fetch(self, address: str, limit_bytes: int) -> bytes:
        """What is there, at most so much of it. Raises httpx.HTTPError and PlatformError."""
        content = bytearray()
        async with self._client.stream("GET", address) as response:
            if not response.is_success:
                raise _of_status(response.status_code)
            async for piece in response.aiter_bytes():
                content += piece
                if len(content) >= limit_bytes:
                    break
        return bytes(content[:limit_bytes])


def _request(connections: int) -> _Request:
    return _Request(
        connection_pool_size=connections,
        connect_timeout=_CONNECT_TIMEOUT_S,
        read_timeout=_TRANSFER_TIMEOUT_S,
        write_timeout=_TRANSFER_TIMEOUT_S,
        pool_timeout=_POOL_TIMEOUT_S,
    )


_Error = type[PlatformError]

#: What a description holds, in lower case, and what it means; the first that is found counts. They are the words of
#: Telegram's own server and of the library in it.
_MEANINGS: tuple[tuple[str, _Error, str], ...] = (
    ("message is not modified", NothingChanged, "the message says that already"),
    ("message to edit not found", MessageGone, "the message was deleted"),
    ("message to delete not found", MessageGone, "the message was deleted"),
    ("message to be replied not found", MessageGone, "the message was deleted"),
    ("message_id_invalid", MessageGone, "the message was deleted"),
    ("message can't be edited", MessageGone, "the message can't be changed any more"),
    ("message can't be deleted", MessageGone, "the message can't be deleted any more"),
    ("entities_too_long", EntitiesRefused, "the message's entities are too much"),
    ("messageentity", EntitiesRefused, "the message's entities are wrong"),
    ("entity begin", EntitiesRefused, "the message's entities are wrong"),
    ("receive an entity", EntitiesRefused, "the message's entities are wrong"),
    ("entity_", EntitiesRefused, "the message's entities are wrong"),
    ("bot was blocked by the user", PlatformRefused, "the person has blocked the bot"),
    ("user is deactivated", PlatformRefused, "the person's account is gone"),
    ("can't initiate conversation", PlatformRefused, "the person has not started the bot"),
    ("bot was kicked", PlatformRefused, "the bot was removed from the chat"),
    ("bot is not a member", PlatformRefused, "the bot is not in the chat"),
    ("group chat was deleted", PlatformRefused, "the group is gone"),
    ("group chat was deactivated", PlatformRefused, "the group is gone"),
    ("chat not found", PlatformRefused, "the chat is gone, or the bot is not in it"),
    ("peer_id_invalid", PlatformRefused, "the chat is gone, or the bot is not in it"),
    ("channel_private", PlatformRefused, "the chat is gone, or the bot is not in it"),
    ("topic_closed", PlatformRefused, "the topic is closed"),
    ("topic_deleted", PlatformRefused, "the topic is gone"),
    ("message thread not found", PlatformRefused, "the topic is gone"),
    ("chat_write_forbidden", PlatformRefused, "the bot must not write in the chat"),
    ("chat_restricted", PlatformRefused, "the bot must not write in the chat"),
    ("not enough rights", PlatformRefused, "the bot has not the rights for it in the chat"),
    ("have no rights", PlatformRefused, "the bot has not the rights for it in the chat"),
    ("need administrator rights", PlatformRefused, "the bot has not the rights for it in the chat"),
    ("chat_admin_required", PlatformRefused, "the bot has not the rights for it in the chat"),
    ("business_connection", PlatformRefused, "the business account is no longer connected"),
    ("business connection not found", PlatformRefused, "the business account is no longer connected"),
    ("business_peer", PlatformRefused, "the business account may not write there now"),
    ("file is too big", PlatformRefused, "the file is larger than what a bot can fetch"),
    ("temporarily unavailable", PlatformAway, "the file can't be had now"),
    ("request entity too large", PlatformRefused, "it is larger than what Telegram takes"),
    ("logged out", PlatformAway, "the bot moves between servers"),
    ("too many requests", RateLimited, "too much was sent"),
)

#: Nothing of the request was written.
_NEVER_SENT = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.ProxyError,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.InvalidURL,
)


def _translation(error: Exception) -> PlatformError:
    if isinstance(error, RetryAfter):
        return RateLimited("too much was sent", _seconds(error.retry_after))
    if isinstance(error, ChatMigrated):
        return PlatformAway("the group has another id now")
    if isinstance(error, InvalidToken) and "method not found" not in str(error):
        return PlatformRefused(
            "Telegram does not know the token; set BANTER_TELEGRAM_TOKEN to the one that @BotFather shows"
        )
    if isinstance(error, Conflict):
        return PlatformAway("another program takes this bot's messages, or a webhook is set for it")
    said = _meaning(str(error)) if isinstance(error, TelegramError) else None
    if said is not None:
        return said
    if isinstance(error, Forbidden | BadRequest | EndPointNotFound | InvalidToken):
        return PlatformRefused(f"Telegram refuses it: {_safe_words(str(error))}")
    return _unanswered(error)


def _meaning(description: str) -> PlatformError | None:
    lower = description.casefold()
    for words, kind, meaning in _MEANINGS:
        if words in lower:
            return RateLimited(meaning, _USUAL_PAUSE_S) if kind is RateLimited else kind(meaning)
    return None


def _unanswered(error: Exception) -> PlatformError:
    """About a call that came to no answer that could be read."""
    cause = error.__cause__ if isinstance(error, NetworkError) else error
    if isinstance(cause, _NEVER_SENT):
        return PlatformAway(f"Telegram can't be reached ({type(cause).__name__})")
    if isinstance(cause, httpx.HTTPError):
        return SendUnclear(f"the connection ended before Telegram's answer ({type(cause).__name__})")
    return SendUnclear("Telegram's server failed")


def _of_status(status: int) -> PlatformError:
    """About a download."""
    if status >= 500 or status in (408, 429):
        return PlatformAway(f"the file can't be had now ({status})")
    return PlatformRefused(f"the file is not given out ({status})")


def _seconds(time: timedelta | float) -> float:
    return time.total_seconds() if isinstance(time, timedelta) else float(time)


def _safe_words(description: str) -> str:
    """What is quoted in it may be anybody's words."""
    words = re.sub(r"""(["'`]).*\1|b'.*""", "…", description.partition(". Parsing the server")[0], flags=re.DOTALL)
    return " ".join(words.split())[:_LONGEST_WORDS_CHARS]
