"""A message as it stands in a channel, and what it said before."""

from dataclasses import asdict, dataclass, field

from bots.sandbox.json_values import JsonObject

#: Flags of messages.
SUPPRESS_EMBEDS = 1 << 2
HAS_THREAD = 1 << 5
EPHEMERAL = 1 << 6
LOADING = 1 << 7
SUPPRESS_NOTIFICATIONS = 1 << 12

#: Types of messages.
DEFAULT, THREAD_CREATED, REPLY, CHAT_INPUT_COMMAND, THREAD_STARTER, CONTEXT_MENU_COMMAND = 0, 18, 19, 20, 21, 23


@dataclass(frozen=True, slots=True)
class Attachment:
    id: str
    filename: str
    content_type: str
    content: bytes = field(repr=False)
    #: As the sender's client says; the content's, but where a test says otherwise.
    size: int = 0
    description: str = ""

    def shown(self) -> JsonObject:
        text = self.content.decode(errors="replace")
        return {"id": self.id, "filename": self.filename, "content_type": self.content_type, "text": text}


@dataclass(frozen=True, slots=True)
class Version:
    """What a message said from a time on."""

    #: `time.monotonic()`, which all processes of this machine share.
    at: float
    content: str
    components: tuple[JsonObject, ...] = ()
    embeds: tuple[JsonObject, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    flags: int = 0


@dataclass(frozen=True, slots=True)
class Pings:
    """Whom a message calls, after `allowed_mentions`."""

    user_ids: tuple[str, ...] = ()
    role_ids: tuple[str, ...] = ()
    is_everyone: bool = False
    #: The author of the message replied to.
    replied: str = ""


@dataclass(slots=True)
class Message:
    id: str
    author_id: str
    #: Oldest first; the last one is what it says now.
    versions: list[Version]
    kind: int = DEFAULT
    #: As it was sent, and "" where none was.
    nonce: str = ""
    is_nonce_number: bool = False
    #: message id, channel id, guild id of what it replies to.
    reference: JsonObject | None = None
    pings: Pings = field(default_factory=Pings)
    #: Server time.
    edited: float | None = None
    deleted_at: float | None = None
    #: The only one who sees it; "" for all.
    only_for: str = ""
    #: The interaction that it answers, and whose it was.
    interaction: JsonObject | None = None
    webhook_id: str = ""
    #: By emoji, who reacted.
    reactions: dict[str, list[str]] = field(default_factory=dict)
    #: How often a request with its nonce came again.
    repeats: int = 0

    @property
    def now(self) -> Version:
        return self.versions[-1]

    def shown(self) -> JsonObject:
        """For people and tests: what it says, and what it said when."""
        told: JsonObject = {name: getattr(self, name) for name in _PLAIN}
        told["pings"] = asdict(self.pings)
        told["versions"] = [_shown(version) for version in self.versions]
        return told


_PLAIN = (
    "id",
    "author_id",
    "kind",
    "nonce",
    "reference",
    "edited",
    "deleted_at",
    "only_for",
    "interaction",
    "webhook_id",
    "reactions",
    "repeats",
)


def _shown(version: Version) -> JsonObject:
    return {
        "at": version.at,
        "content": version.content,
        "components": list(version.components),
        "embeds": list(version.embeds),
        "attachments": [attachment.shown() for attachment in version.attachments],
        "flags": version.flags,
    }
