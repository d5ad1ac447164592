"""What is owed to a message: the values that go into the outbox and come out of it."""

from dataclasses import dataclass

from core.dialogue import Turn, TurnState
from core.memory.leased import Lease, WaitingMessage
from core.memory.recording import ReplyRecord
from core.memory.sessions import NewSession, Session

#: States of a delivery.
STREAMING, WHOLE, DELIVERED, FAILED = "streaming", "whole", "delivered", "failed"
#: Of one that is to end with what was seen of it.
STOPPED = "stopped"


@dataclass(frozen=True, slots=True)
class SentPart:
    """One message of a reply on the platform, as far as it is known."""

    part: int
    handle: str | None = None
    #: Where the reply's text is cut after it; None while it is open.
    end: int | None = None
    #: The platform has taken its last word.
    is_closed: bool = False


@dataclass(frozen=True, slots=True)
class Delivery:
    """A reply that is owed."""

    id: int
    #: Opaque: platforms may see it.
    token: str
    state: str = STREAMING
    #: What its message ends as, when it is delivered.
    ends_as: TurnState = TurnState.DELIVERED
    #: None of what a command says.
    turn_id: int | None = None
    #: The reply that it goes on after, of which nothing is said again.
    continues_id: int | None = None
    #: As far as it may have been seen; all of it once it is whole.
    text: str = ""
    token_ids: tuple[int, ...] = ()
    #: Stands below the reply, and is no part of the turn.
    footnote: str = ""
    seed: int | None = None
    parts: tuple[SentPart, ...] = ()


@dataclass(frozen=True, slots=True)
class Begun:
    """A message that is being answered."""

    delivery: Delivery
    #: None where it is answered without the model.
    session: Session | None = None
    question: Turn | None = None
    #: The reply to the question that is gone on with.
    continues: Turn | None = None
    #: Of a refusal, for the operator.
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Beginning:
    """Messages that one person said at once, and where they belong."""

    lease: Lease
    #: The first one is answered, for all of them.
    messages: tuple[WaitingMessage, ...]
    session: NewSession
    #: Of the turn.
    text: str
    #: One that is whole already is no model's.
    owed: Delivery


@dataclass(frozen=True, slots=True)
class Resuming:
    """A message that was begun before."""

    lease: Lease
    message: WaitingMessage


@dataclass(frozen=True, slots=True)
class Saying:
    """An answer that needs no model: a command's, a refusal, an apology."""

    lease: Lease
    message: WaitingMessage
    #: Whole, with its parts.
    delivery: Delivery
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Again:
    """A question that was answered before and is answered once more."""

    lease: Lease
    #: The command, or the button, that asked for it.
    message: WaitingMessage
    session: Session
    question: Turn
    token: str
    #: The reply that is gone on with; None draws another one.
    continues: Turn | None = None
    #: The messages of an earlier reply, whose place the new one takes.
    parts: tuple[SentPart, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """What is about to be shown."""

    lease: Lease
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class Whole:
    """A reply that is written to its end, and how it is cut."""

    lease: Lease
    message: WaitingMessage
    session: Session
    question: Turn
    record: ReplyRecord
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class Settled:
    """The platform has all of a reply."""

    lease: Lease
    message: WaitingMessage
    delivery: Delivery


@dataclass(frozen=True, slots=True)
class Ended:
    """A message that gets no answer, or not now."""

    lease: Lease
    message: WaitingMessage
    #: `WAITING` is tried again after `pause_s`.
    state: TurnState
    reason: str
    pause_s: float = 0.0
    #: Nothing more is sent at this place until somebody speaks there again.
    pauses_place: bool = False
