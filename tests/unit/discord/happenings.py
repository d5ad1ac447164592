"""Gateway events as Discord's documentation describes them, and what surrounds them."""

from typing import Any

from adapters.discord.account import DiscordAccount
from adapters.discord.happening import Happening
from adapters.discord.inbound import to_inbound
from adapters.discord.places import DIRECT, FORUM, PUBLIC_THREAD, TEXT, VOICE, Place
from core.dialogue import Inbound, InboundMessage, Platform, SessionKey

BOT, BOT_ROLE = "900000000000000042", "900000000000000043"
GUILD, CHANNEL, THREAD, FORUM_CHANNEL, DM = (f"90000000000000010{number}" for number in range(5))
ANNA, OMAR = "900000000000000201", "900000000000000202"
ROLE = "900000000000000301"
#: The first message of a post has the post's id.
POST = "900000000000000500"
FIRST, SECOND = "900000000000001000", "900000000000002000"
ACCOUNT = DiscordAccount(BOT)
NAMES = {CHANNEL: "general", ROLE: "helpers"}

ROOT_PLACE = Place(CHANNEL, TEXT, GUILD, title="general")
THREAD_PLACE = Place(THREAD, PUBLIC_THREAD, GUILD, CHANNEL, TEXT, "rain")
POST_PLACE = Place(POST, PUBLIC_THREAD, GUILD, FORUM_CHANNEL, FORUM, "Why is it wet?", ("weather", "help"))
VOICE_PLACE = Place(CHANNEL, VOICE, GUILD)
DIRECT_PLACE = Place(DM, DIRECT)

Body = dict[str, Any]


def user(ident: str = ANNA, username: str = "anna", **more: object) -> Body:
    return {"id": ident, "username": username, "global_name": None, "discriminator": "0", "avatar": None, **more}


def mentioned_bot() -> Body:
    return user(BOT, "banter", bot=True)


def said(content: str, ident: str = FIRST, **more: object) -> Body:
    """A message in a server."""
    return {
        "id": ident,
        "channel_id": CHANNEL,
        "guild_id": GUILD,
        "type": 0,
        "author": user(),
        "member": {"roles": [ROLE], "nick": None, "joined_at": "2026-01-01T00:00:00+00:00"},
        "content": content,
        "timestamp": "2026-11-22T05:51:14.415000+00:00",
        "edited_timestamp": None,
        "mentions": [],
        "mention_roles": [],
        "mention_everyone": False,
        "attachments": [],
        "embeds": [],
        "flags": 0,
        **more,
    }


def said_alone(content: str, ident: str = FIRST, **more: object) -> Body:
    """A direct message."""
    body = {**said(content, ident), "channel_id": DM, **more}
    del body["guild_id"], body["member"]
    return body


def calling(content: str, ident: str = FIRST, **more: object) -> Body:
    """It mentions the bot."""
    return said(f"<@{BOT}> {content}", ident, mentions=[mentioned_bot()], **more)


def replying(content: str, to: Body, **more: object) -> Body:
    reference = {"type": 0, "message_id": to["id"], "channel_id": to["channel_id"]}
    return said(content, SECOND, type=19, message_reference=reference, referenced_message=to, **more)


def own(content: str = "it is", ident: str = FIRST) -> Body:
    """A message of the bot's."""
    return said(content, ident, author=mentioned_bot())


def reacted(sign: str = "👍", **more: object) -> Body:
    member = {"user": user(), "roles": [ROLE], "nick": "Annie"}
    return {
        "user_id": ANNA,
        "channel_id": CHANNEL,
        "message_id": FIRST,
        "guild_id": GUILD,
        "member": member,
        "emoji": {"id": None, "name": sign},
        "message_author_id": BOT,
        "burst": False,
        "type": 0,
        **more,
    }


def understood(
    data: Body,
    place: Place = ROOT_PLACE,
    kind: str = "MESSAGE_CREATE",
    account: DiscordAccount = ACCOUNT,
    own_role: str = BOT_ROLE,
) -> list[Inbound]:
    name = lambda ident: NAMES.get(ident, "")  # noqa: E731
    return to_inbound(Happening(kind, data, account, place, name, own_role, "session.7"))


def message(data: Body, place: Place = ROOT_PLACE, account: DiscordAccount = ACCOUNT) -> InboundMessage:
    [one] = understood(data, place, account=account)
    assert isinstance(one, InboundMessage)
    return one


def key(channel: str = CHANNEL, thread: str = "", guild: str = GUILD) -> SessionKey:
    return SessionKey(Platform.DISCORD, BOT, guild, channel, thread)
