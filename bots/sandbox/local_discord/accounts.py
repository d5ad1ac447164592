"""Who there is: people, servers, roles, and what may be done there."""

from dataclasses import dataclass, field
from enum import IntFlag

from bots.sandbox.json_values import JsonObject


class May(IntFlag):
    """Permissions, by Discord's bits."""

    MANAGE_CHANNELS = 1 << 4
    ADD_REACTIONS = 1 << 6
    VIEW_CHANNEL = 1 << 10
    SEND_MESSAGES = 1 << 11
    MANAGE_MESSAGES = 1 << 13
    EMBED_LINKS = 1 << 14
    ATTACH_FILES = 1 << 15
    READ_MESSAGE_HISTORY = 1 << 16
    MENTION_EVERYONE = 1 << 17
    CONNECT = 1 << 20
    USE_APPLICATION_COMMANDS = 1 << 31
    MANAGE_THREADS = 1 << 34
    CREATE_PUBLIC_THREADS = 1 << 35
    CREATE_PRIVATE_THREADS = 1 << 36
    SEND_MESSAGES_IN_THREADS = 1 << 38


#: What the app asks for when it is installed in a server; managing threads or messages is not in it.
USUAL = (
    May.ADD_REACTIONS
    | May.VIEW_CHANNEL
    | May.SEND_MESSAGES
    | May.EMBED_LINKS
    | May.ATTACH_FILES
    | May.READ_MESSAGE_HISTORY
    | May.CONNECT
    | May.USE_APPLICATION_COMMANDS
    | May.CREATE_PUBLIC_THREADS
    | May.SEND_MESSAGES_IN_THREADS
)


@dataclass(slots=True)
class User:
    id: str
    #: Unique, in small letters.
    username: str
    global_name: str = ""
    is_bot: bool = False
    #: As interactions name it.
    locale: str = "en-US"
    #: Whether the app may write to this person.
    takes_dms: bool = True
    has_app: bool = False

    def to_json(self) -> JsonObject:
        return {
            "id": self.id,
            "username": self.username,
            "global_name": self.global_name or None,
            "discriminator": "0" if not self.is_bot else "4242",
            "avatar": None,
            "bot": self.is_bot,
            "public_flags": 0,
        }


@dataclass(slots=True)
class Member:
    user: User
    joined_at: str
    nick: str = ""
    role_ids: list[str] = field(default_factory=list)

    def to_json(self, *, with_user: bool) -> JsonObject:
        told: JsonObject = {
            "roles": list(self.role_ids),
            "nick": self.nick or None,
            "avatar": None,
            "joined_at": self.joined_at,
            "premium_since": None,
            "deaf": False,
            "mute": False,
            "flags": 0,
            "pending": False,
            "communication_disabled_until": None,
        }
        return told | ({"user": self.user.to_json()} if with_user else {})


@dataclass(slots=True)
class Role:
    id: str
    name: str
    permissions: int = 0
    #: Set where it is the role of this bot alone.
    bot_id: str = ""

    def to_json(self, position: int) -> JsonObject:
        return {
            "id": self.id,
            "name": self.name,
            "color": 0,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "hoist": False,
            "icon": None,
            "unicode_emoji": None,
            "position": position,
            "permissions": str(int(self.permissions)),
            "managed": bool(self.bot_id),
            "mentionable": False,
            "flags": 0,
        } | ({"tags": {"bot_id": self.bot_id}} if self.bot_id else {})


@dataclass(slots=True)
class Guild:
    """A server."""

    id: str
    name: str
    owner_id: str
    members: dict[str, Member] = field(default_factory=dict)
    #: The first one is @everyone's, with the guild's id.
    roles: dict[str, Role] = field(default_factory=dict)
    #: An outage: nothing of it can be seen, and it is not gone.
    is_unavailable: bool = False

    def role_named(self, name: str) -> Role | None:
        return next((role for role in self.roles.values() if role.name == name), None)
