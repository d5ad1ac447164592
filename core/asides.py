"""What a prompt says of a dialogue beside its turns: what was said before, in short, and older turns that were found.

It stands where a person's words stand, as data: it is made of what people said, and no order of theirs.
"""

from collections.abc import Iterable, Sequence

from core.dialogue import Role, Summary, Turn
from core.speakers import harmless_name

#: So much of an older turn is shown beside a question.
_FOUND_CHARS = 600
_SUMMARISED = "[What was said before, in short: {}]"
_FOUND = "[Said earlier in this dialogue:\n{}]"


def told_line(turn: Turn, limit_chars: int = _FOUND_CHARS) -> str:
    """What was said as one line, so that no text can pose as another turn."""
    speaker = (harmless_name(turn) or "User") if turn.role is Role.PERSON else "Assistant"
    said = " ".join(turn.text.split())
    return f"{speaker}: {said if len(said) <= limit_chars else said[: limit_chars - 1] + '…'}"


def found_aside(found: Iterable[Turn]) -> Turn:
    """In the order in which they were said."""
    lines = "\n".join(told_line(turn) for turn in sorted(found, key=lambda turn: turn.id))
    return Turn(0, Role.PERSON, _FOUND.format(lines))


def summary_before(start: Turn, summaries: Sequence[Summary]) -> Summary | None:
    """The newest of them that tells of nothing but what lies before the start."""
    return next((summary for summary in reversed(summaries) if summary.until_turn_id < start.id), None)


def opening(summary: Summary | None) -> tuple[Turn, ...]:
    return () if summary is None else (Turn(0, Role.PERSON, _SUMMARISED.format(" ".join(summary.text.split()))),)


def opened(turns: Sequence[Turn], summaries: Sequence[Summary]) -> list[Turn]:
    """The turns behind what is told of those before them."""
    return [*opening(summary_before(turns[0], summaries)), *turns]
