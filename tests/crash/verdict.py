"""What came of a trial."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.crash.scenario import Scenario
from tests.platforms.paper_sender import PaperEvent

#: Of a text that is told.
_SHOWN = 40


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


def text_fault(event: PaperEvent, expected: str, said: str) -> Fault:
    """Where people read something else than the answer."""
    what = "doubled" if len(said) > len(expected) else "lost"
    told = f"expected {expected[:_SHOWN]!r} ({len(expected)}), people read {said[:_SHOWN]!r} ({len(said)})"
    return Fault(what, event.id, told)
