"""Messages: new ones, what they say, lists of them, and their end."""

import time
from itertools import islice

from bots.sandbox.json_values import JsonObject, object_in
from bots.sandbox.local_discord import messages as kinds
from bots.sandbox.local_discord.access import bot_may, check, check_send, visible_channel
from bots.sandbox.local_discord.accounts import May
from bots.sandbox.local_discord.asking import Asked
from bots.sandbox.local_discord.bodies import Body
from bots.sandbox.local_discord.channels import Channel
from bots.sandbox.local_discord.contents import changed_version, new_version
from bots.sandbox.local_discord.mentions import pings_in
from bots.sandbox.local_discord.messages import Message
from bots.sandbox.local_discord.refusals import Refused, invalid
from bots.sandbox.local_discord.telling import nonce_json, tell_channel, tell_deletion, tell_edit, tell_message
from bots.sandbox.local_discord.wire import message_json
from bots.sandbox.local_discord.world import World

_MOST_LISTED = 100
_SYSTEM = {kinds.THREAD_CREATED, kinds.THREAD_STARTER}


async def create_message(asked: Asked) -> object:
    world, channel = asked.world, visible_channel(asked.world, asked.where["channel"])
    check_send(world, channel)
    message = post(world, channel, asked.body)
    return told(world, channel, message) | nonce_json(message)


async def edit_message(asked: Asked) -> object:
    world, channel, message = _named(asked)
    if message.author_id != world.bot.id:
        raise Refused(403, 50005)
    if channel.thread is not None and channel.thread.is_archived:
        raise Refused(400, 50083)
    rewrite(world, channel, message, asked.body)
    return told(world, channel, message)


async def delete_message(asked: Asked) -> object:
    world, channel, message = _named(asked)
    if message.author_id != world.bot.id:
        check(world, channel, May.MANAGE_MESSAGES)
    remove(world, channel, [message])
    return None


async def bulk_delete(asked: Asked) -> object:
    world, channel = asked.world, visible_channel(asked.world, asked.where["channel"])
    check(world, channel, May.MANAGE_MESSAGES)
    wanted = set(asked.body.texts("messages"))
    remove(world, channel, [one for one in channel.visible if one.id in wanted], is_bulk=True)
    return None


async def get_message(asked: Asked) -> object:
    world, channel, message = _named(asked)
    check(world, channel, May.READ_MESSAGE_HISTORY)
    return told(world, channel, message) | _nonce_of_get(world, message)


async def get_messages(asked: Asked) -> object:
    """Newest first, whatever was asked for."""
    world, channel = asked.world, visible_channel(asked.world, asked.where["channel"])
    limit = asked.body.integer("limit", 50)
    if not 1 <= limit <= _MOST_LISTED:
        raise invalid("limit", "NUMBER_TYPE_MAX", f"int value should be between 1 and {_MOST_LISTED}.")
    if not bot_may(world, channel) & May.READ_MESSAGE_HISTORY:
        return []
    listed = list(reversed(_listed(channel, asked.body, limit)))
    return [told(world, channel, one) | _nonce_of_get(world, one) for one in listed]


def post(world: World, channel: Channel, given: Body, *, message_id: str = "") -> Message:
    """As the bot; `message_id` where it is known before. Raises Refused."""
    nonce = _nonce(world, given)
    if nonce and given.flag("enforce_nonce") and (known := _known(world, nonce)) is not None:
        known.repeats += 1
        return known
    message = Message(message_id or world.ids.next(), world.bot.id, [new_version(world, given)], nonce=nonce)
    message.is_nonce_number = isinstance(given.values.get("nonce"), int)
    replied = _set_reference(world, channel, message, given)
    allowed = object_in(given.values["allowed_mentions"]) if given.mapping("allowed_mentions") else None
    message.pings = pings_in(world, channel, message.now.content, allowed, replied)
    unarchive(world, channel)
    world.write(channel, message)
    if nonce:
        world.keep_nonce(nonce, channel, message)
    tell_message(world, channel, message)
    return message


def rewrite(world: World, channel: Channel, message: Message, given: Body) -> None:
    """Raises Refused."""
    version = changed_version(world, given, message.now)
    if given.has("content") or given.mapping("allowed_mentions"):
        allowed = given.mapping("allowed_mentions") or None
        message.pings = pings_in(world, channel, version.content, allowed, message.pings.replied)
    message.edited = world.clock.now()
    world.rewrite(channel, message, version)
    tell_edit(world, channel, message)


def remove(world: World, channel: Channel, messages: list[Message], *, is_bulk: bool = False) -> None:
    for message in messages:
        message.deleted_at = time.monotonic()
    world.change(channel)
    tell_deletion(world, channel, [message.id for message in messages], is_bulk=is_bulk)


def unarchive(world: World, channel: Channel) -> None:
    """As whoever writes there does."""
    if channel.thread is not None and channel.thread.is_archived:
        channel.thread.is_archived, channel.thread.archived_at = False, world.clock.now()
        tell_channel(world, channel, "THREAD_UPDATE")


def told(world: World, channel: Channel, message: Message) -> JsonObject:
    return message_json(world, channel, message, sees_content=world.has_message_content)


def _named(asked: Asked) -> tuple[World, Channel, Message]:
    """Raises Refused."""
    channel = visible_channel(asked.world, asked.where["channel"])
    return asked.world, channel, asked.world.message(channel, asked.where["message"])


def _nonce(world: World, given: Body) -> str:
    nonce = given.text("nonce")
    if len(nonce) > world.options.limits.nonce_chars:
        raise invalid("nonce", "NONCE_TYPE_TOO_LONG", "Nonces must be 25 or fewer in length.")
    return nonce


def _known(world: World, nonce: str) -> Message | None:
    """What was sent with it lately."""
    channel_id, message_id, ends = world.nonces.get((world.bot.id, nonce), ("", "", 0.0))
    if world.clock.now() >= ends:
        return None
    return world.channels[channel_id].messages[message_id]


def _nonce_of_get(world: World, message: Message) -> JsonObject:
    return nonce_json(message) if world.options.gets_tell_nonce else {}


def _set_reference(world: World, channel: Channel, message: Message, given: Body) -> str:
    """Gives who is replied to; "" for nobody. Raises Refused."""
    reference = given.mapping("message_reference")
    if not reference:
        return ""
    to = channel.messages.get(str(reference.get("message_id")))
    if str(reference.get("channel_id") or channel.id) != channel.id:
        told_so = "Cannot reply to a message in a different channel."
        raise invalid("message_reference", "REPLIES_CANNOT_REFERENCE_OTHER_CHANNEL", told_so)
    if to is None or to.deleted_at is not None or to.only_for:
        if reference.get("fail_if_not_exists", True):
            raise invalid("message_reference", "REPLIES_UNKNOWN_MESSAGE", "Unknown message")
        return ""
    if to.kind in _SYSTEM:
        told_so = "Cannot reply to a system message"
        raise invalid("message_reference", "REPLIES_CANNOT_REFERENCE_SYSTEM_MESSAGE", told_so)
    if not bot_may(world, channel) & May.READ_MESSAGE_HISTORY:
        raise Refused(400, 160002)
    message.kind = kinds.REPLY
    message.reference = reference_json(channel, to.id)
    return to.author_id


def reference_json(channel: Channel, message_id: str) -> JsonObject:
    told: JsonObject = {"type": 0, "channel_id": channel.id, "message_id": message_id}
    return told | ({"guild_id": channel.guild_id} if channel.guild_id else {})


def _listed(channel: Channel, given: Body, limit: int) -> list[Message]:
    """Oldest first."""
    there, query = channel.visible, given.query
    if "after" in query:
        return list(islice((one for one in there if int(one.id) > int(query["after"])), limit))
    if "around" in query:
        middle = int(query["around"])
        earlier = [one for one in there if int(one.id) < middle][-(limit // 2) :]
        return [*earlier, *islice((one for one in there if int(one.id) >= middle), limit - len(earlier))]
    if "before" in query:
        there = [one for one in there if int(one.id) < int(query["before"])]
    return there[-limit:]
