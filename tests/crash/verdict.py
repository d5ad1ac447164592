"""What came of a trial."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.crash.scenario import Scenario


@dataclass(frozen=True, slots=True)
class Fault:
    #: "lost", "doubled" or "broken".
    what: str
    message_id: str
    told: str


@dataclass(frozen=True, slots=True)
class Judgement:
    """As a platform saw it."""

    faults: Sequence[Fault]
    #: Empty placeholders that stayed where nobody can ask what was sent.
    left_over: int
    #: Events that nobody acked at first, where the platform tells.
    brought_again: int = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    scenario: Scenario
    faults: tuple[Fault, ...]
    messages: int
    kills: int
    holds: int
    #: Of empty placeholders.
    left_over: int
    history: str = ""
    #: Events that nobody acked at first.
    brought_again: int = 0
