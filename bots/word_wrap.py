"""Breaks lines between words while a text streams in: a terminal alone would break them anywhere."""

import re

from rich.cells import cell_len

_WORDS_AND_GAPS = re.compile(r"\n|[^\S\n]+|\S+")


class WordWrap:
    """Holds the last word back until it is whole. A word that is wider than a line is left to the terminal."""

    def __init__(self, width: int, column: int = 0) -> None:
        self._width = width
        self._column = column
        self._word = ""

    def push(self, text: str) -> str:
        """What can be printed now."""
        *settled, self._word = _WORDS_AND_GAPS.findall(self._word + text) or [""]
        return "".join(self._place(part) for part in settled)

    def flush(self) -> str:
        word, self._word = self._word, ""
        return self._place(word)

    def _place(self, part: str) -> str:
        if part == "\n":
            self._column = 0
            return part
        cells = cell_len(part)
        if self._column + cells < self._width or cells >= self._width:
            self._column = (self._column + cells) % self._width
            return part
        self._column = 0 if part.isspace() else cells
        return "\n" if part.isspace() else f"\n{part}"
