"""Chats, their members and their topics."""

import time

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_telegram.access import may, readable_chat, writable_chat
from bots.sandbox.local_telegram.chats import Chat, Kind, Standing, Topic
from bots.sandbox.local_telegram.parameters import Parameters
from bots.sandbox.local_telegram.refusals import bad_request
from bots.sandbox.local_telegram.world import World, topic_in

_LONGEST_NAME = 128
_COLOURS = {7322096, 16766590, 13338331, 9367192, 16749490, 16478047}
_RIGHTS = (
    "can_manage_chat",
    "can_change_info",
    "can_delete_messages",
    "can_invite_users",
    "can_restrict_members",
    "can_pin_messages",
    "can_promote_members",
    "can_manage_video_chats",
    "can_post_stories",
    "can_edit_stories",
    "can_delete_stories",
    "can_manage_topics",
)


async def get_chat(world: World, parameters: Parameters) -> object:
    chat = readable_chat(world, parameters)
    gifts = dict.fromkeys(
        ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels"), False
    )
    return chat.to_json() | {"accent_color_id": 0, "max_reaction_count": 11, "accepted_gift_types": gifts}


async def get_chat_member(world: World, parameters: Parameters) -> object:
    chat = readable_chat(world, parameters)
    user_id = parameters.integer("user_id")
    if user_id == world.account.user.id:
        return bot_member(world, chat)
    if user_id not in chat.members:
        raise bad_request("user not found" if user_id not in world.people else "member not found")
    return {"user": chat.members[user_id].to_json(), "status": "member"}


async def get_chat_member_count(world: World, parameters: Parameters) -> object:
    chat = readable_chat(world, parameters)
    return len(chat.members) + (chat.standing in {Standing.MEMBER, Standing.ADMINISTRATOR})


async def create_forum_topic(world: World, parameters: Parameters) -> object:
    name = _name(parameters.text("name"))
    colour = parameters.integer("icon_color", 0x6FB9F0)
    chat = _topics_chat(world, parameters)
    if not chat.is_private and not may(chat, "can_manage_topics"):
        raise bad_request("not enough rights to create a topic")
    if not name:
        raise bad_request("name must be non-empty")
    if colour not in _COLOURS:
        raise bad_request("invalid icon color specified")
    topic = open_topic(world, chat, world.account.user.id, name)
    topic.icon_color = colour
    return topic.to_json()


async def edit_forum_topic(world: World, parameters: Parameters) -> object:
    chat = _topics_chat(world, parameters)
    topic = topic_in(chat, parameters.integer("message_thread_id"))
    _check_rights(world, chat, topic, "edit the topic")
    name = _name(parameters.text("name"))
    if name == topic.name:
        raise bad_request("TOPIC_NOT_MODIFIED")
    if name:
        topic.name, topic.is_name_implicit = name, False
        edited: JsonObject = {"forum_topic_edited": {"name": name}}
        world.note(chat, world.account.user, edited, topic.id)
    return True


async def close_forum_topic(world: World, parameters: Parameters) -> object:
    return _toggled(world, parameters, is_closed=True)


async def reopen_forum_topic(world: World, parameters: Parameters) -> object:
    return _toggled(world, parameters, is_closed=False)


async def delete_forum_topic(world: World, parameters: Parameters) -> object:
    chat = _topics_chat(world, parameters)
    topic = topic_in(chat, parameters.integer("message_thread_id"))
    if not chat.is_private and not may(chat, "can_delete_messages"):
        raise bad_request("not enough rights to delete the topic")
    remove_topic(world, chat, topic)
    return True


def open_topic(world: World, chat: Chat, user_id: int, name: str, *, is_name_implicit: bool = False) -> Topic:
    """Its id is the id of the service message that tells of it; the bot is told even of its own."""
    creator = world.account.user if user_id == world.account.user.id else world.people[user_id]
    topic_id = chat.newest_id + 1
    topic = chat.topics[topic_id] = Topic(topic_id, name, user_id, is_name_implicit=is_name_implicit)
    told = topic.to_json()
    del told["message_thread_id"]
    world.note(chat, creator, {"forum_topic_created": told}, topic_id)
    return topic


def toggle_topic(world: World, chat: Chat, topic: Topic, user_id: int, *, is_closed: bool) -> None:
    person = world.account.user if user_id == world.account.user.id else world.people[user_id]
    topic.is_closed = is_closed
    what: JsonObject = {"forum_topic_closed" if is_closed else "forum_topic_reopened": {}}
    world.note(chat, person, what, topic.id)


def remove_topic(world: World, chat: Chat, topic: Topic) -> None:
    """Its messages go with it, and nobody is told."""
    topic.is_deleted = True
    for message in chat.messages.values():
        if message.position.is_topic_message and message.position.thread_id == topic.id and message.deleted_at is None:
            message.deleted_at = time.monotonic()
    world.change(chat)


def bot_member(world: World, chat: Chat) -> JsonObject:
    """The bot's ChatMember."""
    member: JsonObject = {"user": world.account.user.to_json(), "status": chat.standing.value}
    if chat.standing is Standing.KICKED:
        return member | {"until_date": 0}
    if chat.standing is Standing.ADMINISTRATOR:
        rights = {right: right in chat.rights for right in _RIGHTS}
        return member | {"can_be_edited": False, "is_anonymous": False} | rights
    return member


def _toggled(world: World, parameters: Parameters, *, is_closed: bool) -> bool:
    chat = _topics_chat(world, parameters)
    topic = topic_in(chat, parameters.integer("message_thread_id"))
    _check_rights(world, chat, topic, "close or open the topic")
    if topic.is_closed == is_closed:
        raise bad_request("TOPIC_NOT_MODIFIED")
    toggle_topic(world, chat, topic, world.account.user.id, is_closed=is_closed)
    return True


def _topics_chat(world: World, parameters: Parameters) -> Chat:
    chat = writable_chat(world, parameters)
    if chat.is_private:
        if not world.account.options.has_topics_enabled:
            raise bad_request("the chat is not a forum")
    elif chat.kind is not Kind.SUPERGROUP or not chat.is_forum:
        raise bad_request("the chat is not a forum")
    return chat


def _check_rights(world: World, chat: Chat, topic: Topic, deed: str) -> None:
    is_creator = topic.creator_id == world.account.user.id
    if not chat.is_private and not is_creator and not may(chat, "can_manage_topics"):
        raise bad_request(f"not enough rights to {deed}")


def _name(name: str) -> str:
    return name.strip()[:_LONGEST_NAME]
