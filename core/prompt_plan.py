"""What a prompt is to hold, and where the last one of its dialogue began."""

from collections.abc import Sequence
from dataclasses import dataclass

from core.dialogue import Role, Summary, Turn


@dataclass(frozen=True, slots=True)
class Plan:
    """Where a prompt begins, and what it has room for."""

    system_prompt: str
    #: What was said before the turns, as a person would tell it; () where nothing is told of it.
    opening: tuple[Turn, ...]
    #: Oldest first; the last one is answered.
    turns: tuple[Turn, ...]
    #: None where not even the last turn fits.
    token_ids: tuple[int, ...] | None
    #: What the prompt would take without a word of the dialogue.
    fixed_tokens: int
    #: There were more turns.
    is_trimmed: bool = False
    summary: Summary | None = None


def last_start(turns: Sequence[Turn]) -> int | None:
    """Where the last prompt began, by the newest assistant's turn that knows it."""
    ids = [turn.id for turn in turns]
    for turn in reversed(turns):
        if turn.role is Role.ASSISTANT and turn.prompt_start_id is not None:
            return ids.index(turn.prompt_start_id) if turn.prompt_start_id in ids else None
    return None
