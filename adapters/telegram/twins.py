"""Markup that would take words from a reader, and how it is kept from doing so.

A mark's twin is a character of a private plane: to the parser it means nothing, and it is swapped back afterwards. Most
such marks are known by sight: `<` begins HTML, `]:` defines a link, a single `~` strikes out. Others are found by
reading what the parser made of the text: which of its words it says again, and where an address goes.
"""

import re
from collections.abc import Sequence
from itertools import pairwise
from urllib.parse import urlsplit

import pyromark
from pyromark.event import Event, Range

Reading = tuple[tuple[Event, Range], ...]

_OPTIONS = pyromark.Options.ENABLE_TABLES | pyromark.Options.ENABLE_STRIKETHROUGH | pyromark.Options.ENABLE_TASKLISTS
#: An address in brackets is left alone.
_BY_SIGHT = re.compile(r"<(?!https?://[^\s<>]+>)|:(?<=\]:)|~(?<!~~)(?!~)")
_BLOCK = 128
_FIRST_BLOCK, _LAST_BLOCK = 0xE000 // _BLOCK, 0xF880 // _BLOCK
_PASSES = 8
_LONGEST_ADDRESS_CHARS = 2000
#: Neither white space nor ASCII punctuation.
_WORD = re.compile(r"[^\s!-/:-@\[-`{-~]")
_LETTER = re.compile(rb"[0-9A-Za-z\x80-\xff]")
_LIST_MARK = re.compile(rb"\s*(?:[-+*]|\d{1,9}[.)])")
_SAID = frozenset({"Text", "Code", "TaskListMarker"})


class Lost(ValueError):
    """The parser drops words, and no mark is to blame."""


class Twins:
    """For one text: the plane has room for several sets, and one is taken that the text does not use itself."""

    def __init__(self, text: str) -> None:
        used = {ord(character) // _BLOCK for character in text} if text and max(text) >= "\ue000" else set()
        block = next((block for block in range(_FIRST_BLOCK, _LAST_BLOCK + 1) if block not in used), None)
        if block is None:
            raise Lost("the text uses every twin itself")
        self._first = block * _BLOCK
        self._marks = {self._first + code: chr(code) for code in range(_BLOCK)}

    def of(self, mark: str) -> str:
        """Of an ASCII character."""
        return chr(self._first + ord(mark))

    def restored(self, text: str) -> str:
        return text.translate(self._marks)


def read(markdown: str, twins: Twins) -> tuple[str, Reading]:
    """The text with twins in it, and what the parser makes of that: every word of it is said. Raises Lost."""
    text = _BY_SIGHT.sub(lambda match: match[0] if _is_escaped(match) else twins.of(match[0]), markdown)
    for _ in range(_PASSES):
        reading = tuple(pyromark.events_with_range(text, options=_OPTIONS))
        words = _Words(text.encode(), twins)
        words.look(reading)
        if not words.marks:
            return text, reading
        text = _swapped(text.encode(), sorted(set(words.marks)), twins)
    raise Lost("marks hide other marks")


def _is_escaped(mark: re.Match[str]) -> bool:
    """In code the backslash is text, and so is the mark."""
    start = mark.start()
    while start > 0 and mark.string[start - 1] == "\\":
        start -= 1
    return (mark.start() - start) % 2 == 1


def _swapped(source: bytes, marks: Sequence[int], twins: Twins) -> str:
    pieces = [source[: marks[0]].decode()]
    for mark, following in pairwise([*marks, len(source)]):
        pieces += [twins.of(chr(source[mark])), source[mark + 1 : following].decode()]
    return "".join(pieces)


class _Words:
    """Goes through a text with the parser, and sees which of its words are not said."""

    def __init__(self, source: bytes, twins: Twins) -> None:
        self._source = source
        self._twins = twins
        #: Offsets in bytes of what is to be swapped.
        self.marks: list[int] = []
        #: All before it is said, or is markup.
        self._seen = 0
        #: Start of each link and image that is open, and how much was said before it.
        self._links: list[tuple[int, int]] = []
        self._said = 0
        self._table: int | None = None

    def look(self, reading: Reading) -> None:
        """Raises Lost."""
        for event, span in reading:
            start, end = span["start"], span["end"]
            if start > self._seen:
                self._pass(start)
            if not isinstance(event, dict):
                continue
            [(kind, content)] = event.items()
            if kind in _SAID:
                self._said += 1
                self._seen = max(self._seen, end)
            elif kind == "Start":
                self._begin(content, start)
            elif kind == "End":
                self._end(content, end)
            elif kind in ("Html", "InlineHtml"):
                self._swap(b"<", start)
                self._seen = max(self._seen, end)
        self._pass(len(self._source))

    def _pass(self, start: int) -> None:
        """What stands before `start`, and was not said."""
        seen, self._seen = self._seen, start
        if _LETTER.search(self._source, seen, start) is None or self._links:
            return
        if _WORD.search(self._source[seen:start].decode(errors="replace")) is None:
            return
        if self._table is None:
            raise Lost("the parser drops words")
        self._swap(b"-", self._source.find(b"\n", self._table))

    def _begin(self, tag: object, start: int) -> None:
        [(name, content)] = tag.items() if isinstance(tag, dict) else [(tag, None)]
        if name == "Table":
            self._table = start
        elif name == "Item" and (mark := _LIST_MARK.match(self._source, start)):
            self._seen = max(self._seen, mark.end())
        elif name == "CodeBlock" and isinstance(content, dict):
            self._seen = max(self._seen, self._source.find(b"\n", start))
        elif name in ("Link", "Image"):
            self._links.append((start, self._said))
            if self._table is not None or not self._is_linked(content):
                self.marks.append(start)

    def _end(self, tag: object, end: int) -> None:
        if tag == "Table":
            self._table = None
        elif tag in ("Link", "Image") and self._links:
            start, said = self._links.pop()
            if said == self._said:  # there is nothing to press
                self.marks.append(start)
            self._seen = max(self._seen, end)
        elif tag == "CodeBlock":
            self._seen = max(self._seen, end)

    def _is_linked(self, link: object) -> bool:
        """Whether Telegram takes the address; it drops others without a word."""
        address = self._twins.restored(str(link["dest_url"])) if isinstance(link, dict) else ""
        if len(address) > _LONGEST_ADDRESS_CHARS or re.search(r"\s", address):
            return False
        try:
            parts = urlsplit(address)
            host = parts.hostname or ""
        except ValueError:
            return False
        return parts.scheme in ("http", "https") and ("." in host or ":" in host)

    def _swap(self, mark: bytes, start: int) -> None:
        """The first such mark after `start`."""
        place = self._source.find(mark, start) if start >= 0 else -1
        if place < 0:
            raise Lost("the mark is not where it is looked for")
        self.marks.append(place)
