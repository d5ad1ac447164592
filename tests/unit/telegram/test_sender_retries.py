"""What the sender leaves out where Telegram refuses it, so that the answer is seen. The wire is made of paper."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import replace

import httpx
import telegram
from telegram.request import HTTPXRequest

from adapters.telegram.buttons import Buttons
from adapters.telegram.moves import Moves
from adapters.telegram.pace import Pace
from adapters.telegram.sender import TelegramSender
from core.dialogue import Platform, SessionKey
from core.ports import Outgoing
from tests.unit.telegram.paper_time import PaperTime

KEY = SessionKey(Platform.TELEGRAM, "7", "", "5")
PART = Outgoing(KEY, "17", "0123456789abcdef0123", 0, "**bold** words")
MESSAGE = {"message_id": 9, "date": 1, "chat": {"id": 5, "type": "private"}}

Words = dict[str, str]


def nothing(words: Words) -> str:
    return ""


async def sent_by(call: Callable[[TelegramSender], Awaitable[object]], refuses: Callable[[Words], str]) -> list[Words]:
    """The words of each request that a call made; `refuses` gives Telegram's description, or nothing."""
    requests: list[Words] = []

    def answer(request: httpx.Request) -> httpx.Response:
        words = dict(httpx.QueryParams(request.content.decode()))
        requests.append(words)
        if description := refuses(words):
            return httpx.Response(400, text=json.dumps({"ok": False, "error_code": 400, "description": description}))
        return httpx.Response(200, text=json.dumps({"ok": True, "result": MESSAGE}))

    time = PaperTime()
    request = HTTPXRequest(httpx_kwargs={"transport": httpx.MockTransport(answer)})
    bot = telegram.Bot("7:paper", request=request)
    sender = TelegramSender(bot, Buttons(b"s"), Moves().tell, pace=Pace(time.clock, time.sleep))
    [outcome] = await time.until(call(sender))
    await request.shutdown()
    assert not isinstance(outcome, BaseException), outcome
    return requests


async def test_a_reply_to_what_was_deleted_is_sent_without_being_a_reply() -> None:
    def refuse(words: Words) -> str:
        return "Bad Request: message to be replied not found" if "reply_parameters" in words else ""

    first, second = await sent_by(lambda sender: sender.open(PART), refuse)

    assert "reply_parameters" in first
    assert "reply_parameters" not in second
    assert second["text"] == "bold words"


async def test_a_text_whose_entities_are_refused_is_sent_without_them() -> None:
    def refuse(words: Words) -> str:
        return "Bad Request: ENTITY_BOUNDS_INVALID" if "entities" in words else ""

    first, second = await sent_by(lambda sender: sender.close("9", replace(PART, is_closed=True)), refuse)

    assert first["text"] == second["text"] == "bold words"
    assert "entities" in first
    assert "entities" not in second


async def test_link_previews_are_off_in_what_is_sent_and_in_what_is_changed() -> None:
    [sent] = await sent_by(lambda sender: sender.open(PART), nothing)
    [changed] = await sent_by(lambda sender: sender.close("9", replace(PART, is_closed=True)), nothing)

    for words in (sent, changed):
        assert json.loads(words["link_preview_options"]) == {"is_disabled": True}
        assert "parse_mode" not in words


async def test_only_the_first_part_makes_a_sound() -> None:
    [first] = await sent_by(lambda sender: sender.open(PART), nothing)
    [second] = await sent_by(lambda sender: sender.open(replace(PART, part=1)), nothing)

    assert first.get("disable_notification") == "false"
    assert second.get("disable_notification") == "true"
