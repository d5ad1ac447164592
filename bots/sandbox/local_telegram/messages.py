"""A message as it stands in a chat, and what it said before."""

from dataclasses import dataclass, field

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_telegram.account import User
from bots.sandbox.local_telegram.texts import FormattedText

_CAPTIONED = {"animation", "audio", "document", "photo", "video", "voice"}


@dataclass(frozen=True, slots=True)
class Version:
    """What a message said from a time on."""

    #: `time.monotonic()`, which all processes of this machine share.
    at: float
    content: FormattedText
    keyboard: JsonObject | None = None

    def to_json(self) -> JsonObject:
        return {
            "at": self.at,
            "text": self.content.text,
            "entities": list(self.content.entities),
            "keyboard": self.keyboard,
        }


@dataclass(frozen=True, slots=True)
class Position:
    """Where in a chat a message stands."""

    #: 0: in none.
    thread_id: int = 0
    is_topic_message: bool = False
    #: Of a channel's direct messages.
    direct_topic_id: int = 0
    reply_to_id: int = 0
    quote: str = ""


@dataclass(slots=True)
class Message:
    id: int
    sender: User
    #: Unix seconds.
    date: int
    #: Oldest first; the last one is what it says now.
    versions: list[Version]
    position: Position = Position()
    #: What else Telegram says of it: a document, an album, what happened in the chat.
    more: JsonObject = field(default_factory=dict)
    #: It says what happened, and nobody wrote it.
    is_service: bool = False
    edit_date: int = 0
    deleted_at: float | None = None
    #: By user id.
    reactions: dict[int, list[JsonObject]] = field(default_factory=dict)

    @property
    def now(self) -> Version:
        return self.versions[-1]

    @property
    def is_captioned(self) -> bool:
        """Its text stands below a file."""
        return not _CAPTIONED.isdisjoint(self.more)

    def shown(self) -> JsonObject:
        """For people and tests: what it says, and what it said when."""
        return {
            "id": self.id,
            "sender": self.sender.to_json(),
            "date": self.date,
            "thread_id": self.position.thread_id,
            "direct_topic_id": self.position.direct_topic_id,
            "reply_to_id": self.position.reply_to_id,
            "quote": self.position.quote,
            "more": self.more,
            "is_service": self.is_service,
            "deleted_at": self.deleted_at,
            "reactions": {str(user_id): emoji for user_id, emoji in self.reactions.items()},
            "versions": [version.to_json() for version in self.versions],
        }
