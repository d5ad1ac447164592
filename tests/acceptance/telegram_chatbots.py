"""`banter telegram` as a process, in a home of its own, which the local Bot API server's people talk to."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from bots.sandbox.local_telegram.driver import LocalTelegram
from bots.sandbox.local_telegram.people import Place
from bots.sandbox.local_telegram.sights import ChatSeen, MessageSeen
from tests.acceptance.conftest import Home
from tests.acceptance.programs import REPLY_S, Program, program
from tests.integration.running_service import free_port

GOOD, BAD = "👍", "👎"


@asynccontextmanager
async def telegram_chatbot(
    home: Home, telegram: LocalTelegram, variables: Mapping[str, str] | None = None
) -> AsyncIterator[Program]:
    """From when it listens until the end of the block, where it ends in order. "" unsets a variable."""
    async with program(home, "telegram", environment(telegram, free_port()) | dict(variables or {})) as chatbot:
        await chatbot.logs(action="menus")
        yield chatbot


def environment(telegram: LocalTelegram, port: int) -> dict[str, str]:
    return {
        "BANTER_TELEGRAM_TOKEN": telegram.token,
        "BANTER_TELEGRAM__API_URL": telegram.base_url,
        "BANTER_WEB__PORT": str(port),
    }


def by_webhook(port: int) -> dict[str, str]:
    return {
        "BANTER_WEB__PORT": str(port),
        "BANTER_TELEGRAM__RECEIVE": "webhook",
        "BANTER_TELEGRAM__WEBHOOK_URL": f"http://127.0.0.1:{port}/telegram",
    }


def whole(chat: ChatSeen, thread_id: int = 0) -> list[MessageSeen]:
    """The replies that are whole: their buttons say so. `thread_id`: only those in a topic."""
    there = [message for message in chat.bots if thread_id in (0, message.thread_id)]
    return [message for message in there if any(BAD in row for row in message.buttons)]


async def replies(place: Place, count: int = 1, thread_id: int = 0) -> list[MessageSeen]:
    """Those that the model wrote, once so many are whole."""
    seen = await place.until(lambda chat: len(whole(chat, thread_id)) >= count, REPLY_S)
    return whole(seen, thread_id)
