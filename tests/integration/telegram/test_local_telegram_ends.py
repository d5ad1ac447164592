"""Where a bot is not wanted any more, or was never asked, and chats that are others' on the local Bot API server."""

import pytest
from telegram import Bot
from telegram.error import BadRequest, ChatMigrated, Forbidden

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


async def test_a_group_that_became_a_supergroup_names_its_new_id(
    bot: Bot, ann: Person, telegram: LocalTelegram
) -> None:
    group = await telegram.group("Friends", ann, kind="group")
    sent = await bot.send_message(group.id, "before")
    new = await group.upgrade()
    moves = [update.message for update in await heard_now(bot) if update.message][-2:]

    with pytest.raises(ChatMigrated) as moved:
        await bot.send_message(group.id, "after")
    await bot.edit_message_text("before, changed", group.id, sent.message_id)  # what was said there can be changed

    assert moved.value.new_chat_id == new.id
    assert [(known.chat.id, known.migrate_to_chat_id, known.migrate_from_chat_id) for known in moves if known] == [
        (group.id, new.id, None),
        (new.id, None, group.id),
    ]
    assert (await bot.send_message(new.id, "after")).message_id == 2  # ids begin anew


@pytest.mark.parametrize("kind", ["group", "supergroup", "channel"])
async def test_a_bot_that_was_kicked_or_left_is_told_and_writes_no_more(
    bot: Bot, ann: Person, telegram: LocalTelegram, kind: str
) -> None:
    group = await telegram.group("Friends", ann, kind=kind)
    await group.kick_bot()
    with pytest.raises(Forbidden, match=f"bot was kicked from the {kind} chat"):
        await bot.send_message(group.id, "hello")
    await ann.says("@banter_bot still there?", group)
    await group.bot_leaves()
    with pytest.raises(Forbidden, match=f"bot is not a member of the {kind} chat"):
        await bot.send_chat_action(group.id, "typing")
    changes = [update.my_chat_member for update in await heard_now(bot) if update.my_chat_member]

    standings = [(known.old_chat_member.status, known.new_chat_member.status) for known in changes if known]
    assert standings == [("left", "member"), ("member", "kicked"), ("kicked", "left")]
    assert await texts(bot) == ["/start"]


async def test_a_group_that_was_deleted_takes_nothing(bot: Bot, ann: Person, telegram: LocalTelegram) -> None:
    group = await telegram.group("Friends", ann, kind="group")
    await group.delete()

    with pytest.raises(Forbidden, match="the group chat was deleted"):
        await bot.send_message(group.id, "hello")


async def test_a_group_where_members_may_not_write_takes_nothing_from_a_member(
    bot: Bot, ann: Person, telegram: LocalTelegram
) -> None:
    group = await telegram.group("Friends", ann)
    await group.permit(members_may_write=False)

    with pytest.raises(BadRequest, match="Not enough rights to send text messages to the chat"):
        await bot.send_message(group.id, "hello")
    await group.promote_bot()
    assert (await bot.send_message(group.id, "hello")).text == "hello"


async def test_who_blocked_the_bot_gets_nothing(bot: Bot, ann: Person) -> None:
    sent = await bot.send_message(ann.id, "hello")
    await ann.blocks()
    change = (await heard_now(bot))[-1].my_chat_member

    for call in (
        bot.send_message(ann.id, "hello?"),
        bot.edit_message_text("hello?", ann.id, sent.message_id),
        bot.send_chat_action(ann.id, "typing"),
    ):
        with pytest.raises(Forbidden, match="bot was blocked by the user"):
            await call
    assert change is not None
    assert change.new_chat_member.status == "kicked"

    await ann.unblocks()
    assert (await bot.send_message(ann.id, "welcome back")).text == "welcome back"


async def test_a_bot_does_not_speak_first(bot: Bot, telegram: LocalTelegram) -> None:
    ben = await telegram.person("Ben")

    with pytest.raises(Forbidden, match="bot can't initiate conversation with a user"):
        await bot.send_message(ben.id, "hello")
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.send_message(424242, "hello")
    with pytest.raises(BadRequest, match="Chat_id is empty"):
        await bot.send_message("", "hello")


async def test_others_messages_are_deleted_by_who_may(bot: Bot, ann: Person, telegram: LocalTelegram) -> None:
    group = await telegram.group("Friends", ann)
    said = await ann.says("oops", group)

    with pytest.raises(BadRequest, match="Message can't be deleted"):
        await bot.delete_message(group.id, said.id)
    await group.promote_bot("can_delete_messages")
    assert await bot.delete_message(group.id, said.id)
    assert await bot.delete_message(ann.id, 1)  # in private, anything


async def test_a_business_chat_is_another_one_than_the_bots_own_with_the_same_id(
    bot: Bot, ann: Person, telegram: LocalTelegram
) -> None:
    owner = await telegram.person("Olga")
    shop = await telegram.business(owner, ann)
    message = await ann.says("do you sell tea?", shop)
    await ann.edits(message, "do you sell green tea?", shop)
    await shop.delete_message(message)
    sent = await bot.send_message(ann.id, "yes", business_connection_id=shop.business)
    kinds = [next(kind for kind in update.to_dict() if kind != "update_id") for update in (await heard_now(bot))[1:]]

    assert kinds == [
        "business_connection",
        "business_message",
        "edited_business_message",
        "deleted_business_messages",
    ]
    assert sent.business_connection_id == shop.business
    assert [message.text for message in (await shop.look()).bots] == ["yes"]
    assert (await ann.chat.look()).bots == []
    with pytest.raises(BadRequest, match="Business connection not found"):
        await bot.send_message(ann.id, "yes", business_connection_id="other")


async def test_a_channels_direct_messages_are_answered_by_topic(bot: Bot, ann: Person, telegram: LocalTelegram) -> None:
    inbox = await telegram.group("News", ann, is_direct=True)
    await ann.says("a question", inbox)
    asked = await last_message(bot)
    sent = await bot.send_message(inbox.id, "an answer", direct_messages_topic_id=ann.id)

    assert asked.direct_messages_topic is not None
    assert asked.direct_messages_topic.topic_id == ann.id
    assert sent.direct_messages_topic is not None
    with pytest.raises(BadRequest, match="Channel direct messages topic must be specified"):
        await bot.send_message(inbox.id, "an answer")


async def test_a_channels_posts_are_no_messages(bot: Bot, ann: Person, telegram: LocalTelegram) -> None:
    channel = await telegram.group("News", ann, kind="channel")
    post = await ann.says("today", channel)
    await ann.edits(post, "yesterday", channel)

    *_, posted, edited = await heard_now(bot)

    assert posted.channel_post is not None
    assert posted.channel_post.sender_chat is not None
    assert (posted.channel_post.text, posted.channel_post.sender_chat.id) == ("today", channel.id)
    assert edited.edited_channel_post is not None
