"""Threads: from a message, without one, and as posts of a forum."""

import time
from dataclasses import replace

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_discord import messages as kinds
from bots.sandbox.local_discord.access import check, sees, visible_channel
from bots.sandbox.local_discord.accounts import May
from bots.sandbox.local_discord.asking import Asked
from bots.sandbox.local_discord.bodies import Body
from bots.sandbox.local_discord.channels import FORUMS, WITH_THREADS, Channel, Kind, Thread
from bots.sandbox.local_discord.messages import Message, Version
from bots.sandbox.local_discord.methods.messages import post, reference_json, told
from bots.sandbox.local_discord.refusals import Refused, invalid, missing_access
from bots.sandbox.local_discord.telling import tell_channel, tell_edit, tell_message, thread_member
from bots.sandbox.local_discord.wire import channel_json
from bots.sandbox.local_discord.world import World

_NAME_CHARS = 100
_DURATIONS = {60, 1440, 4320, 10080}


async def thread_from_message(asked: Asked) -> object:
    """It has the message's id, so there is one at most."""
    world, channel = asked.world, visible_channel(asked.world, asked.where["channel"])
    message = world.message(channel, asked.where["message"])
    check(world, channel, May.CREATE_PUBLIC_THREADS | May.READ_MESSAGE_HISTORY)
    _check_form(asked.body)
    thread = begin_from(world, channel, message, world.bot.id, asked.body.text("name"))
    _set_duration(thread, asked.body)
    return _told(world, thread)


async def start_thread(asked: Asked) -> object:
    """Without a message; in a forum, with the first one."""
    world, channel, given = asked.world, visible_channel(asked.world, asked.where["channel"]), asked.body
    _check_form(given)
    if channel.kind in FORUMS:
        check(world, channel, May.SEND_MESSAGES)
        thread = begin_post(world, channel, world.bot.id, given.text("name"), given.texts("applied_tags"))
        message = post(world, thread, replace(given, values=given.mapping("message")), message_id=thread.id)
        return _told(world, thread) | {"message": told(world, thread, message)}
    kind = Kind(given.integer("type", Kind.PRIVATE_THREAD))
    needed = May.CREATE_PRIVATE_THREADS if kind is Kind.PRIVATE_THREAD else May.CREATE_PUBLIC_THREADS
    check(world, channel, needed)
    _check_parent(channel)
    thread = _open(world, channel, world.ids.next(), kind, world.bot.id, given.text("name"))
    tell_channel(world, thread, "THREAD_CREATE", {"newly_created": True})
    return _told(world, thread)


async def join_thread(asked: Asked) -> object:
    world, channel = asked.world, asked.world.channel(asked.where["channel"])
    thread = _thread_of(channel)
    if channel.kind is Kind.PRIVATE_THREAD and world.bot.id not in thread.member_ids:
        raise missing_access()
    if world.bot.id not in thread.member_ids:
        thread.member_ids.append(world.bot.id)
    return None


async def leave_thread(asked: Asked) -> object:
    thread = _thread_of(visible_channel(asked.world, asked.where["channel"]))
    if asked.world.bot.id in thread.member_ids:
        thread.member_ids.remove(asked.world.bot.id)
    return None


async def active_threads(asked: Asked) -> object:
    """Of a server, as far as the bot sees them."""
    world, guild = asked.world, asked.world.guild(asked.where["guild"])
    if world.bot.id not in guild.members:
        raise missing_access()
    threads = [one for one in world.threads_of(guild) if sees(world, one)]
    threads.sort(key=lambda one: int(one.id), reverse=True)
    return _listed(world, threads)


async def archived_threads(asked: Asked) -> object:
    """The public ones of a channel, the newest first."""
    world, channel = asked.world, visible_channel(asked.world, asked.where["channel"])
    check(world, channel, May.READ_MESSAGE_HISTORY)
    guild = world.guild(channel.guild_id)
    threads = [one for one in world.threads_of(guild, is_archived=True) if one.parent_id == channel.id]
    threads = [one for one in threads if one.kind is not Kind.PRIVATE_THREAD]
    threads.sort(key=lambda one: one.thread.archived_at if one.thread else 0.0, reverse=True)
    limit = asked.body.integer("limit", 50)
    return _listed(world, threads[:limit]) | {"has_more": len(threads) > limit}


def begin_from(world: World, channel: Channel, message: Message, owner_id: str, name: str) -> Channel:
    """Raises Refused."""
    _check_parent(channel)
    if message.id in world.channels:
        raise Refused(400, 160004)
    kind = Kind.ANNOUNCEMENT_THREAD if channel.kind is Kind.ANNOUNCEMENT else Kind.PUBLIC_THREAD
    thread = _open(world, channel, message.id, kind, owner_id, name)
    tell_channel(world, thread, "THREAD_CREATE", {"newly_created": True})
    starter = Message(world.ids.next(), message.author_id, [Version(time.monotonic(), "")], kinds.THREAD_STARTER)
    starter.reference = reference_json(channel, message.id)
    world.write(thread, starter)
    tell_message(world, thread, starter)
    now = message.now
    message.versions[-1] = replace(now, flags=now.flags | kinds.HAS_THREAD)
    tell_edit(world, channel, message)
    return thread


def begin_alone(world: World, channel: Channel, owner_id: str, name: str, *, is_private: bool = False) -> Channel:
    """Without a message. Raises Refused."""
    _check_parent(channel)
    kind = Kind.PRIVATE_THREAD if is_private else Kind.PUBLIC_THREAD
    thread = _open(world, channel, world.ids.next(), kind, owner_id, name)
    tell_channel(world, thread, "THREAD_CREATE", {"newly_created": True})
    return thread


def begin_post(world: World, forum: Channel, owner_id: str, title: str, tag_ids: list[str]) -> Channel:
    """Of a forum; its first message is yet to come, and has its id. Raises Refused."""
    if forum.kind not in FORUMS:
        raise Refused(400, 50024)
    thread = _open(world, forum, world.ids.next(), Kind.PUBLIC_THREAD, owner_id, title)
    assert thread.thread is not None  # noqa: S101 - it was made so
    thread.thread.tag_ids = tag_ids
    tell_channel(world, thread, "THREAD_CREATE", {"newly_created": True})
    return thread


def _open(world: World, parent: Channel, thread_id: str, kind: Kind, owner_id: str, name: str) -> Channel:
    guild = world.guild(parent.guild_id)
    if len(world.threads_of(guild)) >= world.options.limits.active_threads:
        raise Refused(400, 160006)
    thread = Thread(owner_id, world.clock.now(), member_ids=[owner_id])
    return world.open_channel(Channel(thread_id, kind, name, guild.id, parent.id, thread=thread))


def _check_form(given: Body) -> None:
    if not 1 <= len(given.text("name")) <= _NAME_CHARS:
        raise invalid("name", "BASE_TYPE_BAD_LENGTH", f"Must be between 1 and {_NAME_CHARS} in length.")
    if given.has("auto_archive_duration") and given.integer("auto_archive_duration") not in _DURATIONS:
        raise invalid("auto_archive_duration", "BASE_TYPE_CHOICES", "Value must be one of {60, 1440, 4320, 10080}.")


def _check_parent(channel: Channel) -> None:
    if channel.kind not in WITH_THREADS:
        raise Refused(400, 50024)


def _set_duration(channel: Channel, given: Body) -> None:
    thread = _thread_of(channel)
    thread.auto_archive = given.integer("auto_archive_duration", thread.auto_archive)


def _thread_of(channel: Channel) -> Thread:
    if channel.thread is None:
        raise Refused(400, 50024)
    return channel.thread


def _listed(world: World, threads: list[Channel]) -> JsonObject:
    mine = [one for one in threads if one.thread is not None and world.bot.id in one.thread.member_ids]
    members = [thread_member(world, one, world.bot.id) for one in mine]
    return {"threads": [channel_json(one) for one in threads], "members": members}


def _told(world: World, thread: Channel) -> JsonObject:
    return channel_json(thread) | {"member": thread_member(world, thread, world.bot.id)}
