"""What goes wrong outside of the bots."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Weather:
    """How often something goes wrong, of all calls or deliveries."""

    rate_limited: float = 0.0
    unanswered: float = 0.0
    unheard: float = 0.0
    away: float = 0.0
    #: It was done, and the answer comes when nobody waits for it any more.
    late: float = 0.0
    redelivered: float = 0.0


@dataclass(frozen=True, slots=True)
class CallFault:
    """What goes wrong with one call of a local server's; as its `fault` order has it."""

    kind: str
    #: "" is any that speaks.
    method: str
    #: So many of them go well first.
    after: int
    #: Of a delay.
    seconds: float = 0.0
    #: Of an error instead of an answer.
    status: int = 500
    retry_after_s: int = 1
    #: One of the platform's error codes; Slack's go with status 200.
    error: str = ""


@dataclass(frozen=True, slots=True)
class Upheaval:
    """What befalls the local server itself."""

    #: As the platform's `Outside` has it.
    kind: str
    after_s: float = 0.0
