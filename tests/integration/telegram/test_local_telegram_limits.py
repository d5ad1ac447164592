"""Every limit of the local Bot API server, broken once."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from telegram import Bot, BotCommand, InlineKeyboardButton, InlineKeyboardMarkup, MessageEntity
from telegram.error import BadRequest, NetworkError, RetryAfter

from bots.sandbox.local_telegram.driver import LocalTelegram, local_telegram
from bots.sandbox.local_telegram.limits import Limits, Rates, Tallies, Window
from bots.sandbox.local_telegram.options import NO_RATES, Options
from bots.sandbox.local_telegram.people import Document, Person
from bots.sandbox.local_telegram.refusals import Refused
from tests.integration.telegram.ptb_bots import ptb_bot, raw_client

PARTY = "🎉"  # two UTF-16 units


@pytest.fixture
async def telegram() -> AsyncIterator[LocalTelegram]:
    async with local_telegram(Options(rates=NO_RATES, limits=Limits(download_bytes=100, upload_bytes=100))) as telegram:
        yield telegram


async def test_a_text_has_4096_utf16_units(bot: Bot, ann: Person, telegram: LocalTelegram) -> None:
    longest = PARTY * 2048
    sent = await bot.send_message(ann.id, "x" * 4096)
    await bot.edit_message_text(longest, ann.id, sent.message_id)

    with pytest.raises(BadRequest, match="Message is too long"):
        await bot.send_message(ann.id, longest + "x")
    with pytest.raises(BadRequest, match="Message_too_long"):
        await bot.edit_message_text(longest + "x", ann.id, sent.message_id)
    with pytest.raises(BadRequest, match="Message_too_long"):
        await bot.send_message_draft(ann.id, 1, longest + "x")
    with pytest.raises(BadRequest, match="Text is too long"):  # of bytes, before anything is looked at
        await bot.send_message(ann.id, "x" * 32769)
    assert (await ann.chat.shows(longest)).texts == ["x" * 4096, longest]
    assert await telegram.excesses() == {"text": 3}


async def test_a_text_is_there(bot: Bot, ann: Person) -> None:
    with pytest.raises(BadRequest, match="Message text is empty"):
        await bot.send_message(ann.id, "")
    with pytest.raises(BadRequest, match="Text must be non-empty"):
        await bot.send_message(ann.id, " \n\t")


async def test_the_hundred_and_first_entity_is_dropped_without_a_word(
    bot: Bot, ann: Person, telegram: LocalTelegram
) -> None:
    entities = [MessageEntity("bold", 2 * number, 1) for number in range(103)]

    sent = await bot.send_message(ann.id, "x " * 102 + "x", entities=entities)

    assert len(sent.entities) == 100
    assert sent.entities[-1].offset == 198
    assert await telegram.excesses() == {"entities": 3}


async def test_all_entities_together_have_a_size(bot: Bot, ann: Person) -> None:
    links = [MessageEntity("text_link", number, 1, url=f"https://example.org/{'x' * 200}") for number in range(50)]

    with pytest.raises(BadRequest, match="Entities_too_long"):
        await bot.send_message(ann.id, "x" * 50, entities=links)


@pytest.mark.parametrize(
    ("offset", "length", "told"),
    [
        (3, 1, "Entity begins after the end of the text at utf-16 offset 3"),
        (2, 2, "Entity beginning at utf-16 offset 2 ends after the end of the text at utf-16 offset 4"),
        (1, 2, "Entity begins in a middle of a utf-16 symbol at byte offset 0"),
        (0, 1, "Entity beginning at utf-16 offset 0 ends in a middle of a utf-16 symbol at byte offset 0"),
        (-1, 1, "Receive an entity with incorrect offset -1"),
        (0, -1, "Receive an entity with incorrect length -1"),
    ],
)
async def test_entities_are_within_the_text(bot: Bot, ann: Person, offset: int, length: int, told: str) -> None:
    with pytest.raises(BadRequest) as refused:
        await bot.send_message(ann.id, f"{PARTY}x", entities=[MessageEntity("bold", offset, length)])

    assert str(refused.value).lower() == told.lower()


async def test_white_space_around_a_text_goes_and_its_entities_move(bot: Bot, ann: Person) -> None:
    bold, gone = MessageEntity("bold", 0, 7), MessageEntity("code", 7, 2)

    sent = await bot.send_message(ann.id, "  hello \n", entities=[bold, gone])

    assert sent.text == "hello"
    assert [(entity.type, entity.offset, entity.length) for entity in sent.entities] == [("bold", 0, 5)]


async def test_only_known_entities_are_taken_and_no_parse_mode(bot: Bot, ann: Person) -> None:
    with pytest.raises(BadRequest, match="unsupported type specified"):
        await bot.send_message(ann.id, "x", entities=[MessageEntity("blink", 0, 1)])
    with pytest.raises(BadRequest, match="Unsupported parse_mode"):
        await bot.send_message(ann.id, "*x*", parse_mode="MarkdownV2")


@pytest.mark.parametrize(
    ("data", "is_taken"), [("x" * 64, True), ("ü" * 32, True), ("x" * 65, False), ("ü" * 33, False)]
)
async def test_callback_data_has_64_bytes(bot: Bot, ann: Person, data: str, *, is_taken: bool) -> None:
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Stop", callback_data=data)]])
    if is_taken:
        await bot.send_message(ann.id, "x", reply_markup=keyboard)
        return

    with pytest.raises(BadRequest, match="Button_data_invalid"):
        await bot.send_message(ann.id, "x", reply_markup=keyboard)
    sent = await bot.send_message(ann.id, "x")
    with pytest.raises(BadRequest, match="Button_data_invalid"):
        await bot.edit_message_reply_markup(ann.id, sent.message_id, reply_markup=keyboard)


@pytest.mark.parametrize(
    ("button", "told"),
    [
        ({"text": "Stop"}, "text buttons are unallowed in the inline keyboard"),
        ({"callback_data": "x"}, 'can\'t find field "text"'),
        ({"text": "", "callback_data": "x"}, "BUTTON_TEXT_INVALID"),
        ({"text": "Stop", "callback_data": "x", "style": "loud"}, "invalid button style specified"),
        ("Stop", "InlineKeyboardButton must be an Object"),
    ],
)
async def test_a_button_says_something_and_does_something(
    ann: Person, telegram: LocalTelegram, button: object, told: str
) -> None:
    async with raw_client(telegram) as client:
        body = {"chat_id": ann.id, "text": "x", "reply_markup": {"inline_keyboard": [[button]]}}
        answer = (await client.post("sendMessage", json=body)).json()

    assert answer["error_code"] == 400
    assert told in answer["description"]


async def test_a_menu_has_a_hundred_commands(bot: Bot) -> None:
    await bot.set_my_commands([BotCommand(f"c{number}", "does it") for number in range(100)])

    with pytest.raises(BadRequest, match="Bot_commands_too_much"):
        await bot.set_my_commands([BotCommand(f"c{number}", "does it") for number in range(101)])
    assert len(await bot.get_my_commands()) == 100


@pytest.mark.parametrize(
    ("command", "description", "told"),
    [
        ("New", "begins anew", "Bot_command_invalid"),
        ("", "begins anew", "Command must be non-empty"),
        ("n" * 33, "begins anew", "Command length must not exceed 32"),
        ("new", " ", "Command description must be non-empty"),
        ("new", "x" * 257, "Command description length must not exceed 256"),
    ],
)
async def test_a_command_has_a_name_and_a_description(bot: Bot, command: str, description: str, told: str) -> None:
    with pytest.raises(BadRequest, match=told):
        await bot.set_my_commands([(command, description)])


@pytest.mark.parametrize(
    ("scope", "told"),
    [
        ({"type": "everybody"}, "can't parse BotCommandScope: unsupported type specified"),
        ({"type": "chat", "chat_id": "nobody's"}, "can't parse BotCommandScope: empty chat_id specified"),
        ({"type": "chat", "chat_id": 5}, "chat not found"),
        ("default", "object expected as BotCommandScope"),
    ],
)
async def test_a_menus_scope_is_one_that_there_is(telegram: LocalTelegram, scope: object, told: str) -> None:
    async with raw_client(telegram) as client:
        answer = (await client.post("getMyCommands", json={"scope": json.dumps(scope)})).json()

    assert answer == {"ok": False, "error_code": 400, "description": f"Bad Request: {told}"}


async def test_files_have_a_size(bot: Bot, ann: Person) -> None:
    (small,) = await ann.sends(Document("small.txt", b"x" * 100))
    (big,) = await ann.sends(Document("big.txt", b"x" * 101))
    (said_to_be_big,) = await ann.sends(Document("huge.bin", b"x", size=21 << 20))
    file_ids = [str(message.more["document"]["file_id"]) for message in (small, big, said_to_be_big) if message.more]  # type: ignore[index]

    assert (await bot.get_file(file_ids[0])).file_size == 100
    for file_id in file_ids[1:]:
        with pytest.raises(BadRequest, match="File is too big"):
            await bot.get_file(file_id)
    with pytest.raises(NetworkError, match="Request Entity Too Large"):
        await bot.send_document(ann.id, b"x" * 101)
    with pytest.raises(BadRequest, match="Message caption is too long"):
        await bot.send_document(ann.id, b"x", caption="x" * 1025)


async def test_a_notice_has_200_characters(bot: Bot, ann: Person, telegram: LocalTelegram) -> None:
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Stop", callback_data="1")]])
    await bot.send_message(ann.id, "x", reply_markup=keyboard)
    press = await ann.presses("1", await ann.chat.shows("x"))

    with pytest.raises(BadRequest, match="Message_too_long"):
        await bot.answer_callback_query(press, "x" * 201)
    assert await bot.answer_callback_query(press, "x" * 200, show_alert=True)
    assert await telegram.notice(press) == {"text": "x" * 200, "is_alert": True}


async def test_a_message_too_soon_is_too_much_for_that_chat_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "1")  # else every 429 is a warning
    one_a_minute = Options(rates=Rates(private=Window(1, 60.0)))
    async with local_telegram(one_a_minute) as telegram, ptb_bot(telegram) as bot:
        ann, ben = await telegram.person("Ann"), await telegram.person("Ben")
        for person in (ann, ben):
            await person.says("/start")
        sent = await bot.send_message(ann.id, "one")

        with pytest.raises(RetryAfter) as refused:
            await bot.send_message(ann.id, "two")
        assert timedelta(seconds=1) < refused.value.retry_after <= timedelta(seconds=60)  # type: ignore[operator]
        with pytest.raises(RetryAfter):  # an edit counts like a message
            await bot.edit_message_text("two", ann.id, sent.message_id)
        await bot.send_message(ben.id, "one")
        await bot.send_chat_action(ann.id, "typing")

        async with raw_client(telegram) as client:
            answer = await client.post("sendMessage", json={"chat_id": ann.id, "text": "two"})
        told = answer.json()
        wait_s = told["parameters"]["retry_after"]
        assert told["description"] == f"Too Many Requests: retry after {wait_s}"
        assert (answer.status_code, told["error_code"], answer.headers["Retry-After"]) == (429, 429, str(wait_s))
        assert await telegram.excesses() == {"rate": 3}
        assert [message.text for message in (await ann.chat.look()).bots] == ["one"]


def counted(tallies: Tallies, place: int, now: float, *, is_private: bool = False) -> int:
    """0 where it was taken, else how long to wait."""
    try:
        tallies.count(("", place), now, is_private=is_private)
    except Refused as refused:
        return refused.parameters["retry_after"]
    return 0


def test_a_group_takes_20_messages_a_minute() -> None:
    tallies = Tallies(Rates())
    taken = [counted(tallies, -1, 100.0 + number) for number in range(20)]

    assert taken == [0] * 20
    assert counted(tallies, -1, 120.0) == 40
    assert counted(tallies, -2, 120.0) == 0
    assert counted(tallies, -1, 159.5) == 1
    assert counted(tallies, -1, 160.0) == 0
    assert counted(tallies, -1, 160.5) == 1  # the second one of the first minute is still there


def test_a_bot_sends_30_messages_a_second() -> None:
    tallies = Tallies(Rates())
    taken = [counted(tallies, person, 100.0, is_private=True) for person in range(30)]

    assert taken == [0] * 30
    assert counted(tallies, 31, 100.9, is_private=True) == 1
    assert counted(tallies, 31, 101.0, is_private=True) == 0


def test_what_was_refused_does_not_count() -> None:
    tallies = Tallies(Rates(private=Window(2, 10.0)))

    waits = [counted(tallies, 1, now, is_private=True) for now in (0.0, 1.0, 2.0, 3.0, 9.9, 10.0, 10.5, 11.0)]

    assert waits == [0, 0, 8, 7, 1, 0, 1, 0]
