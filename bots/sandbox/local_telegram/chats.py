"""Where people and the bot meet: private chats, groups, supergroups with and without topics, channels."""

from dataclasses import dataclass, field
from enum import StrEnum

from bots.sandbox.changes import Changes
from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_telegram.account import User
from bots.sandbox.local_telegram.messages import Message


class Kind(StrEnum):
    PRIVATE = "private"
    GROUP = "group"
    SUPERGROUP = "supergroup"
    CHANNEL = "channel"


class Standing(StrEnum):
    """The bot's, in a chat."""

    MEMBER = "member"
    ADMINISTRATOR = "administrator"
    LEFT = "left"
    #: In a private chat: the person blocked it.
    KICKED = "kicked"


#: (business connection or "", chat id): a business chat is another chat, though it may have the same id.
Place = tuple[str, int]


@dataclass(slots=True)
class Topic:
    id: int
    name: str
    creator_id: int
    icon_color: int = 0x6FB9F0
    is_name_implicit: bool = False
    is_closed: bool = False
    is_deleted: bool = False

    def to_json(self) -> JsonObject:
        topic: JsonObject = {"message_thread_id": self.id, "name": self.name, "icon_color": self.icon_color}
        return topic | ({"is_name_implicit": True} if self.is_name_implicit else {})


@dataclass(slots=True)
class Chat:
    id: int
    kind: Kind
    title: str = ""
    #: Who is spoken with in private.
    person: User | None = None
    business: str = ""
    is_forum: bool = False
    #: A channel's direct messages.
    is_direct: bool = False
    members: dict[int, User] = field(default_factory=dict)
    standing: Standing = Standing.MEMBER
    #: As an administrator: can_manage_topics, can_delete_messages …
    rights: frozenset[str] = frozenset()
    #: Whether members may write; administrators always may.
    members_may_write: bool = True
    #: The supergroup that it became.
    moved_to: int = 0
    is_deleted: bool = False
    #: Until the person writes first, a bot can't.
    is_begun: bool = True
    topics: dict[int, Topic] = field(default_factory=dict)
    messages: dict[int, Message] = field(default_factory=dict)
    newest_id: int = 0
    #: draft id → what it shows, newest last.
    drafts: dict[int, list[JsonObject]] = field(default_factory=dict)
    #: Typing and the like: when, what, in which thread.
    actions: list[JsonObject] = field(default_factory=list)
    changes: Changes = field(default_factory=Changes)

    @property
    def place(self) -> Place:
        return self.business, self.id

    @property
    def is_private(self) -> bool:
        return self.kind is Kind.PRIVATE

    def next_id(self) -> int:
        self.newest_id += 1
        return self.newest_id

    def message(self, message_id: int) -> Message | None:
        """None where it was deleted, or never was."""
        message = self.messages.get(message_id)
        return message if message is not None and message.deleted_at is None else None

    def to_json(self) -> JsonObject:
        """As messages carry it."""
        chat: JsonObject = {"id": self.id, "type": self.kind.value}
        if self.person is not None:
            chat["first_name"] = self.person.first_name
            if self.person.username:
                chat["username"] = self.person.username
            return chat
        chat["title"] = self.title
        if self.is_forum:
            chat["is_forum"] = True
        if self.is_direct:
            chat["is_direct_messages"] = True
        return chat
