"""What people do: they write, change, delete, react, begin threads."""

import time
from dataclasses import dataclass, replace

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_discord import messages as kinds
from bots.sandbox.local_discord.accounts import User
from bots.sandbox.local_discord.channels import Channel
from bots.sandbox.local_discord.mentions import pings_in
from bots.sandbox.local_discord.messages import Attachment, Message, Version
from bots.sandbox.local_discord.methods.messages import reference_json, unarchive
from bots.sandbox.local_discord.methods.threads import begin_alone, begin_from, begin_post
from bots.sandbox.local_discord.refusals import Refused
from bots.sandbox.local_discord.telling import tell_edit, tell_message
from bots.sandbox.local_discord.world import World


@dataclass(frozen=True, slots=True)
class Saying:
    """Of a person, in a channel."""

    text: str
    reply_to: str = ""
    #: Whether the one replied to is told.
    pings: bool = True
    attachments: tuple[Attachment, ...] = ()
    is_webhook: bool = False


def say(world: World, person: User, channel: Channel, said: Saying, message_id: str = "") -> Message:
    """Raises Refused."""
    if channel.thread is not None and channel.thread.is_locked:
        raise Refused(403, 160005)
    if not said.text.strip() and not said.attachments:
        raise Refused(400, 50006)
    version = Version(time.monotonic(), said.text.strip(), attachments=said.attachments)
    message = Message(message_id or world.ids.next(), person.id, [version])
    message.nonce = world.ids.next()  # as people's clients send one
    message.webhook_id = world.ids.next() if said.is_webhook else ""
    replied = _reply(world, channel, message, said)
    message.pings = pings_in(world, channel, version.content, None, replied)
    if channel.thread is not None and person.id not in channel.thread.member_ids:
        channel.thread.member_ids.append(person.id)
    unarchive(world, channel)
    world.write(channel, message)
    tell_message(world, channel, message)
    return message


def edit(world: World, channel: Channel, message_id: str, text: str) -> Message:
    """Raises Refused."""
    message = world.message(channel, message_id)
    message.edited = world.clock.now()
    message.pings = pings_in(world, channel, text, None, message.pings.replied)
    world.rewrite(channel, message, replace(message.now, at=time.monotonic(), content=text.strip()))
    tell_edit(world, channel, message)
    return message


def unfurl(world: World, channel: Channel, message_id: str) -> Message:
    """An update in which nothing of the text changes: a link's preview came. Raises Refused."""
    message = world.message(channel, message_id)
    embed: JsonObject = {"type": "link", "url": "https://example.com/", "title": "A preview"}
    world.rewrite(channel, message, replace(message.now, at=time.monotonic(), embeds=(embed,)))
    tell_edit(world, channel, message)
    return message


def begin_thread(world: World, person: User, channel: Channel, name: str, message_id: str, *, private: bool) -> Channel:
    """From a message, or without one. Raises Refused."""
    if message_id:
        return begin_from(world, channel, world.message(channel, message_id), person.id, name)
    return begin_alone(world, channel, person.id, name, is_private=private)


def begin_forum_post(
    world: World, person: User, forum: Channel, title: str, tags: list[str], said: Saying
) -> tuple[Channel, Message]:
    """Raises Refused."""
    by_name = {name: tag_id for tag_id, name in forum.tags.items()}
    thread = begin_post(world, forum, person.id, title, [by_name[tag] for tag in tags])
    return thread, say(world, person, thread, said, thread.id)


def _reply(world: World, channel: Channel, message: Message, said: Saying) -> str:
    """Who is told of it; "" for nobody. Raises Refused."""
    if not said.reply_to:
        return ""
    to = world.message(channel, said.reply_to)
    message.kind, message.reference = kinds.REPLY, reference_json(channel, to.id)
    return to.author_id if said.pings else ""
