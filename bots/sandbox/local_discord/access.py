"""What the bot may see and do in a channel."""

from bots.sandbox.local_discord.accounts import Guild, May
from bots.sandbox.local_discord.channels import VOICES, Channel, Kind
from bots.sandbox.local_discord.refusals import Refused, missing_access, missing_permissions
from bots.sandbox.local_discord.world import World

_IN_DMS = May.VIEW_CHANNEL | May.SEND_MESSAGES | May.READ_MESSAGE_HISTORY | May.ADD_REACTIONS | May.EMBED_LINKS
_IN_DMS |= May.ATTACH_FILES


def bot_may(world: World, channel: Channel) -> May:
    """Nothing where it is no member."""
    if channel.kind is Kind.DM:
        return _IN_DMS
    guild = world.guild_of(channel)
    if guild is None or guild.is_unavailable or world.bot.id not in guild.members:
        return May(0)
    allowed = May(granted(world, guild) & ~world.parent_of(channel).denied)
    if not allowed & May.VIEW_CHANNEL or (channel.kind in VOICES and not allowed & May.CONNECT):
        return May(0)
    if channel.kind is Kind.PRIVATE_THREAD and not is_in_private(world, channel, allowed):
        return May(0)
    return allowed


def granted(world: World, guild: Guild) -> int:
    """By the bot's roles."""
    member = guild.members[world.bot.id]
    bits = guild.roles[guild.id].permissions
    for role_id in member.role_ids:
        bits |= guild.roles[role_id].permissions
    return bits


def is_in_private(world: World, channel: Channel, allowed: May) -> bool:
    thread = channel.thread
    return bool(allowed & May.MANAGE_THREADS) or (thread is not None and world.bot.id in thread.member_ids)


def sees(world: World, channel: Channel) -> bool:
    return bool(bot_may(world, channel) & May.VIEW_CHANNEL)


def visible_channel(world: World, channel_id: str) -> Channel:
    """Raises Refused."""
    channel = world.channel(channel_id)
    if not sees(world, channel):
        raise missing_access()
    return channel


def check(world: World, channel: Channel, needed: May) -> None:
    """All of them. Raises Refused."""
    allowed = bot_may(world, channel)
    if not allowed & May.VIEW_CHANNEL:
        raise missing_access()
    if needed & ~allowed:
        raise missing_permissions()


def check_send(world: World, channel: Channel) -> None:
    """Whether the bot may write there. Raises Refused."""
    if channel.kind in {Kind.FORUM, Kind.MEDIA, Kind.CATEGORY}:
        raise Refused(400, 50008)
    if channel.kind is Kind.DM:
        if not channel.recipients[0].takes_dms:
            raise Refused(403, 50007)
        return
    check(world, channel, May.SEND_MESSAGES_IN_THREADS if channel.thread is not None else May.SEND_MESSAGES)
    if channel.thread is not None and channel.thread.is_locked and not bot_may(world, channel) & May.MANAGE_THREADS:
        raise Refused(403, 160005)
