"""The prompt of `banter sandbox telegram`: lines are messages, what the bot does is printed."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup

from bots.sandbox.local_telegram.account import BotOptions
from bots.sandbox.local_telegram.driver import LocalTelegram, local_telegram
from bots.sandbox.local_telegram.options import NO_RATES, Options
from bots.sandbox.local_telegram.people import Person
from bots.sandbox.telegram_prompt import HELP, Prompt
from tests.integration.terminals import Terminal

STOP = InlineKeyboardMarkup([[InlineKeyboardButton("Stop", callback_data="stop:1")]])


@pytest.fixture
async def telegram() -> AsyncIterator[LocalTelegram]:
    async with local_telegram(Options(bot=BotOptions(has_topics_enabled=True), rates=NO_RATES)) as telegram:
        yield telegram


@pytest.fixture
async def ann(telegram: LocalTelegram) -> Person:
    return await telegram.person("Ann")


@pytest.fixture
async def terminal(ann: Person) -> AsyncIterator[Terminal]:
    """She sits at it until the end."""
    terminal = Terminal()
    prompting = asyncio.create_task(Prompt(ann, terminal.ask, terminal.write).run())
    yield terminal
    terminal.types(None)
    async with asyncio.timeout(20):
        await prompting


async def test_lines_are_messages_and_the_bots_words_and_changes_are_printed(
    bot: Bot, ann: Person, terminal: Terminal
) -> None:
    terminal.types("hello :)")
    (update,) = await bot.get_updates(timeout=10)
    sent = await bot.send_message(ann.id, "I", reply_markup=STOP)
    first = await terminal.next()
    await bot.edit_message_text("I say hello", ann.id, sent.message_id)
    second = await terminal.next()
    await bot.edit_message_text("No.\x1b[2J", ann.id, sent.message_id)
    third = await terminal.next()

    assert update.message is not None
    assert update.message.text == "hello :)"
    assert [first, second, third] == ["bot › I [Stop]", "bot ✎ … say hello", "bot ✎ No.[2J"]


async def test_buttons_are_pressed_and_the_last_message_is_changed(bot: Bot, ann: Person, terminal: Terminal) -> None:
    terminal.types("helo")
    await bot.get_updates(timeout=10)
    await bot.send_message(ann.id, "writing", reply_markup=STOP)
    await terminal.next()
    terminal.types(":edit hello")
    terminal.types(":press Go")
    told = await terminal.next()
    terminal.types(":press Stop")
    terminal.types(":help")
    assert await terminal.next() == HELP

    edited, pressed = (await bot.get_updates())[1:]

    assert told == "(nothing there is called Go)"
    assert edited.edited_message is not None
    assert edited.edited_message.text == "hello"
    assert pressed.callback_query is not None
    assert pressed.callback_query.data == "stop:1"


async def test_a_topic_is_begun_and_left(bot: Bot, ann: Person, terminal: Terminal) -> None:
    terminal.types(":topic Tea")
    terminal.types("green or black?")
    terminal.types(":topic")
    terminal.types("never mind")
    await ann.chat.until(lambda chat: any(message.text == "never mind" for message in chat.messages))

    created, asked, left = (update.message for update in await bot.get_updates())

    assert created is not None
    assert asked is not None
    assert left is not None
    assert created.forum_topic_created is not None
    assert (asked.text, asked.message_thread_id) == ("green or black?", created.message_id)
    assert (left.text, left.message_thread_id) == ("never mind", None)
