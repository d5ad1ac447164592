"""The nouns of a dialogue: who speaks where, and what was said.

Values only. Nothing here knows a platform's SDK, a database or a model.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Platform(StrEnum):
    DISCORD = "discord"
    SLACK = "slack"
    TELEGRAM = "telegram"
    TERMINAL = "terminal"


class Role(StrEnum):
    PERSON = "person"
    ASSISTANT = "assistant"


class TurnState(StrEnum):
    """`waiting → answering → answered → delivered`, or one of the four other ends."""

    WAITING = "waiting"
    ANSWERING = "answering"
    ANSWERED = "answered"
    DELIVERED = "delivered"
    IGNORED = "ignored"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    FAILED = "failed"


class FinishReason(StrEnum):
    """Why a completion ended."""

    STOP = "stop"
    LENGTH = "length"
    CANCELLED = "cancelled"
    DEADLINE = "deadline"
    #: The reply began to repeat itself and was cut.
    LOOP = "loop"


@dataclass(frozen=True, slots=True)
class SessionKey:
    """Where people are talking; every place has a dialogue of its own."""

    platform: Platform
    #: The account that is spoken to; one program can run several.
    bot: str
    #: Discord guild, Slack team or enterprise, Telegram business connection; "" where there is none.
    workspace: str
    #: In a Discord thread, the parent channel.
    channel: str
    #: "" means that the channel itself is the dialogue.
    thread: str = ""
    #: Set only where each person of a group has a dialogue of their own.
    person: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """All of it, in its order."""
        return self.platform.value, self.bot, self.workspace, self.channel, self.thread, self.person


@dataclass(frozen=True, slots=True)
class Person:
    """Someone as one platform knows them."""

    platform: Platform
    workspace: str
    #: The platform's own id of the person.
    platform_id: str
    #: Untrusted text: shown and put into prompts, never followed.
    name: str


class Kind(StrEnum):
    """What comes in from a platform."""

    MESSAGE = "message"
    EDIT = "edit"
    DELETION = "deletion"
    FEEDBACK = "feedback"
    MOVE = "move"


class Opinion(StrEnum):
    """What a reaction or a button says about a reply, or wants done with it."""

    GOOD = "good"
    BAD = "bad"
    REGENERATE = "regenerate"
    STOP = "stop"
    CONTINUE = "continue"


@dataclass(frozen=True, slots=True)
class Called:
    """How a message calls the bot, as the platform tells it."""

    #: In a private chat with the bot.
    directly: bool = False
    by_mention: bool = False
    #: It is a reply to one of the bot's messages.
    by_reply: bool = False
    #: It is a command of the platform's own: a slash command, a menu, a shortcut.
    by_command: bool = False


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that came with a message; nothing of it has been read yet."""

    #: Untrusted text.
    name: str
    #: "text/plain"; "" where the platform does not tell.
    media_type: str
    #: 0 where the platform does not tell.
    size_bytes: int
    #: What the platform gives the file out for.
    handle: str


@dataclass(frozen=True, slots=True)
class EventKey:
    """What makes two deliveries of an event the same one."""

    platform: Platform
    bot: str
    kind: Kind
    channel: str
    #: The platform's id of the message that the event is about.
    message_id: str
    #: An edit shares its message's id; this tells it from the next edit.
    revision: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """All of it, in its order."""
        return self.platform.value, self.bot, self.kind.value, self.channel, self.message_id, self.revision


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """A message as it crossed the platform's edge; where it is received its text is cleaned (`clean_text`)."""

    session_key: SessionKey
    person: Person
    #: The platform's id of the message, unique within the channel.
    message_id: str
    text: str
    sent_at: datetime
    called: Called = Called()
    #: The platform's ids of the roles that the person has there.
    roles: frozenset[str] = frozenset()
    #: Written by a program; the bot's own messages too.
    is_from_bot: bool = False
    #: The message that it replies to; "" where it does not.
    reply_to_id: str = ""
    attachments: tuple[Attachment, ...] = ()
    #: What the person points at: words of another's message that this one replies to, or that were picked from one.
    quotes: str = ""
    #: Messages of one album are one turn; "" where it is in none.
    album: str = ""
    #: Its thread was named by the platform alone, and should be named after what is asked in it.
    wants_title: bool = False
    #: It was said while nobody listened, longer ago than anybody waits for an answer: of all such messages of a channel
    #: that are handed in at once, the newest gets a note in its answer's stead, and the others are left.
    is_late: bool = False
    #: It is not for the bot, and kept as what people say around it. Not the adapter's to say.
    is_overheard: bool = False
    #: Its chat has counted its messages anew since: nothing can refer to it. Not the adapter's to say.
    is_left_behind: bool = False

    @property
    def event_key(self) -> EventKey:
        return _event_key(self, Kind.MESSAGE)


@dataclass(frozen=True, slots=True)
class Edit:
    """A message has another text now."""

    session_key: SessionKey
    person: Person
    message_id: str
    #: The platform's mark of this edit: a time or a number.
    revision: str
    text: str

    @property
    def event_key(self) -> EventKey:
        return _event_key(self, Kind.EDIT, self.revision)


@dataclass(frozen=True, slots=True)
class Deletion:
    """A message is gone from the platform."""

    session_key: SessionKey
    message_id: str

    @property
    def event_key(self) -> EventKey:
        return _event_key(self, Kind.DELETION)


@dataclass(frozen=True, slots=True)
class Feedback:
    """A reaction to a reply, or a press of one of its buttons."""

    session_key: SessionKey
    person: Person
    #: The bot's own message that it is about.
    message_id: str
    opinion: Opinion
    #: The platform's id of the press or reaction.
    event_id: str
    #: The reaction was taken back.
    is_withdrawn: bool = False
    roles: frozenset[str] = frozenset()

    @property
    def event_key(self) -> EventKey:
        return _event_key(self, Kind.FEEDBACK, f"{self.event_id}{'-' if self.is_withdrawn else ''}")


@dataclass(frozen=True, slots=True)
class Move:
    """A channel has another id now; what was said there goes with it."""

    session_key: SessionKey
    new_channel: str
    #: The messages in it are still known by their ids. A Telegram supergroup counts them from 1 again.
    keeps_message_ids: bool = True

    @property
    def event_key(self) -> EventKey:
        key = self.session_key
        return EventKey(key.platform, key.bot, Kind.MOVE, key.channel, self.new_channel)


Inbound = InboundMessage | Edit | Deletion | Feedback | Move


def _event_key(inbound: InboundMessage | Edit | Deletion | Feedback, kind: Kind, revision: str = "") -> EventKey:
    key = inbound.session_key
    return EventKey(key.platform, key.bot, kind, key.channel, inbound.message_id, revision)


@dataclass(frozen=True, slots=True)
class TokenizedText:
    """The token ids of a text, with the tokenizer that they belong to."""

    #: `Tokenizer.fingerprint`; ids of another tokenizer mean nothing.
    tokenizer: str
    ids: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Turn:
    """One side's contribution, as remembered."""

    id: int
    role: Role
    text: str
    #: The person's name; "" for the assistant.
    speaker: str = ""
    #: The ids that the model really drew, so that the next prompt repeats them exactly.
    tokens: TokenizedText | None = None
    #: Of an assistant's turn: the oldest turn that its prompt held.
    prompt_start_id: int | None = None

    def named(self, speaker: str) -> "Turn":
        return Turn(self.id, self.role, self.text, speaker, self.tokens, self.prompt_start_id)


@dataclass(frozen=True, slots=True)
class Summary:
    """What was said in a dialogue up to a turn, in short."""

    id: int
    #: The newest turn that it tells of; it tells of all before it too.
    until_turn_id: int
    text: str
