"""What there is to see: messages with what they said before, chats, calls. Times are `time.monotonic()`."""

from dataclasses import dataclass

from pydantic import TypeAdapter

from bots.sandbox.json_values import JsonObject


@dataclass(frozen=True, slots=True)
class VersionSeen:
    """What a message said from a time on."""

    at: float
    text: str
    entities: tuple[JsonObject, ...] = ()
    keyboard: JsonObject | None = None

    @property
    def buttons(self) -> list[list[str]]:
        """What stands on them, row by row."""
        rows = self.keyboard["inline_keyboard"] if self.keyboard else []
        return [[str(button["text"]) for button in row] for row in rows] if isinstance(rows, list) else []


@dataclass(frozen=True, slots=True)
class UserSeen:
    id: int
    first_name: str
    is_bot: bool = False
    username: str = ""
    language_code: str = ""


@dataclass(frozen=True, slots=True)
class MessageSeen:
    id: int
    sender: UserSeen
    date: int
    #: Oldest first; an edit adds one.
    versions: tuple[VersionSeen, ...]
    thread_id: int = 0
    direct_topic_id: int = 0
    #: 0: it replies to nothing.
    reply_to_id: int = 0
    quote: str = ""
    #: A document, an album, what happened in the chat.
    more: JsonObject | None = None
    #: It says what happened, and nobody wrote it.
    is_service: bool = False
    deleted_at: float | None = None
    #: By user id.
    reactions: dict[int, list[JsonObject]] | None = None

    @property
    def text(self) -> str:
        return self.versions[-1].text

    @property
    def entities(self) -> tuple[JsonObject, ...]:
        return self.versions[-1].entities

    @property
    def buttons(self) -> list[list[str]]:
        return self.versions[-1].buttons

    @property
    def keyboard(self) -> JsonObject | None:
        return self.versions[-1].keyboard

    @property
    def is_bots(self) -> bool:
        return self.sender.is_bot

    @property
    def texts(self) -> list[str]:
        """Everything that it ever said."""
        return [version.text for version in self.versions]

    @property
    def times(self) -> list[float]:
        """When it was sent, and each of its edits."""
        return [version.at for version in self.versions]


@dataclass(frozen=True, slots=True)
class DraftSeen:
    at: float
    text: str
    entities: tuple[JsonObject, ...] = ()
    thread_id: int = 0


@dataclass(frozen=True, slots=True)
class ActionSeen:
    """Typing and the like."""

    at: float
    action: str
    thread_id: int = 0


@dataclass(frozen=True, slots=True)
class TopicSeen:
    message_thread_id: int
    name: str
    icon_color: int
    is_name_implicit: bool = False


@dataclass(frozen=True, slots=True)
class ChatSeen:
    """One look at a chat."""

    version: int
    chat: JsonObject
    #: The bot's: member, administrator, left, kicked.
    standing: str
    moved_to: int
    topics: tuple[TopicSeen, ...]
    #: All that ever were, deleted ones too, oldest first.
    all_messages: tuple[MessageSeen, ...]
    #: By draft id.
    drafts: dict[int, list[DraftSeen]]
    actions: tuple[ActionSeen, ...]

    @property
    def messages(self) -> list[MessageSeen]:
        """What people see."""
        return [message for message in self.all_messages if message.deleted_at is None]

    @property
    def bots(self) -> list[MessageSeen]:
        """What the bot wrote, service messages aside."""
        return [message for message in self.messages if message.is_bots and not message.is_service]


@dataclass(frozen=True, slots=True)
class CallSeen:
    method: str
    #: As text; what was no string is the JSON of it.
    parameters: dict[str, str]
    files: dict[str, JsonObject]
    began: float
    #: None while it is not answered.
    ended: float | None
    #: 0 where the connection was dropped.
    status: int
    answer: JsonObject
    fault: str


@dataclass(frozen=True, slots=True)
class MenuSeen:
    #: As the Bot API has it, as JSON.
    scope: str
    language: str
    commands: tuple[dict[str, str], ...]


@dataclass(frozen=True, slots=True)
class StateSeen:
    """What is in no chat."""

    version: int
    #: The one that is good now.
    token: str
    #: As getMe tells it.
    bot: UserSeen
    base_url: str
    control_url: str
    #: Whether the Bot API is there.
    is_here: bool
    menus: tuple[MenuSeen, ...]
    #: Where the bot asked for more than there is: of what, how often.
    excesses: dict[str, int]
    pending_updates: int
    allowed_updates: tuple[str, ...]
    #: As getWebhookInfo tells it.
    webhook: JsonObject
    #: By the press's id: what the person saw; None where nobody answered yet.
    presses: dict[str, JsonObject | None]
    #: How many calls have yet to meet a fault.
    waiting_faults: int


_MESSAGE = TypeAdapter(MessageSeen)
_MESSAGES = TypeAdapter(tuple[MessageSeen, ...])
_CHAT = TypeAdapter(ChatSeen)
_STATE = TypeAdapter(StateSeen)
_CALLS = TypeAdapter(list[CallSeen])


def message_seen(told: object) -> MessageSeen:
    return _MESSAGE.validate_python(told)


def messages_seen(told: object) -> tuple[MessageSeen, ...]:
    return _MESSAGES.validate_python(told)


def chat_seen(told: JsonObject) -> ChatSeen:
    return _CHAT.validate_python({"all_messages": told.pop("messages"), **told})


def state_seen(told: JsonObject) -> StateSeen:
    return _STATE.validate_python(told)


def calls_seen(told: object) -> list[CallSeen]:
    return _CALLS.validate_python(told)
