"""A part of a reply → what a Discord message says.

Discord counts characters without saying which; UTF-16 units are never fewer. It takes no message of white space alone,
and cuts it off at both ends.
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

from adapters.discord.writing import for_discord
from adapters.text import Splitter
from core.clean_text import printable
from core.ports import NewSplitter, Outgoing

PLACEHOLDER = "…"
LIMIT_UNITS = 2000
#: Of a reply that goes as one message with the whole of it attached.
LONG_LIMIT_CHARS = 100_000

#: Longer than any text that could fit.
_LONGEST_TRIED_CHARS = 4 * LIMIT_UNITS
_FENCES_CHARS = 16
#: A block of code by indentation gets two fences.
_CODE_LINE = re.compile(r"(?m)^[ >]*(?: {4}|\t)")
#: What is shown was asked about by the splitter just before, and is asked about again when it is closed.
_REMEMBERED = 64


def new_splitter() -> NewSplitter:
    """Parts that fit a message; or one that is shortened, and attached whole."""

    def cut(borders: Sequence[int] = (), limit_chars: int = 0) -> Splitter:
        if limit_chars > LIMIT_UNITS:
            return Splitter(lambda markdown: len(markdown) <= limit_chars, borders)
        return Splitter(fits, borders)

    return cut


def fits(markdown: str) -> bool:
    """Asked very often of a text that grows: what surely fits is not converted for it."""
    if len(markdown) > _LONGEST_TRIED_CHARS:
        return False
    length = units(markdown)
    if "|" not in markdown and length + most_added(markdown) <= LIMIT_UNITS:
        return True
    return units(converted(markdown)) <= LIMIT_UNITS


def most_added(markdown: str) -> int:
    """No fewer characters than the conversion of a text without tables and bars adds: fences, and signs in code."""
    lines = markdown.count("\n") + markdown.count("\r") + 1
    return (
        _FENCES_CHARS + lines + 3 * markdown.count("\t") + markdown.count("`") + 9 * len(_CODE_LINE.findall(markdown))
    )


def units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def said(part: Outgoing) -> str:
    """What its message says; the beginning of what is too long for one."""
    text = converted(part.markdown)
    if units(text) > LIMIT_UNITS:
        text = beginning(part.markdown)
    return text if is_visible(text) else PLACEHOLDER


@lru_cache(_REMEMBERED)
def converted(markdown: str) -> str:
    whole = markdown.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return for_discord(printable(whole.replace("\r\n", "\n").replace("\r", "\n"))).strip()


@lru_cache(_REMEMBERED)
def beginning(markdown: str) -> str:
    """So much of a long text as fits one message, and a sign that it goes on."""
    sign = f"\n\n{PLACEHOLDER}"
    splitter = Splitter(lambda text: len(text) <= _LONGEST_TRIED_CHARS and fits_before(text, sign))
    splitter.append(markdown[:_LONGEST_TRIED_CHARS])
    splitter.finish()
    return converted(splitter.closed[0].text) + sign if splitter.closed else PLACEHOLDER


def fits_before(markdown: str, sign: str) -> bool:
    return units(converted(markdown)) + units(sign) <= LIMIT_UNITS


def is_visible(text: str) -> bool:
    return any(unicodedata.category(character)[0] not in "ZC" for character in text)
