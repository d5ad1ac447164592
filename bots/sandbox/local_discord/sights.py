"""What there is to see: messages with what they said before, channels. Times are `time.monotonic()`."""

from collections.abc import Iterator
from dataclasses import dataclass

from pydantic import TypeAdapter

from bots.sandbox.json_values import JsonObject, list_in, object_in

_SUPPRESS_EMBEDS, _LOADING, _SILENT = 1 << 2, 1 << 7, 1 << 12


@dataclass(frozen=True, slots=True)
class AttachmentSeen:
    id: str
    filename: str
    content_type: str
    text: str


@dataclass(frozen=True, slots=True)
class VersionSeen:
    """What a message said from a time on."""

    at: float
    content: str
    components: tuple[JsonObject, ...] = ()
    embeds: tuple[JsonObject, ...] = ()
    attachments: tuple[AttachmentSeen, ...] = ()
    flags: int = 0


@dataclass(frozen=True, slots=True)
class PingsSeen:
    """Whom a message calls, as far as `allowed_mentions` lets it."""

    user_ids: tuple[str, ...] = ()
    role_ids: tuple[str, ...] = ()
    is_everyone: bool = False
    #: The author of the message replied to.
    replied: str = ""


@dataclass(frozen=True, slots=True)
class MessageSeen:
    id: str
    author_id: str
    #: Oldest first; an edit adds one.
    versions: tuple[VersionSeen, ...]
    #: 0 plain, 19 a reply, 20 and 23 answers to commands, 21 a thread's starter.
    kind: int = 0
    nonce: str = ""
    #: message_id, channel_id, guild_id of what it replies to.
    reference: JsonObject | None = None
    pings: PingsSeen = PingsSeen()
    #: Discord's time of the last edit.
    edited: float | None = None
    deleted_at: float | None = None
    #: The only one who sees it; "" for all.
    only_for: str = ""
    interaction: JsonObject | None = None
    webhook_id: str = ""
    reactions: dict[str, list[str]] | None = None
    #: How often its nonce came again.
    repeats: int = 0

    @property
    def text(self) -> str:
        return self.versions[-1].content

    @property
    def texts(self) -> list[str]:
        """Everything that it ever said."""
        return [version.content for version in self.versions]

    @property
    def times(self) -> list[float]:
        """When it was sent, and each of its edits."""
        return [version.at for version in self.versions]

    @property
    def attachments(self) -> tuple[AttachmentSeen, ...]:
        return self.versions[-1].attachments

    @property
    def flags(self) -> int:
        return self.versions[-1].flags

    @property
    def replies_to(self) -> str:
        """The message's id; "" for none."""
        return str(self.reference["message_id"]) if self.reference else ""

    @property
    def buttons(self) -> list[JsonObject]:
        """And menus: all that can be used."""
        return list(components_in(self.versions[-1].components))

    @property
    def labels(self) -> list[str]:
        """What stands on them."""
        return [label_of(button) for button in self.buttons]

    @property
    def is_loading(self) -> bool:
        """ "… is thinking"."""
        return bool(self.flags & _LOADING)

    @property
    def is_silent(self) -> bool:
        return bool(self.flags & _SILENT)

    @property
    def hides_embeds(self) -> bool:
        return bool(self.flags & _SUPPRESS_EMBEDS)

    @property
    def is_pinging(self) -> bool:
        """Anybody but the one replied to."""
        return bool(self.pings.user_ids or self.pings.role_ids or self.pings.is_everyone)


@dataclass(frozen=True, slots=True)
class ChannelSeen:
    """One look at a channel or thread."""

    version: int
    id: str
    kind: str
    name: str
    guild_id: str
    parent_id: str
    is_archived: bool
    is_locked: bool
    owner_id: str
    member_ids: tuple[str, ...]
    #: (when, who), oldest first.
    typing: tuple[tuple[float, str], ...]
    #: (when, name), oldest first.
    names: tuple[tuple[float, str], ...]
    is_deleted: bool
    #: All that ever were, deleted ones too, oldest first.
    all_messages: tuple[MessageSeen, ...]
    bot_id: str

    @property
    def messages(self) -> list[MessageSeen]:
        """What people see."""
        return [message for message in self.all_messages if message.deleted_at is None]

    @property
    def bots(self) -> list[MessageSeen]:
        """What the app wrote; what only one person sees too."""
        return [message for message in self.messages if message.author_id == self.bot_id and message.kind != 21]


def components_in(components: tuple[JsonObject, ...]) -> Iterator[JsonObject]:
    for row in components:
        for component in list_in(row.get("components")):
            yield object_in(component)


def label_of(component: JsonObject) -> str:
    emoji = str(object_in(component.get("emoji")).get("name") or "")
    return str(component.get("label") or component.get("placeholder") or emoji)


_MESSAGE = TypeAdapter(MessageSeen)
_CHANNEL = TypeAdapter(ChannelSeen)


def message_seen(told: object) -> MessageSeen:
    return _MESSAGE.validate_python(told)


def channel_seen(told: JsonObject, bot_id: str) -> ChannelSeen:
    return _CHANNEL.validate_python({"all_messages": told.pop("messages"), "bot_id": bot_id, **told})
