"""Messages, channels and servers in the shape in which Discord tells them."""

import hashlib
import hmac

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_discord import messages as kinds
from bots.sandbox.local_discord.accounts import Guild
from bots.sandbox.local_discord.channels import FORUMS, THREADS, VOICES, Channel, Kind
from bots.sandbox.local_discord.messages import Attachment, Message
from bots.sandbox.local_discord.snowflakes import as_time, time_of
from bots.sandbox.local_discord.world import World

_BLANK: JsonObject = {"content": "", "embeds": [], "attachments": [], "components": []}
_SECRET = b"local-discord-links"


def message_json(
    world: World, channel: Channel, message: Message, *, sees_content: bool, with_reference: bool = True
) -> JsonObject:
    """As answers carry it."""
    now, pings = message.now, message.pings
    called = [user_id for user_id in dict.fromkeys((*pings.user_ids, pings.replied)) if user_id]
    told: JsonObject = {
        "id": message.id,
        "channel_id": channel.id,
        "type": message.kind,
        "author": world.users[message.author_id].to_json(),
        "content": now.content,
        "timestamp": as_time(time_of(message.id)),
        "edited_timestamp": as_time(message.edited) if message.edited is not None else None,
        "tts": False,
        "pinned": False,
        "mention_everyone": pings.is_everyone,
        "mentions": [world.users[user_id].to_json() for user_id in called],
        "mention_roles": list(pings.role_ids),
        "attachments": [attachment_json(world, channel, one) for one in now.attachments],
        "embeds": list(now.embeds),
        "components": list(now.components),
        "flags": now.flags,
    }
    if message.reactions:
        told["reactions"] = [_reaction_json(world, name, users) for name, users in message.reactions.items() if users]
    told |= _origin_json(world, message)
    if message.reference is not None:
        told["message_reference"] = message.reference
        if with_reference and message.kind in {kinds.REPLY, kinds.THREAD_STARTER}:
            told["referenced_message"] = _referenced(world, message.reference, sees_content=sees_content)
    if message.id in world.channels and message.id != channel.id:
        told["thread"] = channel_json(world.channels[message.id])
    return told if sees_content or is_open(world, channel, message) else told | _BLANK


def is_open(world: World, channel: Channel, message: Message) -> bool:
    """To apps that do not see what is said."""
    called = {*message.pings.user_ids, message.pings.replied}
    return channel.kind is Kind.DM or message.author_id == world.bot.id or world.bot.id in called


def gateway_message(world: World, channel: Channel, message: Message, *, sees_content: bool) -> JsonObject:
    """As events carry it: with who wrote it, as a member."""
    told = message_json(world, channel, message, sees_content=sees_content)
    told["channel_type"] = int(channel.kind)
    guild = world.guild_of(channel)
    if guild is None:
        return told
    told["guild_id"] = guild.id
    author = guild.members.get(message.author_id)
    if author is not None and not message.webhook_id:
        told["member"] = author.to_json(with_user=False)
    mentions = told["mentions"]
    assert isinstance(mentions, list)  # noqa: S101 - it was made so above
    told["mentions"] = [one | _as_member(guild, str(one["id"])) for one in mentions]
    return told


def channel_json(channel: Channel) -> JsonObject:
    told: JsonObject = {"id": channel.id, "type": int(channel.kind), "last_message_id": channel.last_message_id}
    if channel.is_private:
        told |= {"recipients": [user.to_json() for user in channel.recipients], "flags": 0}
        if channel.kind is Kind.GROUP_DM:
            told |= {"name": channel.name or None, "icon": None, "owner_id": channel.recipients[0].id}
        return told
    told |= {"guild_id": channel.guild_id, "name": channel.name, "flags": 0, "rate_limit_per_user": 0}
    if channel.kind in THREADS:
        return told | _thread_json(channel)
    deny: JsonObject = {"id": channel.guild_id, "type": 0, "allow": "0", "deny": str(int(channel.denied))}
    told |= {
        "position": 0,
        "parent_id": channel.parent_id or None,
        "permission_overwrites": [deny] if channel.denied else [],
        "nsfw": False,
        "topic": channel.topic or None,
        "default_auto_archive_duration": 1440,
    }
    if channel.kind in VOICES:
        told |= {"bitrate": 64000, "user_limit": 0, "rtc_region": None}
    if channel.kind in FORUMS:
        tags = [_tag_json(tag_id, name) for tag_id, name in channel.tags.items()]
        told |= {"available_tags": tags, "default_reaction_emoji": None, "default_sort_order": None}
        told |= {"default_forum_layout": 0, "default_thread_rate_limit_per_user": 0}
    return told


def guild_json(guild: Guild) -> JsonObject:
    """As REST tells it."""
    return {
        "id": guild.id,
        "name": guild.name,
        "icon": None,
        "splash": None,
        "discovery_splash": None,
        "owner_id": guild.owner_id,
        "afk_channel_id": None,
        "afk_timeout": 300,
        "verification_level": 0,
        "default_message_notifications": 0,
        "explicit_content_filter": 0,
        "roles": [role.to_json(number) for number, role in enumerate(guild.roles.values())],
        "emojis": [],
        "stickers": [],
        "features": [],
        "mfa_level": 0,
        "application_id": None,
        "system_channel_id": None,
        "system_channel_flags": 0,
        "rules_channel_id": None,
        "vanity_url_code": None,
        "description": None,
        "banner": None,
        "premium_tier": 0,
        "premium_subscription_count": 0,
        "preferred_locale": "en-US",
        "public_updates_channel_id": None,
        "safety_alerts_channel_id": None,
        "nsfw_level": 0,
        "premium_progress_bar_enabled": False,
        "max_members": 500_000,
    }


def attachment_json(world: World, channel: Channel, attachment: Attachment) -> JsonObject:
    url = link(world, channel.id, attachment)
    told: JsonObject = {
        "id": attachment.id,
        "filename": attachment.filename,
        "size": attachment.size or len(attachment.content),
        "url": url,
        "proxy_url": url,
        "content_type": attachment.content_type,
    }
    return told | ({"description": attachment.description} if attachment.description else {})


def link(world: World, channel_id: str, attachment: Attachment) -> str:
    """Signed, and good for a day."""
    path = f"/attachments/{channel_id}/{attachment.id}/{attachment.filename}"
    now = world.clock.now()
    ends = f"{int(now + world.options.limits.link_age_s):x}"
    return f"{world.url}{path}?ex={ends}&is={int(now):x}&hm={signature(path, ends)}"


def signature(path: str, ends: str) -> str:
    return hmac.new(_SECRET, f"{path}{ends}".encode(), hashlib.sha256).hexdigest()


def _thread_json(channel: Channel) -> JsonObject:
    thread = channel.thread
    assert thread is not None  # noqa: S101 - its kind says so
    said = [one for one in channel.visible if one.kind != kinds.THREAD_STARTER and one.id != channel.id]
    about: JsonObject = {
        "archived": thread.is_archived,
        "auto_archive_duration": thread.auto_archive,
        "archive_timestamp": as_time(thread.archived_at or thread.created),
        "locked": thread.is_locked,
        "create_timestamp": as_time(thread.created),
    }
    if channel.kind is Kind.PRIVATE_THREAD:
        about["invitable"] = True
    return {
        "parent_id": channel.parent_id,
        "owner_id": thread.owner_id,
        "message_count": len(said),
        "total_message_sent": len(said),
        "member_count": min(len(thread.member_ids), 50),
        "thread_metadata": about,
        "applied_tags": list(thread.tag_ids),
    }


def _referenced(world: World, reference: JsonObject, *, sees_content: bool) -> JsonObject | None:
    channel = world.channels.get(str(reference["channel_id"]))
    message = channel.messages.get(str(reference["message_id"])) if channel else None
    if channel is None or message is None or message.deleted_at is not None:
        return None
    return message_json(world, channel, message, sees_content=sees_content, with_reference=False)


def _origin_json(world: World, message: Message) -> JsonObject:
    """Webhooks and interactions."""
    told: JsonObject = {}
    if message.webhook_id:
        told |= {"webhook_id": message.webhook_id}
    if message.author_id == world.bot.id:
        told |= {"application_id": world.app_id} if message.webhook_id else {}
    return told | ({"interaction_metadata": message.interaction} if message.interaction else {})


def _reaction_json(world: World, name: str, users: list[str]) -> JsonObject:
    counts: JsonObject = {"burst": 0, "normal": len(users)}
    told: JsonObject = {"emoji": {"id": None, "name": name}, "count": len(users), "count_details": counts}
    return told | {"me": world.bot.id in users, "me_burst": False, "burst_colors": []}


def _as_member(guild: Guild, user_id: str) -> JsonObject:
    member = guild.members.get(user_id)
    return {"member": member.to_json(with_user=False)} if member else {}


def _tag_json(tag_id: str, name: str) -> JsonObject:
    return {"id": tag_id, "name": name, "moderated": False, "emoji_id": None, "emoji_name": None}
