"""A newcomer's Telegram chatbot: the program as a process, real weights, and the local Bot API server."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bots.sandbox.local_telegram.account import BotOptions
from bots.sandbox.local_telegram.driver import LocalTelegram, local_telegram
from bots.sandbox.local_telegram.options import Options
from tests.acceptance.conftest import Home
from tests.acceptance.programs import REPLY_S
from tests.acceptance.telegram_chatbots import BAD, GOOD, by_webhook, replies, telegram_chatbot, whole
from tests.integration.running_service import free_port

CAPITAL = "What is the capital of France?"
STORY = "Tell me a long story about a village by the sea."


@pytest.fixture
async def telegram() -> AsyncIterator[LocalTelegram]:
    """As strict as Telegram's rates can be read."""
    async with local_telegram() as telegram:
        yield telegram


@pytest.mark.parametrize("receive", ["polling", "webhook"])
async def test_a_dialogue_in_private_remembers(home: Home, telegram: LocalTelegram, receive: str) -> None:
    ann = await telegram.person("Ann")
    async with telegram_chatbot(home, telegram, by_webhook(free_port()) if receive == "webhook" else {}) as chatbot:
        await ann.says(CAPITAL)
        [first] = await replies(ann.chat)
        await ann.says("Which country did I ask about?")
        [_, second] = await replies(ann.chat, 2)
        prompt = await asyncio.to_thread(home.banter, "sessions", "show", "1", "--prompt")
        state = await telegram.look()

    assert "Paris" in first.text
    assert second.text.strip()
    assert prompt.stdout.index(CAPITAL) < prompt.stdout.index(first.text) < prompt.stdout.index("Which country")
    assert bool(state.webhook["url"]) == (receive == "webhook")
    assert [message.is_bots for message in (await ann.chat.look()).messages] == [False, True, False, True]
    assert chatbot.rows("SELECT role, text FROM turns WHERE role = 'assistant' ORDER BY id")[0][1] == first.text
    assert await telegram.excesses() == {}
    assert chatbot.others == []


async def test_three_topics_of_a_forum_are_three_dialogues(home: Home, telegram: LocalTelegram) -> None:
    ann, ben = await telegram.person("Ann"), await telegram.person("Ben")
    forum = await telegram.group("Countries", ann, ben, is_forum=True)
    countries = {await ann.opens_topic(name, forum): name for name in ("France", "Italy", "Spain")}
    async with telegram_chatbot(home, telegram) as chatbot:
        for topic, country in countries.items():
            await ann.says(f"@banter_bot What is the capital of {country}?", forum, thread_id=topic)
        answers = {topic: (await replies(forum, 1, topic))[0] for topic in countries}
        for topic in countries:
            await ben.says("@banter_bot And which language do they speak?", forum, thread_id=topic)
        for topic in countries:
            await replies(forum, 2, topic)

    assert ["Paris" in answers[next(iter(countries))].text, len(answers)] == [True, 3]
    said = chatbot.rows("SELECT s.thread, t.text FROM turns t JOIN sessions s ON s.id = t.session_id ORDER BY t.id")
    for topic, country in countries.items():
        texts = [str(text) for thread, text in said if thread == str(topic)]
        assert len(texts) == 4
        assert country in texts[0]
        assert answers[topic].text in texts
        assert not any(other in text for text in texts[::2] for other in countries.values() if other != country)
    assert await telegram.excesses() == {}


async def test_in_a_group_it_answers_whoever_calls_it(home: Home) -> None:
    async with local_telegram(Options(BotOptions(reads_all_group_messages=True))) as telegram:
        ann, ben = await telegram.person("Ann"), await telegram.person("Ben")
        group = await telegram.group("Friends", ann, ben)
        async with telegram_chatbot(home, telegram) as chatbot:
            await ann.says("Rain again today.", group)
            await ben.says("/stats@other_bot", group)
            asked = await ann.says(f"@banter_bot {CAPITAL}", group)
            [first] = await replies(group)
            again = await ben.says("And of Italy?", group, reply_to=first)
            [_, second] = await replies(group, 2)
            await ben.says("/stats", group)
            told = (await group.until(lambda chat: len(chat.bots) == 3 and bool(chat.bots[2].text.strip("…")))).bots[2]
            await ann.says("Rain, rain.", group)
            await telegram.settled()

        assert (first.reply_to_id, second.reply_to_id) == (asked.id, again.id)
        assert "Paris" in first.text
        assert told.buttons == []
        assert len((await group.look()).bots) == 3
        assert chatbot.rows("SELECT count(*) FROM turns WHERE text LIKE '%Rain%' OR text LIKE '%banter_bot%'") == [(0,)]
        assert chatbot.rows("SELECT count(*) FROM inbox WHERE raw LIKE '%Rain%'") == [(0,)]


async def test_an_edited_question_is_answered_anew_where_its_reply_stands(home: Home, telegram: LocalTelegram) -> None:
    ann = await telegram.person("Ann")
    async with telegram_chatbot(home, telegram) as chatbot:
        question = await ann.says(CAPITAL)
        [first] = await replies(ann.chat)
        await ann.edits(question, "What is the capital of Italy?")
        seen = await ann.chat.until(lambda chat: "Rome" in chat.bots[0].text and len(whole(chat)) == 1, REPLY_S)

    assert "Paris" in first.text
    assert [message.id for message in seen.bots] == [first.id]
    assert ("What is the capital of Italy?",) in chatbot.rows("SELECT text FROM turns WHERE role = 'person'")
    assert await telegram.excesses() == {}


async def test_stop_is_for_who_asked(home: Home, telegram: LocalTelegram) -> None:
    ann, ben = await telegram.person("Ann"), await telegram.person("Ben")
    group = await telegram.group("Friends", ann, ben)
    async with telegram_chatbot(home, telegram, {"BANTER_SAMPLING__MAX_NEW_TOKENS": "900"}) as chatbot:
        await ann.says(f"@banter_bot {STORY}", group)
        seen = await group.until(lambda chat: any(len(message.text) > 20 for message in chat.bots), REPLY_S)
        [shown] = seen.bots
        await telegram.notice(await ben.presses(shown.buttons[0][0], shown, group))
        grown = await group.until(lambda chat: len(chat.bots[0].text) > len(shown.text), REPLY_S)
        await telegram.notice(await ann.presses(shown.buttons[0][0], grown.bots[0], group))
        [stopped] = await replies(group)

    assert "Stop" in shown.buttons[0][0]
    assert stopped.text.startswith(shown.text[:20])
    assert chatbot.rows("SELECT finish_reason FROM turns WHERE role = 'assistant'") == [("cancelled",)]


async def test_another_reply_and_what_people_think_of_it(home: Home, telegram: LocalTelegram) -> None:
    ann = await telegram.person("Ann")
    warm = {"BANTER_SAMPLING__TEMPERATURE": "1.2", "BANTER_SAMPLING__SEED": "", "BANTER_SAMPLING__MAX_NEW_TOKENS": "24"}
    async with telegram_chatbot(home, telegram, warm) as chatbot:
        await ann.says(STORY)
        [first] = await replies(ann.chat)
        await telegram.notice(await ann.presses(BAD, first))
        again = next(button for button in first.buttons[0] if button not in (GOOD, BAD))
        await telegram.notice(await ann.presses(again, first))
        seen = await ann.chat.until(lambda chat: whole(chat)[0:1] != [] and chat.bots[0].text != first.text, REPLY_S)
        await telegram.notice(await ann.presses(GOOD, whole(seen)[0]))
        await chatbot.logs(2, action="reply")

    assert [message.id for message in seen.bots] == [first.id]
    [(bad,), (good,)] = chatbot.rows("SELECT id FROM turns WHERE role = 'assistant' ORDER BY id")
    told = chatbot.rows("SELECT opinion, turn_id FROM feedback")
    assert sorted(told) == [("bad", bad), ("good", good), ("regenerate", bad)]


async def test_whoever_wants_to_be_forgotten_is(home: Home, telegram: LocalTelegram) -> None:
    ann, ben = await telegram.person("Ann"), await telegram.person("Ben")
    async with telegram_chatbot(home, telegram) as chatbot:
        await ann.says("My name is Quetzalcoatlus.")
        await ben.says(CAPITAL)
        await replies(ann.chat)
        await replies(ben.chat)
        await ann.says("/forget me")
        asked = (await ann.chat.until(lambda chat: len(chat.bots) == 2 and "yes" in chat.bots[1].text)).bots[1]
        await ann.says("/forget me yes")
        await ann.chat.until(lambda chat: len(chat.bots) == 3 and "forgotten" in chat.bots[2].text)

    assert "for good" in asked.text
    assert [text for (text,) in chatbot.rows("SELECT text FROM turns WHERE role = 'person'")] == [CAPITAL]
    for table, column in (("turns", "text"), ("inbox", "raw"), ("inbox", "inbound"), ("deliveries", "text")):
        query = f"SELECT count(*) FROM {table} WHERE {column} LIKE '%Quetzalcoatlus%'"
        assert chatbot.rows(query) == [(0,)], table


async def test_menus_show_what_can_be_said(home: Home, telegram: LocalTelegram) -> None:
    async with telegram_chatbot(home, telegram):
        everywhere, private = await telegram.menu(), await telegram.menu({"type": "all_private_chats"})
        spanish = await telegram.menu(language="es")

    assert {"new", "regenerate", "stop", "help"} <= everywhere.keys()
    assert "forget" not in everywhere
    assert {"forget", "export", "new"} <= private.keys()
    assert spanish.keys() == everywhere.keys()
    assert spanish["new"] != everywhere["new"]
