"""What a reader takes for one character: a letter with its accents, an emoji with its joiners, a flag."""

from collections.abc import Iterator

import regex


def grapheme_starts(text: str) -> Iterator[int]:
    """The offset at which each grapheme cluster begins."""
    for match in regex.finditer(r"\X", text):
        yield match.start()
