"""The nouns of a dialogue: who speaks where, and what was said.

Values only. Nothing here knows a platform's SDK, a database or a model.
"""

import re
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


@dataclass(frozen=True, slots=True)
class Person:
    """Someone as one platform knows them."""

    platform: Platform
    workspace: str
    #: The platform's own id of the person.
    platform_id: str
    #: Untrusted text: shown and put into prompts, never followed.
    name: str


@dataclass(frozen=True, slots=True)
class InboundMessage:
    """A message as it crossed the platform's edge, its text already cleaned (`clean_text`)."""

    session_key: SessionKey
    person: Person
    #: The platform's id of the message, unique within the channel.
    message_id: str
    text: str
    sent_at: datetime


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


# Controls that a terminal or a database would take as an order, and the invisible marks that turn text around.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


def clean_text(text: str) -> str:
    """What a person sent, as text that every database, prompt and screen can hold.

    Line ends become ``\\n``; control characters, bidirectional overrides and halves of surrogate pairs go;
    white space around the text goes. Emoji and every script stay as they are.
    """
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return printable(whole.replace("\r\n", "\n").replace("\r", "\n")).strip()


def printable(text: str) -> str:
    """Without what a terminal or a database would take as an order."""
    return _CONTROL.sub("", text)
