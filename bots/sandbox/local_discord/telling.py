"""What the app is told of what happens; events of a channel that it does not see are not."""

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_discord import intents
from bots.sandbox.local_discord.access import sees
from bots.sandbox.local_discord.accounts import Guild
from bots.sandbox.local_discord.channels import Channel
from bots.sandbox.local_discord.messages import Message
from bots.sandbox.local_discord.snowflakes import as_time
from bots.sandbox.local_discord.wire import channel_json, gateway_message, guild_json
from bots.sandbox.local_discord.world import Event, World


def tell_message(world: World, channel: Channel, message: Message) -> None:
    """A new one: with its nonce."""
    if not _is_told(world, channel, message):
        return
    more = nonce_json(message)
    data = gateway_message(world, channel, message, sees_content=True) | more
    blank = gateway_message(world, channel, message, sees_content=False) | more
    world.tell(Event("MESSAGE_CREATE", data, _messages(channel), channel.guild_id, blank, channel.id))


def tell_edit(world: World, channel: Channel, message: Message) -> None:
    """All of it, as it is now."""
    if not _is_told(world, channel, message):
        return
    data = gateway_message(world, channel, message, sees_content=True)
    blank = gateway_message(world, channel, message, sees_content=False)
    world.tell(Event("MESSAGE_UPDATE", data, _messages(channel), channel.guild_id, blank, channel.id))


def tell_deletion(world: World, channel: Channel, message_ids: list[str], *, is_bulk: bool = False) -> None:
    if not sees(world, channel):
        return
    where: JsonObject = {"channel_id": channel.id} | _guild_of(channel)
    if is_bulk:
        event = Event("MESSAGE_DELETE_BULK", {"ids": message_ids} | where, _messages(channel), channel.guild_id)
        world.tell(event)
        return
    for message_id in message_ids:
        world.tell(Event("MESSAGE_DELETE", {"id": message_id} | where, _messages(channel), channel.guild_id))


def tell_reaction(world: World, channel: Channel, message: Message, user_id: str, emoji: str, *, is_new: bool) -> None:
    if not _is_told(world, channel, message):
        return
    data: JsonObject = {"user_id": user_id, "channel_id": channel.id, "message_id": message.id} | _guild_of(channel)
    data |= {"emoji": {"id": None, "name": emoji}, "burst": False, "type": 0}
    guild = world.guild_of(channel)
    if is_new:
        data["message_author_id"] = message.author_id
        if guild is not None and user_id in guild.members:
            data["member"] = guild.members[user_id].to_json(with_user=True)
    needed = intents.GUILD_REACTIONS if channel.guild_id else intents.DIRECT_REACTIONS
    name = "MESSAGE_REACTION_ADD" if is_new else "MESSAGE_REACTION_REMOVE"
    world.tell(Event(name, data, needed, channel.guild_id, None, channel.id))


def tell_typing(world: World, channel: Channel, user_id: str) -> None:
    if not sees(world, channel):
        return
    data: JsonObject = {"channel_id": channel.id, "user_id": user_id, "timestamp": int(world.clock.now())}
    needed = intents.GUILD_TYPING if channel.guild_id else intents.DIRECT_TYPING
    world.tell(Event("TYPING_START", data | _guild_of(channel), needed, channel.guild_id, None, channel.id))


def tell_channel(world: World, channel: Channel, name: str, more: JsonObject | None = None) -> None:
    """CHANNEL_CREATE, THREAD_UPDATE …"""
    if channel.guild_id and not sees(world, channel):
        return
    data = channel_json(channel) | (more or {})
    world.tell(Event(name, data, intents.GUILDS, channel.guild_id, None, channel.id))


def tell_gone(world: World, channel: Channel) -> None:
    """It is deleted."""
    if not sees(world, channel):
        return
    data = channel_json(channel)
    if channel.thread is not None:
        data = {name: data[name] for name in ("id", "guild_id", "parent_id", "type")}
    name = "THREAD_DELETE" if channel.thread is not None else "CHANNEL_DELETE"
    world.tell(Event(name, data, intents.GUILDS, channel.guild_id, None, channel.id))


def tell_guild(world: World, guild: Guild, name: str = "GUILD_CREATE") -> None:
    if name == "GUILD_CREATE":
        data = whole_guild(world, guild)
    elif name == "GUILD_DELETE":
        data = {"id": guild.id} | ({"unavailable": True} if guild.is_unavailable else {})
    else:
        data = guild_json(guild)
    world.tell(Event(name, data, intents.GUILDS, guild.id))


def whole_guild(world: World, guild: Guild) -> JsonObject:
    """As GUILD_CREATE carries it: with the channels and active threads that the bot sees."""
    bot = guild.members[world.bot.id]
    channels = [channel_json(one) for one in world.channels_of(guild)]
    threads = [channel_json(one) for one in world.threads_of(guild) if sees(world, one)]
    return guild_json(guild) | {
        "joined_at": bot.joined_at,
        "large": False,
        "unavailable": False,
        "member_count": len(guild.members),
        "voice_states": [],
        "members": [bot.to_json(with_user=True)],
        "channels": channels,
        "threads": threads,
        "presences": [],
        "stage_instances": [],
        "guild_scheduled_events": [],
        "soundboard_sounds": [],
    }


def thread_member(world: World, channel: Channel, user_id: str) -> JsonObject:
    told: JsonObject = {"id": channel.id, "user_id": user_id, "join_timestamp": as_time(world.clock.now()), "flags": 0}
    return told


def nonce_json(message: Message) -> JsonObject:
    if not message.nonce:
        return {}
    return {"nonce": int(message.nonce) if message.is_nonce_number else message.nonce}


def _is_told(world: World, channel: Channel, message: Message) -> bool:
    return not message.only_for and sees(world, channel)


def _messages(channel: Channel) -> int:
    return intents.GUILD_MESSAGES if channel.guild_id else intents.DIRECT_MESSAGES


def _guild_of(channel: Channel) -> JsonObject:
    return {"guild_id": channel.guild_id} if channel.guild_id else {}
