"""What goes wrong with Telegram is one clear line; nothing is lost, nobody else waits, and no token gets out."""

import asyncio
import os
from collections.abc import AsyncIterator

import pytest

from bots.sandbox.local_telegram.driver import LocalTelegram, local_telegram
from bots.sandbox.local_telegram.people import Document
from core.generation.models import ResolvedModel
from tests.acceptance.conftest import Home, link_model
from tests.acceptance.telegram_chatbots import by_webhook, replies, telegram_chatbot, whole
from tests.acceptance.test_bad_input import refused
from tests.acceptance.test_openai_chat import variables
from tests.integration.local_openai import CHAT, DONE, Answer, LocalOpenAI, words
from tests.integration.running_service import free_port

AWAY_S = float(os.environ.get("BANTER_AWAY_S", "6"))


@pytest.fixture
def home(empty_home: Home, default_model: ResolvedModel) -> Home:
    link_model(default_model, empty_home.cache)
    return empty_home


@pytest.fixture
async def telegram() -> AsyncIterator[LocalTelegram]:
    async with local_telegram() as telegram:
        yield telegram


def halting(go_on: asyncio.Event) -> Answer:
    """A reply that waits in its middle."""
    first, *rest = words(CHAT, "Once upon a time", " there was an end.")
    return Answer([first, rest[0], go_on, *rest[1:], DONE])


@pytest.mark.parametrize("token", ["7000000001:AAhunter2", "AAhunter2", ""])
async def test_a_wrong_token_ends_the_start_in_one_line(home: Home, telegram: LocalTelegram, token: str) -> None:
    given = {"BANTER_TELEGRAM_TOKEN": token, "BANTER_TELEGRAM__API_URL": telegram.base_url, "BANTER_WEB__PORT": "0"}

    told = await asyncio.to_thread(home.banter, "telegram", variables=given | {"BANTER_LOG__LEVEL": "warning"})

    refused(told, "BANTER_TELEGRAM_TOKEN", "@BotFather" if "hunter2" not in token or ":" in token else "not a bot's")
    assert "hunter2" not in told.stderr


def test_without_any_token_there_is_nothing_to_run(home: Home) -> None:
    refused(home.banter("run"), "no token is set", "BANTER_TELEGRAM_TOKEN")


async def test_a_token_that_is_revoked_is_said_once(
    home: Home, telegram: LocalTelegram, local_openai: LocalOpenAI
) -> None:
    ann = await telegram.person("Ann")
    async with telegram_chatbot(home, telegram, variables(local_openai)) as chatbot:
        await ann.says("One")
        await replies(ann.chat)
        await telegram.revoke_token()
        [line] = await chatbot.logs(trouble="token")
        refusals = len([call for call in await telegram.calls("getUpdates") if call.status == 401])
        await telegram.called("getUpdates", len(await telegram.calls("getUpdates")) + 1)

        assert "it was revoked; set BANTER_TELEGRAM_TOKEN and start again" in str(line["message"])
        assert chatbot.troubles == ["token"]
        assert refusals >= 1
        assert (await chatbot.get("/healthz")).status_code == 200
        assert await chatbot.holding("AAlocal-sandbox") == []


async def test_nothing_is_lost_while_telegram_is_away(
    home: Home, telegram: LocalTelegram, local_openai: LocalOpenAI
) -> None:
    ann, ben, go_on = await telegram.person("Ann"), await telegram.person("Ben"), asyncio.Event()
    local_openai.answers = [halting(go_on)]
    async with telegram_chatbot(home, telegram, variables(local_openai)) as chatbot:
        await ann.says("One")
        await ann.chat.until(lambda chat: any("Once upon" in message.text for message in chat.bots), 60)
        await telegram.go_away()
        await chatbot.logs(trouble="away")
        await ben.says("Two")
        go_on.set()
        await asyncio.sleep(AWAY_S)  # it is the time itself that is tried
        assert (await chatbot.get("/healthz")).status_code == 200
        await telegram.come_back()
        [first], [second] = await replies(ann.chat), await replies(ben.chat)
        await chatbot.logs(message="the bot is listened to again")

    assert (first.text, second.text) == ("Once upon a time there was an end.", "I am here.")
    assert [len((await person.chat.look()).bots) for person in (ann, ben)] == [1, 1]
    warnings = [line["action"] for line in chatbot.lines if line["level"] in ("warning", "error")]
    assert warnings in (["receive"], ["receive", "answer"])  # after a quarter of a minute the open reply is put off
    assert chatbot.troubles == ["away"]
    assert len(chatbot.logged(message="the bot is listened to again")) == 1


async def test_who_sends_the_bot_away_keeps_nobody_else_waiting(
    home: Home, telegram: LocalTelegram, local_openai: LocalOpenAI
) -> None:
    ann, ben, dora = [await telegram.person(name) for name in ("Ann", "Ben", "Dora")]
    group = await telegram.group("Friends", ben)
    forum = await telegram.group("Forum", ben, is_forum=True)
    topic, other_topic = await ben.opens_topic("One", forum), await ben.opens_topic("Two", forum)
    go_on = asyncio.Event()
    local_openai.answers = [halting(go_on) for _ in range(4)]
    async with telegram_chatbot(home, telegram, variables(local_openai)) as chatbot:
        await ann.says("hello")
        await ben.says("@banter_bot hello", group)
        await ben.says("@banter_bot hello", forum, thread_id=topic)
        await dora.says("hello")
        for place in (ann.chat, group, forum, dora.chat):
            await place.until(lambda chat: any("Once upon" in message.text for message in chat.bots), 60)
        await ann.blocks()
        await group.kick_bot()
        await forum.delete_topic(topic)
        go_on.set()
        [reply] = await replies(dora.chat)
        await ben.says("@banter_bot hello", forum, thread_id=other_topic)
        await replies(forum, 1, other_topic)
        await chatbot.logs(5, action="reply")

        ends = chatbot.rows("SELECT state, reason FROM inbox WHERE kind = 'message' ORDER BY id")
    assert reply.text == "Once upon a time there was an end."
    assert [state for state, _ in ends] == ["failed", "failed", "failed", "delivered", "delivered"]
    assert ends[0][1] == "the person has blocked the bot"
    assert ends[1][1] == "the bot was removed from the chat"
    assert ends[2][1] in ("the topic is gone", "the message was deleted")
    assert len(whole(await dora.chat.look())) == 1


@pytest.mark.parametrize("receive", ["polling", "webhook"])
async def test_the_token_gets_out_nowhere(
    home: Home, telegram: LocalTelegram, local_openai: LocalOpenAI, receive: str
) -> None:
    ann = await telegram.person("Ann")
    set_up = variables(local_openai, BANTER_LOG__LEVEL="debug")
    set_up |= by_webhook(free_port()) if receive == "webhook" else {}
    async with telegram_chatbot(home, telegram, set_up) as chatbot:
        for kind, method in (
            ("drop_before", "sendMessage"),
            ("drop_after", "editMessageText"),
            ("drop_before", "getFile"),
        ):
            await telegram.fault(kind, method)
        for status in (400, 403, 404, 409, 429, 500, 502):
            await telegram.fault("answer", "sendChatAction", status=status)
        await telegram.fault("answer", "getUpdates", status=502)
        await ann.says("One")
        await replies(ann.chat)
        await ann.sends(Document("a.txt", b"read me"), caption="Two")
        await replies(ann.chat, 2)
        await telegram.fault("answer", "sendMessage", status=404, times=6)
        await ann.says("Three")
        await chatbot.logs(3, action="reply")
        await telegram.clear_faults()
        await telegram.send_update("message", {"message_id": "nonsense"})
        await telegram.go_away()
        await (chatbot.logs(trouble="away") if receive == "polling" else asyncio.sleep(0))
        await telegram.come_back()
        await ann.says("Four")
        await replies(ann.chat, 3)

        assert await chatbot.holding(telegram.token) == []
        assert await chatbot.holding("AAlocal-sandbox") == []
        if receive == "webhook":
            [call, *_] = await telegram.calls("setWebhook")
            assert len(call.parameters["secret_token"]) >= 32
            assert await chatbot.holding(call.parameters["secret_token"]) == []
    assert "AAlocal-sandbox" not in chatbot.stderr
