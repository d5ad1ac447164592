"""What stands around messages on the local Bot API server: buttons, reactions, drafts, menus, files."""

import pytest
from telegram import (
    Bot,
    BotCommand,
    BotCommandScopeAllGroupChats,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    ReactionTypeEmoji,
)
from telegram.error import BadRequest

from bots.sandbox.local_telegram.driver import LocalTelegram, local_telegram
from bots.sandbox.local_telegram.options import Options
from bots.sandbox.local_telegram.people import Document, Person
from tests.integration.telegram.hearing import heard, said

STOP = InlineKeyboardMarkup([[InlineKeyboardButton("Stop", callback_data="stop:1")]])


async def test_a_pressed_button_is_told_and_the_answer_is_seen(bot: Bot, ann: Person, telegram: LocalTelegram) -> None:
    await bot.send_message(ann.id, "writing", reply_markup=STOP)
    press = await ann.presses("Stop", await ann.chat.shows("writing"))
    query = (await heard(bot))[-1].callback_query

    assert query is not None
    assert (query.id, query.data, query.from_user.id) == (press, "stop:1", ann.id)
    assert await query.answer("Stopped.")
    assert await telegram.notice(press) == {"text": "Stopped.", "is_alert": False}
    with pytest.raises(BadRequest, match="Query is too old"):
        await query.answer("again")


async def test_a_press_can_be_forged(bot: Bot, ann: Person) -> None:
    await bot.send_message(ann.id, "writing")
    await ann.forges_press("regenerate:all", await ann.chat.shows("writing"))

    query = (await heard(bot))[-1].callback_query

    assert query is not None
    assert query.data == "regenerate:all"


async def test_a_bot_reacts(bot: Bot, ann: Person, telegram: LocalTelegram) -> None:
    message = await ann.says("nice")

    await bot.set_message_reaction(ann.id, message.id, [ReactionTypeEmoji("👍")])

    shown = (await ann.chat.look()).messages[-1]
    assert shown.reactions == {telegram.bot_id: [{"type": "emoji", "emoji": "👍"}]}
    with pytest.raises(BadRequest, match="Message to react not found"):
        await bot.set_message_reaction(ann.id, 99, [ReactionTypeEmoji("👍")])


async def test_drafts_are_a_preview_and_no_message(bot: Bot, ann: Person) -> None:
    await bot.send_message_draft(ann.id, 7, "")
    await bot.send_message_draft(ann.id, 7, "Hel")
    await bot.send_message_draft(ann.id, 7, "Hello")

    seen = await ann.chat.look()

    assert [draft.text for draft in seen.drafts[7]] == ["", "Hel", "Hello"]
    assert seen.bots == []


async def test_drafts_are_for_private_chats_and_have_a_number(bot: Bot, ann: Person, telegram: LocalTelegram) -> None:
    group = await telegram.group("Friends", ann)

    with pytest.raises(BadRequest):
        await bot.send_message_draft(group.id, 7, "Hel")
    with pytest.raises(BadRequest):
        await bot.send_message_draft(ann.id, 0, "Hel")


async def test_typing_is_seen(bot: Bot, ann: Person) -> None:
    await bot.send_chat_action(ann.id, "typing")

    assert [action.action for action in (await ann.chat.look()).actions] == ["typing"]
    with pytest.raises(BadRequest, match="Wrong parameter action in request"):
        await bot.send_chat_action(ann.id, "dreaming")


async def test_menus_are_kept_by_scope_and_language(bot: Bot, telegram: LocalTelegram) -> None:
    groups = BotCommandScopeAllGroupChats()
    await bot.set_my_commands([BotCommand("new", "Begin anew"), BotCommand("help", "What I can do")])
    await bot.set_my_commands([BotCommand("new", "Neu beginnen")], language_code="de")
    await bot.set_my_commands([BotCommand("stop", "Stop")], scope=groups)

    assert await telegram.menu() == {"new": "Begin anew", "help": "What I can do"}
    assert await telegram.menu(language="de") == {"new": "Neu beginnen"}
    assert [command.command for command in await bot.get_my_commands(groups)] == ["stop"]

    await bot.delete_my_commands(scope=groups)
    assert await bot.get_my_commands(groups) == ()
    assert await telegram.menu() == {"new": "Begin anew", "help": "What I can do"}


async def test_a_document_can_be_fetched(bot: Bot, ann: Person) -> None:
    await ann.sends(Document("notes.txt", b"remember the milk"), caption="my notes")

    message = said((await heard(bot))[-1])
    assert message.document is not None
    file = await message.document.get_file()

    assert (message.caption, message.text, message.document.file_name) == ("my notes", None, "notes.txt")
    assert await file.download_as_bytearray() == b"remember the milk"
    with pytest.raises(BadRequest, match="Wrong file_id"):
        await bot.get_file("nothing-of-the-kind")


async def test_an_album_is_several_messages_with_one_mark(bot: Bot, ann: Person) -> None:
    await ann.sends(Document("a.png", b"a", is_photo=True), Document("b.txt", b"b"), caption="look")

    first, second = [said(update) for update in (await heard(bot))[-2:]]

    assert first.media_group_id == second.media_group_id is not None
    assert (first.caption, second.caption) == ("look", None)
    assert (len(first.photo), second.document and second.document.file_name) == (1, "b.txt")


async def test_the_bot_sends_a_document(bot: Bot, ann: Person) -> None:
    sent = await bot.send_document(ann.id, b"a,b\n", caption="all of it", filename="export.csv")

    shown = (await ann.chat.look()).messages[-1]

    assert sent.document is not None
    assert (await (await bot.get_file(sent.document.file_id)).download_as_bytearray()) == b"a,b\n"
    assert shown.more is not None
    assert (shown.text, shown.more["document"]) == ("all of it", sent.document.to_dict())
    with pytest.raises(BadRequest, match="There is no text in the message to edit"):
        await bot.edit_message_text("new", ann.id, sent.message_id)
    with pytest.raises(BadRequest, match="File must be non-empty"):
        await bot.send_document(ann.id, b"")


async def test_people_send_more_than_text_and_files(bot: Bot, ann: Person) -> None:
    place = {"latitude": 52.5, "longitude": 13.4}
    await ann.says("", more={"location": place})
    await ann.says("listen", more={"voice": {"file_id": "v", "file_unique_id": "u", "duration": 3}})

    first, second = [said(update) for update in (await heard(bot))[-2:]]

    assert first.location is not None
    assert (first.text, first.location.to_dict()) == (None, place)
    assert (second.text, second.caption, second.voice and second.voice.file_id) == (None, "listen", "v")


async def test_telegrams_clock_can_be_another_one() -> None:
    async with local_telegram(Options(clock_skew_s=7200)) as ahead, local_telegram() as right:
        dates = [(await (await telegram.person("Ann")).says("hello")).date for telegram in (ahead, right)]

    assert dates[0] - dates[1] in {7199, 7200}


async def test_who_joins_is_told_of_by_a_service_message(bot: Bot, ann: Person, telegram: LocalTelegram) -> None:
    ben = await telegram.person("Ben")
    group = await telegram.group("Friends", ann)
    await ben.joins(group)

    message = said((await heard(bot))[-1])

    assert [user.first_name for user in message.new_chat_members] == ["Ben"]
    assert await bot.get_chat_member_count(group.id) == 3
    assert (await group.look()).messages[-1].is_service


async def test_a_bot_learns_of_a_chat_and_its_members(bot: Bot, ann: Person, telegram: LocalTelegram) -> None:
    group = await telegram.group("Friends", ann)

    chat = await bot.get_chat(group.id)

    assert (chat.type, chat.title) == ("supergroup", "Friends")
    assert (await bot.get_chat(ann.id)).first_name == "Ann"
    assert await bot.get_chat_member_count(group.id) == 2
    assert (await bot.get_chat_member(group.id, telegram.bot_id)).status == "member"
    assert (await bot.get_chat_member(group.id, ann.id)).user.first_name == "Ann"
