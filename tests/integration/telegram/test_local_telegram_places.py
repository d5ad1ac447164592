"""Where people and bots meet on the local Bot API server: topics, groups, moves, ends, privacy."""

import pytest
from telegram import Bot, ReplyParameters
from telegram.error import BadRequest

from bots.sandbox.local_telegram.account import BotOptions
from bots.sandbox.local_telegram.driver import LocalTelegram
from bots.sandbox.local_telegram.options import NO_RATES, Options
from bots.sandbox.local_telegram.people import Person, Place
from tests.integration.telegram.hearing import heard_now, last_message, texts


@pytest.fixture
def options() -> Options:
    return Options(bot=BotOptions(has_topics_enabled=True, users_create_topics=True), rates=NO_RATES)


@pytest.fixture
async def forum(telegram: LocalTelegram, ann: Person) -> Place:
    """The bot may do nothing but speak there."""
    return await telegram.group("Club", ann, is_forum=True)


async def test_a_topic_marks_its_messages(bot: Bot, ann: Person, forum: Place) -> None:
    await forum.promote_bot()
    thread_id = await ann.opens_topic("Tea", forum)
    begun = await last_message(bot)
    await ann.says("green or black?", forum, thread_id=thread_id)
    message = await last_message(bot)

    assert begun.forum_topic_created is not None
    assert (begun.forum_topic_created.name, begun.message_id) == ("Tea", thread_id)
    assert (message.is_topic_message, message.message_thread_id) == (True, thread_id)
    assert message.reply_to_message is not None
    assert message.reply_to_message.forum_topic_created is not None  # of whoever replies to nothing
    assert message.chat.is_forum


async def test_general_is_no_thread(bot: Bot, ann: Person, forum: Place) -> None:
    await forum.promote_bot()
    await ann.says("hello all", forum)
    message = await last_message(bot)

    assert (message.is_topic_message, message.message_thread_id) == (None, None)
    with pytest.raises(BadRequest, match="Message thread not found"):
        await bot.send_message(forum.id, "hello", message_thread_id=1)
    assert (await bot.send_message(forum.id, "hello")).message_thread_id is None


async def test_the_bot_writes_in_a_topic_by_its_id_or_by_a_reply(bot: Bot, ann: Person, forum: Place) -> None:
    thread_id = await ann.opens_topic("Tea", forum)
    question = await ann.says("@banter_bot green?", forum, thread_id=thread_id)

    named = await bot.send_message(forum.id, "black", message_thread_id=thread_id)
    replied = await bot.send_message(forum.id, "green", reply_parameters=ReplyParameters(question.id))

    assert (named.message_thread_id, named.is_topic_message) == (thread_id, True)
    assert (replied.message_thread_id, replied.is_topic_message) == (thread_id, True)


async def test_a_closed_topic_takes_nothing_but_from_who_manages_topics(bot: Bot, ann: Person, forum: Place) -> None:
    thread_id = await ann.opens_topic("Tea", forum)
    await ann.closes_topic(thread_id, forum)

    with pytest.raises(BadRequest, match="Topic_closed"):
        await bot.send_message(forum.id, "black", message_thread_id=thread_id)
    await forum.promote_bot("can_manage_topics")
    assert (await bot.send_message(forum.id, "black", message_thread_id=thread_id)).text == "black"

    await forum.add_bot()
    await ann.reopens_topic(thread_id, forum)
    assert (await bot.send_message(forum.id, "green", message_thread_id=thread_id)).text == "green"


async def test_a_deleted_topic_takes_its_messages_with_it(bot: Bot, ann: Person, forum: Place) -> None:
    thread_id = await ann.opens_topic("Tea", forum)
    sent = await bot.send_message(forum.id, "black", message_thread_id=thread_id)
    await forum.delete_topic(thread_id)

    with pytest.raises(BadRequest, match="Message thread not found"):
        await bot.send_message(forum.id, "black", message_thread_id=thread_id)
    with pytest.raises(BadRequest, match="Message to edit not found"):
        await bot.edit_message_text("green", forum.id, sent.message_id)


async def test_making_topics_takes_a_right(bot: Bot, forum: Place, telegram: LocalTelegram, ann: Person) -> None:
    with pytest.raises(BadRequest, match="Not enough rights to create a topic"):
        await bot.create_forum_topic(forum.id, "Coffee")
    others = await ann.opens_topic("Tea", forum)
    with pytest.raises(BadRequest, match="Not enough rights to edit the topic"):
        await bot.edit_forum_topic(forum.id, others, "Coffee")
    plain = await telegram.group("Friends", ann)
    with pytest.raises(BadRequest, match="The chat is not a forum"):
        await bot.create_forum_topic(plain.id, "Coffee")

    await forum.promote_bot("can_manage_topics")
    topic = await bot.create_forum_topic(forum.id, "Coffee")
    own = await last_message(bot)
    await bot.edit_forum_topic(forum.id, topic.message_thread_id, "Espresso")

    await forum.add_bot()  # no administrator any more, but the topic is its own
    await bot.edit_forum_topic(forum.id, topic.message_thread_id, "Mocha")

    assert own.forum_topic_created is not None  # a bot is told even of the topics that it makes itself
    assert [known.name for known in (await forum.look()).topics] == ["Tea", "Mocha"]
    with pytest.raises(BadRequest, match="Topic_not_modified"):
        await bot.edit_forum_topic(forum.id, topic.message_thread_id, "Mocha")


async def test_private_chats_have_topics_whose_name_the_bot_may_give(bot: Bot, ann: Person) -> None:
    thread_id = await ann.opens_topic("New chat", is_name_implicit=True)
    begun = await last_message(bot)
    await ann.says("why is the sky blue?", thread_id=thread_id)
    asked = await last_message(bot)

    await bot.edit_forum_topic(ann.id, thread_id, "The blue sky")
    sent = await bot.send_message(ann.id, "Because", message_thread_id=thread_id)
    await bot.send_message_draft(ann.id, 3, "of the", message_thread_id=thread_id)
    await bot.send_chat_action(ann.id, "typing", message_thread_id=thread_id)
    seen = await ann.chat.look()

    assert begun.forum_topic_created is not None
    assert begun.forum_topic_created.to_dict()["is_name_implicit"] is True
    assert (asked.is_topic_message, asked.message_thread_id) == (True, thread_id)
    assert [(topic.name, topic.is_name_implicit) for topic in seen.topics] == [("The blue sky", False)]
    assert sent.is_topic_message
    assert seen.drafts[3][0].thread_id == seen.actions[0].thread_id == thread_id
    with pytest.raises(BadRequest, match="Message thread not found"):
        await bot.send_message(ann.id, "Because", message_thread_id=thread_id + 50)


async def test_without_threaded_mode_a_private_chat_is_no_forum(bot: Bot, ann: Person, telegram: LocalTelegram) -> None:
    await telegram.set_bot(has_topics_enabled=False)

    assert not (await bot.get_me()).has_topics_enabled
    with pytest.raises(BadRequest, match="The chat is not a forum"):
        await bot.create_forum_topic(ann.id, "Tea")


async def test_a_reply_in_a_plain_supergroup_names_a_thread_that_is_no_topic(
    bot: Bot, ann: Person, telegram: LocalTelegram
) -> None:
    group = await telegram.group("Friends", ann)
    await group.promote_bot()
    root = await ann.says("first", group)
    second = await ann.says("second", group, reply_to=root)
    await ann.says("third", group, reply_to=second)

    message = await last_message(bot)

    assert (message.message_thread_id, message.is_topic_message) == (root.id, None)
    assert (await bot.send_message(group.id, "hi", message_thread_id=root.id)).message_thread_id is None


@pytest.mark.parametrize("kind", ["group", "supergroup"])
async def test_privacy_mode_lets_through_what_is_meant_for_the_bot(
    bot: Bot, ann: Person, telegram: LocalTelegram, kind: str
) -> None:
    group = await telegram.group("Friends", ann, kind=kind)
    await ann.says("just talk", group)
    await ann.says("/help", group)
    await ann.says("/help@other_bot", group)
    await ann.says("/help@banter_bot", group)
    await ann.says("what do you say, @Banter_Bot?", group)
    await ann.says("@banter_bots are others", group)
    await bot.send_message(group.id, "I say hello")
    await ann.says("/new@other_bot", group)
    await bot.send_message(group.id, "I say hello again")
    said = (await group.look()).bots[-1]
    await ann.says("/new", group)  # for nobody by name, and the bot spoke last
    await ann.says("/new", group)
    await ann.says("why?", group, reply_to=said)

    assert (await texts(bot))[1:] == [
        "/help@banter_bot",
        "what do you say, @Banter_Bot?",
        "/new",
        "why?",
    ]


async def test_without_privacy_mode_and_for_administrators_everything_comes(
    bot: Bot, ann: Person, telegram: LocalTelegram
) -> None:
    group = await telegram.group("Friends", ann)
    await ann.says("unheard", group)
    await group.promote_bot()
    await ann.says("for the administrator", group)
    await group.add_bot()
    await telegram.set_bot(reads_all_group_messages=True)
    await ann.says("for everybody", group)

    assert (await texts(bot))[1:] == ["for the administrator", "for everybody"]
    assert (await bot.get_me()).can_read_all_group_messages


async def test_other_bots_are_never_heard(bot: Bot, telegram: LocalTelegram, ann: Person) -> None:
    other = await telegram.person("Other", "other_bot", is_bot=True)
    group = await telegram.group("Friends", ann, other)
    await group.promote_bot()
    await other.says("@banter_bot hello", group)

    assert await texts(bot) == ["/start"]


async def test_only_an_administrator_is_told_of_reactions_in_a_group(
    bot: Bot, ann: Person, telegram: LocalTelegram
) -> None:
    group = await telegram.group("Friends", ann)
    await bot.get_updates(allowed_updates=["message_reaction"])
    message = await ann.says("look", group)
    await ann.reacts(message, "👍", chat=group)
    await group.promote_bot()
    await ann.reacts(message, "🔥", chat=group)

    reactions = [update.message_reaction for update in await heard_now(bot) if update.message_reaction]

    assert [known.new_reaction[0].emoji for known in reactions] == ["🔥"]  # type: ignore[attr-defined]
    assert [known.old_reaction[0].emoji for known in reactions] == ["👍"]  # type: ignore[attr-defined]
