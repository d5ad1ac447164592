"""Who is answered, where, and as whom. Decisions alone: nothing is read, sent or stored here."""

from dataclasses import dataclass
from enum import StrEnum

from core.dialogue import InboundMessage, SessionKey


class Attention(StrEnum):
    """What is done with a message when it comes in."""

    ANSWER = "answer"
    #: Only where a dialogue is going on.
    FOLLOW_UP = "follow up"
    IGNORE = "ignore"


@dataclass(frozen=True, slots=True)
class Manner:
    """How the program speaks at a place."""

    persona: str
    language: str = "en"


class Policy:
    def __init__(self, manner: Manner) -> None:
        self._manner = manner

    def attention(self, message: InboundMessage) -> Attention:
        if message.is_from_bot or not message.text:
            return Attention.IGNORE
        called = message.called
        if called.directly or called.by_mention or called.by_reply or called.by_command:
            return Attention.ANSWER
        return Attention.FOLLOW_UP if message.session_key.thread else Attention.IGNORE

    def manner(self, _key: SessionKey) -> Manner:
        return self._manner
