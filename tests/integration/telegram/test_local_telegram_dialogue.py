"""Messages, as python-telegram-bot's own bots exchange them with people on the local Bot API server."""

import pytest
from telegram import (
    Bot,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    Message,
    MessageEntity,
    ReplyParameters,
)
from telegram.error import BadRequest

from bots.sandbox.local_telegram.driver import LocalTelegram
from bots.sandbox.local_telegram.people import Person
from tests.integration.telegram.hearing import heard, said
from tests.integration.telegram.ptb_bots import echo_application

STOP = InlineKeyboardMarkup([[InlineKeyboardButton("Stop", callback_data="stop:1")]])


async def test_an_echo_bot_answers_over_polling(telegram: LocalTelegram) -> None:
    ann, ben = await telegram.person("Ann"), await telegram.person("Ben")
    async with echo_application(telegram) as application:
        assert application.updater is not None
        await application.updater.start_polling(timeout=10)
        await ann.says("hello")
        await ben.says("hallo")
        await ann.chat.shows("you said: hello")
        await ben.chat.shows("you said: hallo")
        await ann.says("again")
        await ann.chat.shows("you said: again")
        await application.updater.stop()

    assert len((await ann.chat.look()).bots) == 2
    assert await telegram.excesses() == {}


async def test_the_bot_learns_who_it_is(telegram: LocalTelegram, bot: Bot) -> None:
    me = await bot.get_me()

    assert (me.id, me.username, me.is_bot) == (telegram.bot_id, "banter_bot", True)
    assert (me.can_read_all_group_messages, me.has_topics_enabled) == (False, False)


async def test_updates_come_again_until_they_are_confirmed(bot: Bot, ann: Person) -> None:
    await ann.says("one")

    first = await heard(bot)
    again = await heard(bot)
    rest = await heard(bot, offset=first[0].update_id + 1)

    assert [said(update).text for update in first] == ["/start", "one"]
    assert again == first
    assert first[1].update_id > first[0].update_id
    assert [update.update_id for update in rest] == [first[1].update_id]


async def test_a_negative_offset_leaves_only_the_newest_updates(bot: Bot, ann: Person) -> None:
    await ann.says("one")
    await ann.says("two")

    newest = await heard(bot, offset=-1)

    assert [said(update).text for update in newest] == ["two"]
    assert await heard(bot) == newest


async def test_a_poll_waits_for_what_comes(bot: Bot, ann: Person, telegram: LocalTelegram) -> None:
    first = await heard(bot)
    update_id = first[-1].update_id + 1
    async with echo_application(telegram) as application:
        assert application.updater is not None
        await application.updater.start_polling(timeout=10)
        await ann.says("late")
        await ann.chat.shows("you said: late")
        await application.updater.stop()
    polls = await telegram.calls("getUpdates")

    assert len(polls) < 6  # it was woken, and did not ask again and again
    assert any(f'"update_id": {update_id}' in str(poll.answer).replace("'", '"') for poll in polls)


async def test_only_updates_that_are_asked_for_come(bot: Bot, ann: Person) -> None:
    first = await heard(bot, kinds=["edited_message"])  # from now on
    await ann.says("unheard")
    message = await ann.says("heard?")
    await ann.edits(message, "heard")

    edited = await heard(bot, offset=first[-1].update_id + 1, kinds=["edited_message"])

    assert [update.edited_message and update.edited_message.text for update in edited] == ["heard"]


async def test_reactions_come_only_where_they_are_asked_for_by_name(bot: Bot, ann: Person) -> None:
    message = await ann.says("look")
    await ann.reacts(message, "👍")
    unasked = await heard(bot)
    await bot.get_updates(offset=unasked[-1].update_id + 1, allowed_updates=["message_reaction"])
    await ann.reacts(message, "👎")

    reactions = [update.message_reaction for update in await heard(bot, kinds=["message_reaction"])]

    assert all(update.message_reaction is None for update in unasked)
    assert [known.new_reaction[0].emoji for known in reactions if known] == ["👎"]  # type: ignore[attr-defined]


async def test_message_ids_rise_in_each_chat_by_themselves(bot: Bot, ann: Person, telegram: LocalTelegram) -> None:
    ben = await telegram.person("Ben")
    await ben.says("hello")

    ids = [(await bot.send_message(person.id, "hi")).message_id for person in (ann, ben, ann)]

    assert ids == [2, 2, 3]


async def test_a_reply_says_what_it_answers(bot: Bot, ann: Person) -> None:
    question = await ann.says("what is it?")

    sent = await bot.send_message(
        ann.id, "this", reply_parameters=ReplyParameters(question.id, quote="what", allow_sending_without_reply=False)
    )
    answer = await ann.says("thanks", reply_to=(await ann.chat.look()).messages[-1])
    heard_reply = said((await heard(bot))[-1])

    assert sent.reply_to_message is not None
    assert (sent.reply_to_message.text, sent.quote and sent.quote.text) == ("what is it?", "what")
    assert answer.reply_to_id == sent.message_id
    assert heard_reply.reply_to_message is not None
    assert heard_reply.reply_to_message.text == "this"
    assert heard_reply.reply_to_message.reply_to_message is None  # one level deep


async def test_who_replies_to_nothing_that_is_there_is_refused_or_sends_without(bot: Bot, ann: Person) -> None:
    with pytest.raises(BadRequest, match="Message to be replied not found"):
        await bot.send_message(ann.id, "this", reply_parameters=ReplyParameters(99))
    with pytest.raises(BadRequest, match="Quote_text_invalid"):
        await bot.send_message(ann.id, "this", reply_parameters=ReplyParameters(1, quote="never said"))

    sent = await bot.send_message(
        ann.id, "this", reply_parameters=ReplyParameters(99, allow_sending_without_reply=True)
    )

    assert sent.reply_to_message is None


async def test_commands_mentions_and_links_are_found_in_what_people_say(bot: Bot, ann: Person) -> None:
    await ann.says("🎉 /help @banter_bot see https://example.org/x")

    message = said((await heard(bot))[-1])

    assert [(entity.type, message.parse_entity(entity)) for entity in message.entities] == [
        ("bot_command", "/help"),
        ("mention", "@banter_bot"),
        ("url", "https://example.org/x"),
    ]


async def test_an_edit_shows_at_once_and_what_was_before_is_kept(bot: Bot, ann: Person) -> None:
    sent = await bot.send_message(ann.id, "…")
    bold = MessageEntity("bold", 0, 5)
    edited = await bot.edit_message_text("Hello there", ann.id, sent.message_id, entities=[bold], reply_markup=STOP)

    shown = await ann.chat.shows("Hello there")

    assert isinstance(edited, Message)
    assert (edited.text, edited.message_id) == ("Hello there", sent.message_id)
    assert shown.texts == ["…", "Hello there"]
    assert shown.entities == ({"type": "bold", "offset": 0, "length": 5},)
    assert shown.buttons == [["Stop"]]
    assert shown.times == sorted(shown.times)


async def test_an_edit_that_changes_nothing_is_refused_in_telegrams_words(bot: Bot, ann: Person) -> None:
    sent = await bot.send_message(ann.id, "same", reply_markup=STOP)
    told = (
        "Message is not modified: specified new message content and reply markup are exactly the same"
        " as a current content and reply markup of the message"
    )

    with pytest.raises(BadRequest, match=told):
        await bot.edit_message_text("same", ann.id, sent.message_id, reply_markup=STOP)
    with pytest.raises(BadRequest, match=told):
        await bot.edit_message_text("same \n", ann.id, sent.message_id, reply_markup=STOP)  # Telegram trims
    with pytest.raises(BadRequest, match=told):
        await bot.edit_message_reply_markup(ann.id, sent.message_id, reply_markup=STOP)

    await bot.edit_message_text("same", ann.id, sent.message_id)  # the buttons go
    assert (await ann.chat.shows("same")).buttons == []


async def test_buttons_can_be_changed_alone(bot: Bot, ann: Person) -> None:
    sent = await bot.send_message(ann.id, "text", reply_markup=STOP)

    await bot.edit_message_reply_markup(ann.id, sent.message_id)

    shown = await ann.chat.shows("text")
    assert (shown.texts, shown.buttons) == (["text", "text"], [])


async def test_only_what_is_there_and_ones_own_can_be_edited(bot: Bot, ann: Person) -> None:
    question = await ann.says("mine")
    sent = await bot.send_message(ann.id, "gone soon")
    await bot.delete_message(ann.id, sent.message_id)

    with pytest.raises(BadRequest, match="Message can't be edited"):
        await bot.edit_message_text("yours", ann.id, question.id)
    for message_id in (sent.message_id, 99):
        with pytest.raises(BadRequest, match="Message to edit not found"):
            await bot.edit_message_text("back", ann.id, message_id)
    with pytest.raises(BadRequest, match="Message to delete not found"):
        await bot.delete_message(ann.id, sent.message_id)
    assert (await ann.chat.look()).bots == []


async def test_a_persons_edit_comes_as_an_edited_message(bot: Bot, ann: Person) -> None:
    message = await ann.says("what is teh time?")
    await ann.edits(message, "what is the time?")
    await ann.chat.touch(message)

    edits = [update.edited_message for update in await heard(bot) if update.edited_message]

    assert [edit.text for edit in edits] == ["what is the time?"] * 2  # Telegram tells of what bots can't see, too
    assert all(edit.edit_date is not None for edit in edits)
