"""What a small model does wrong, seen while its reply is written: blank, said before, going in circles.

Text in, verdicts out; it neither draws nor sends anything.
"""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

#: A phrase that goes in circles is at most so long, and the circle at least so long, in characters.
_LONGEST_PHRASE_CHARS = 160
_SHORTEST_LOOP_CHARS = 80


class Flaw(StrEnum):
    BLANK = "blank"
    REPEATED = "repeated"


@dataclass(frozen=True, slots=True)
class GuardLimits:
    #: How often a blank or repeated reply is drawn again.
    redraws: int = 2
    #: A phrase said so often in a row is a loop; 0 sees none.
    loop_repeats: int = 4


class ReplyGuard:
    """Stands between one draw of a reply and the person who reads it.

    Text is held back while it may still turn out to be one of `earlier`, so that a repeated reply is never seen.
    """

    def __init__(self, earlier: Sequence[str], loop_repeats: int, shown: str = "") -> None:
        self.text = shown
        self._earlier = [_folded(reply) for reply in earlier if visible(reply)]
        self._loop_repeats = loop_repeats
        self._shown = len(shown)

    def push(self, piece: str) -> str:
        """Takes what the model wrote and gives what may be shown now."""
        self.text = (self.text + piece).lstrip() if not self._shown else self.text + piece
        return "" if self._may_repeat() or not visible(self.text) else self._show()

    def finish(self) -> str:
        """What was held back, unless the reply has a flaw."""
        return "" if self.flaw else self._show()

    @property
    def shown(self) -> str:
        """What the person has seen."""
        return self.text[: self._shown]

    @property
    def flaw(self) -> Flaw | None:
        """Of the whole reply, as far as it was pushed."""
        if not visible(self.text):
            return Flaw.BLANK
        return Flaw.REPEATED if _folded(self.text) in self._earlier else None

    @property
    def loops(self) -> bool:
        """Whether the reply's end says the same thing again and again."""
        return bool(self._loop_repeats) and going_in_circles(self.text, self._loop_repeats)

    def _may_repeat(self) -> bool:
        if self._shown:
            return False
        begun = _folded(self.text)
        return any(reply.startswith(begun) for reply in self._earlier)

    def _show(self) -> str:
        shown = self.text[self._shown :]
        self._shown = len(self.text)
        return shown


def visible(text: str) -> bool:
    """Whether a person would see anything: white space, controls and invisible marks alone don't count."""
    return any(unicodedata.category(character)[0] not in "CZ" for character in text)


def going_in_circles(text: str, repeats: int) -> bool:
    """Whether `text` ends in one phrase, said at least `repeats` times in a row over at least 80 characters."""
    for length in range(1, min(_LONGEST_PHRASE_CHARS, len(text) // repeats) + 1):
        times = max(repeats, -(-_SHORTEST_LOOP_CHARS // length))
        if text.endswith(text[-length:] * times):
            return True
    return False


def _folded(text: str) -> str:
    return " ".join(text.casefold().split())
