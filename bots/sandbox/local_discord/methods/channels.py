"""Channels and servers, typing, reactions."""

import time
from urllib.parse import unquote

from bots.sandbox.local_discord.access import bot_may, check, check_send, visible_channel
from bots.sandbox.local_discord.accounts import May
from bots.sandbox.local_discord.asking import Asked
from bots.sandbox.local_discord.channels import Channel
from bots.sandbox.local_discord.messages import Message
from bots.sandbox.local_discord.refusals import Refused, missing_access
from bots.sandbox.local_discord.telling import tell_channel, tell_gone, tell_reaction, tell_typing
from bots.sandbox.local_discord.wire import channel_json, guild_json
from bots.sandbox.local_discord.world import World


async def get_channel(asked: Asked) -> object:
    return channel_json(visible_channel(asked.world, asked.where["channel"]))


async def edit_channel(asked: Asked) -> object:
    """A thread's name, whether it is archived or locked; a channel's name and topic."""
    world, channel, given = asked.world, visible_channel(asked.world, asked.where["channel"]), asked.body
    if channel.is_private:
        raise Refused(400, 50003)
    if channel.thread is None:
        check(world, channel, May.MANAGE_CHANNELS)
    else:
        _check_thread_edit(world, channel, asked)
    if given.has("name") and given.text("name") != channel.name:
        rates = world.options.rates
        if not rates.is_unlimited:
            world.tallies.check("rename", channel.id, rates.renames, world.clock.now(), "shared")
        rename(channel, given.text("name"))
    channel.topic = given.text("topic") if given.has("topic") else channel.topic
    if channel.thread is not None:
        change_thread(world, channel, asked.body.values.get("archived"), asked.body.values.get("locked"))
        channel.thread.auto_archive = given.integer("auto_archive_duration", channel.thread.auto_archive)
    tell_channel(world, channel, "THREAD_UPDATE" if channel.thread is not None else "CHANNEL_UPDATE")
    world.change(channel)
    return channel_json(channel)


async def delete_channel(asked: Asked) -> object:
    world, channel = asked.world, visible_channel(asked.world, asked.where["channel"])
    check(world, channel, May.MANAGE_CHANNELS if channel.thread is None else May.MANAGE_THREADS)
    remove_channel(world, channel)
    return channel_json(channel)


async def typing(asked: Asked) -> object:
    world, channel = asked.world, visible_channel(asked.world, asked.where["channel"])
    check_send(world, channel)
    channel.typing.append((time.monotonic(), world.bot.id))
    world.change(channel)
    tell_typing(world, channel, world.bot.id)
    return None


async def get_guild(asked: Asked) -> object:
    world, guild = asked.world, asked.world.guild(asked.where["guild"])
    if world.bot.id not in guild.members:
        raise Refused(404, 10004)
    return guild_json(guild)


async def guild_channels(asked: Asked) -> object:
    """All of them, those too that the bot does not see into."""
    world, guild = asked.world, asked.world.guild(asked.where["guild"])
    if world.bot.id not in guild.members:
        raise missing_access()
    return [channel_json(channel) for channel in world.channels_of(guild)]


async def guild_member(asked: Asked) -> object:
    world, guild = asked.world, asked.world.guild(asked.where["guild"])
    if world.bot.id not in guild.members:
        raise missing_access()
    member = guild.members.get(asked.where["user"])
    if member is None:
        raise Refused(404, 10007)
    return member.to_json(with_user=True)


async def add_reaction(asked: Asked) -> object:
    world, channel, message = _reacted(asked)
    if not bot_may(world, channel) & May.READ_MESSAGE_HISTORY:
        raise missing_access()
    check(world, channel, May.ADD_REACTIONS)
    react(world, channel, message, world.bot.id, unquote(asked.where["emoji"]))
    return None


async def remove_reaction(asked: Asked) -> object:
    """The bot's own."""
    world, channel, message = _reacted(asked)
    unreact(world, channel, message, world.bot.id, unquote(asked.where["emoji"]))
    return None


def react(world: World, channel: Channel, message: Message, user_id: str, emoji: str) -> None:
    users = message.reactions.setdefault(emoji, [])
    if user_id not in users:
        users.append(user_id)
        world.change(channel)
        tell_reaction(world, channel, message, user_id, emoji, is_new=True)


def unreact(world: World, channel: Channel, message: Message, user_id: str, emoji: str) -> None:
    """Raises Refused."""
    users = message.reactions.get(emoji, [])
    if user_id not in users:
        raise Refused(404, 10014)
    users.remove(user_id)
    world.change(channel)
    tell_reaction(world, channel, message, user_id, emoji, is_new=False)


def rename(channel: Channel, name: str) -> None:
    channel.name = name
    channel.names.append((time.monotonic(), name))


def change_thread(world: World, channel: Channel, archived: object, locked: object) -> None:
    """Where they are given."""
    thread = channel.thread
    assert thread is not None  # noqa: S101 - the caller looked
    if isinstance(archived, bool) and archived != thread.is_archived:
        thread.is_archived, thread.archived_at = archived, world.clock.now()
    if isinstance(locked, bool):
        thread.is_locked = locked


def remove_channel(world: World, channel: Channel) -> None:
    """With the threads in it."""
    tell_gone(world, channel)
    channel.deleted_at = time.monotonic()
    for thread in list(world.channels.values()):
        if thread.parent_id == channel.id and thread.deleted_at is None:
            thread.deleted_at = channel.deleted_at
    world.change(channel)


def _reacted(asked: Asked) -> tuple[World, Channel, Message]:
    """Raises Refused."""
    channel = visible_channel(asked.world, asked.where["channel"])
    message = asked.world.message(channel, asked.where["message"])
    if channel.thread is not None and channel.thread.is_archived:
        raise Refused(400, 50083)
    return asked.world, channel, message


def _check_thread_edit(world: World, channel: Channel, asked: Asked) -> None:
    """Raises Refused."""
    thread, given = channel.thread, asked.body
    assert thread is not None  # noqa: S101 - the caller looked
    is_manager = bool(bot_may(world, channel) & May.MANAGE_THREADS)
    if is_manager:
        return
    if given.has("locked") or thread.is_locked:
        check(world, channel, May.MANAGE_THREADS)
    if thread.is_archived and set(given.values) - {"archived"} and given.values.get("archived") is not False:
        raise Refused(400, 50083)
    if set(given.values) <= {"archived"} and given.values.get("archived") is False:
        check(world, channel, May.SEND_MESSAGES_IN_THREADS)  # anybody who may write there can un-archive it
    elif thread.owner_id != world.bot.id:
        check(world, channel, May.MANAGE_THREADS)
