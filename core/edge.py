"""Where a reply leaves the program: an account on a platform, and who is answered there."""

from dataclasses import dataclass, field

from core.dialogue import SessionKey
from core.dispatcher import Holding
from core.memory.owed import SentPart
from core.ports import NewSplitter, Sender
from core.sending import SendLimits


@dataclass(frozen=True, slots=True)
class Edge:
    """One account on one platform."""

    sender: Sender
    splitter: NewSplitter
    limits: SendLimits = field(default_factory=SendLimits)


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where a reply goes."""

    key: SessionKey
    #: The message that is answered; "" where none is.
    reply_to_id: str
    holding: Holding
    #: The model answers it.
    is_drawn: bool = False
    #: The platform's id of the person who is answered; "" where nobody asked.
    asker_id: str = ""


def whole_parts(edge: Edge, key: SessionKey, text: str) -> tuple[SentPart, ...]:
    """How a text that is known from the start is cut for a place."""
    splitter = edge.splitter(limit_chars=edge.sender.capabilities(key).limit_chars)
    splitter.append(text)
    splitter.finish()
    return tuple(SentPart(number, end=part.end) for number, part in enumerate(splitter.closed))
