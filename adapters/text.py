"""Markdown in parts that fit a platform's limit; nothing is dropped and every part stands on its own.

A platform's adapter tells what fits: characters, UTF-16 units, entities, after its own escaping. Two texts are the
same when their characters are, but for white space, for headers and fence lines that a part repeats or adds, and for
emphasis that is closed at the end of one part and opened again in the next.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from adapters.borders import Cut
from adapters.cutting import Draft, Fits
from adapters.held_back import settled, virtually_closed
from adapters.markdown_blocks import Document

# A cut is looked for in a window: the open text up to a quarter beyond the point where it stops fitting. It is made
# when the window is full and text beyond it has no say, so what is appended later never moves it. The points that are
# tried are the same however the text arrives.
_LOOK_AHEAD = 4
_FIRST_TRY = 8
_BLANK_LINES = re.compile(r"\A(?:[ \t]*\n)+")
#: A word longer than this is shown before its end is known.
_LONGEST_HELD_WORD = 40


@dataclass(frozen=True, slots=True)
class Part:
    """Markdown of its own, and which characters of the source it carries (a line break counts as one)."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Rest:
    """The text that is still open, with the hidden line that says which list items it goes on in."""

    text: str = ""
    hidden: str = ""
    #: So many characters were put before it: an opened fence, a repeated header, a quote's mark.
    inserted: int = 0


def split(markdown: str, fits: Fits) -> list[str]:
    """The Markdown in as few parts as sensible, each satisfying `fits`.

    ValueError when `fits` refuses a single character.
    """
    splitter = Splitter(fits)
    splitter.append(markdown)
    splitter.finish()
    return [part.text for part in splitter.closed]


class Splitter:
    """Parts of a text that grows: closed ones never change, the open one goes on.

    `borders` are the ends of parts that an earlier Splitter closed in the same text; it is cut there again.
    """

    def __init__(self, fits: Fits, borders: Iterable[int] = ()) -> None:
        if not fits("x"):
            raise ValueError("the limit does not hold a single character")
        self.fits = fits
        self.closed: tuple[Part, ...] = ()
        self._borders = list(borders)
        self._rest = _Rest()
        self._source_chars = 0
        self._carriage_return = ""
        #: Length of the open text at which the next look for a cut can succeed.
        self._next_look = 0
        self._released = ""

    def append(self, text: str) -> tuple[Part, ...]:
        """Takes more of the text; gives the parts that it closed."""
        text = self._carriage_return + text
        self._carriage_return = "\r" if text.endswith("\r") else ""
        text = text.removesuffix("\r").replace("\r\n", "\n").replace("\r", "\n")
        self._take(text)
        return self._close_parts(is_whole=False)

    def finish(self) -> tuple[Part, ...]:
        """The text is whole: closes what is open; gives the parts that this closed."""
        self._take("\n" if self._carriage_return else "")
        self._carriage_return = ""
        return self._close_parts(is_whole=True)

    def open(self) -> list[str]:
        """The open text for an edit stream, its marks closed for display; [] when nothing is open.

        It is one part, or provisionally more while it is too long and not yet known where it will be cut.
        """
        trial = Splitter(lambda text: self.fits(virtually_closed(text)))
        trial._rest, trial._source_chars, trial._released = self._rest, self._source_chars, self._released
        trial.finish()
        texts = [part.text for part in trial.closed]
        return [*texts[:-1], virtually_closed(self._shown() if len(texts) == 1 else texts[-1])] if texts else []

    def release(self) -> str:
        """What an append-only stream may show of the open part by now.

        It only grows, and the part when it is closed begins with it.
        """
        shown = self._shown()
        length = _whole_words(shown, settled(shown))
        text = shown[:length].rstrip()
        if len(text) > len(self._released) and self.fits(virtually_closed(shown)) and self.fits(virtually_closed(text)):
            self._released = text
        return self._released

    def _shown(self) -> str:
        document = Document(self._rest.text, self._rest.hidden)
        last = len(document.lines) - 1
        return document.shown_until(last, len(document.lines[last].content))

    def _take(self, text: str) -> None:
        self._source_chars += len(text)
        open_text = self._rest.text + text
        if self._rest == _Rest() or not self._rest.text.strip():
            open_text = _BLANK_LINES.sub("", open_text)
        self._rest = replace(self._rest, text=open_text)

    def _close_parts(self, *, is_whole: bool) -> tuple[Part, ...]:
        already = len(self.closed)
        while self._rest.text.strip() and self._close_part(is_whole=is_whole):
            pass
        return self.closed[already:]

    def _close_part(self, *, is_whole: bool) -> bool:
        rest = self._rest
        if len(rest.text) < self._next_look and not is_whole:
            return False
        room = _overflow(rest.text, self.fits)
        if room is None and not is_whole:
            self._next_look = _next_try(len(rest.text))
            return False
        window_chars = len(rest.text) if room is None else room + room // _LOOK_AHEAD + 1
        if len(rest.text) < window_chars and not is_whole:
            self._next_look = window_chars
            return False
        forced = self._position(self._borders[0]) if self._borders else None
        document = Document(rest.text[: max(window_chars, forced or 0)], rest.hidden)
        holds_all = is_whole and len(document.text) - document.hidden_chars >= len(rest.text)
        if holds_all and forced is None and self._fits_whole(document):
            self._close(_whole_text(document), _Rest(), len(rest.text.rstrip()))
            return False
        self._cut(document, room or len(rest.text), holds_all, forced)
        return True

    def _fits_whole(self, document: Document) -> bool:
        return self.fits(_whole_text(document))

    def _cut(self, document: Document, room_chars: int, is_whole: bool, forced: int | None) -> None:
        released = document.offset_of_shown(len(self._released))
        floor = max(document.hidden_chars + self._rest.inserted + 1, released)
        draft = Draft(document, self.fits, room_chars, is_whole, floor)
        try:
            cut = draft.first_cut() if forced is None else draft.cut_at(document.hidden_chars + forced)
        except ValueError:
            if self._released:
                cut = draft.cut_at(released)
            elif self._rest.inserted:
                # What was opened again leaves no room: the text goes on without it.
                self._rest = _Rest(self._rest.text[self._rest.inserted :])
                return
            else:
                raise
        self._borders = self._borders[1:]
        left = cut.border.left
        end = document.lines[left.line].offset(left.column) - document.hidden_chars
        self._close(draft.text(cut), _rest_after(document, cut, self._rest), end)

    def _position(self, source: int) -> int:
        return len(self._rest.text) - (self._source_chars - source)

    def _close(self, text: str, rest: _Rest, end: int) -> None:
        behind = self._source_chars - len(self._rest.text)
        part = Part(text, behind + self._rest.inserted, behind + end)
        self.closed = (*self.closed, part)
        self._rest, self._released, self._next_look = rest, "", 0


def _whole_text(document: Document) -> str:
    last = document.last_line()
    if last < document.first:
        return ""
    text = document.shown_until(last, len(document.lines[last].content))
    leaf = document.lines[last].leaf
    if leaf is not None and leaf.kind == "fence" and not document.is_closed(leaf):
        return text + "\n" + document.closing_line(leaf)
    return text


def _rest_after(document: Document, cut: Cut, rest: _Rest) -> _Rest:
    right = cut.border.right
    line = document.lines[right.line]
    going_on = [holder for holder in line.holders if holder.start < right.line or right.column]
    prefix = document.prefix(going_on, shown=False)
    inserted = prefix + ("\n" + prefix).join(cut.reopen)
    own = "".join(line.prefixes[len(going_on) :]) + line.content[right.column :]
    behind = rest.text[line.end - document.hidden_chars :]
    return _Rest(inserted + own + behind, document.opener(going_on), len(inserted))


def _overflow(text: str, fits: Fits) -> int | None:
    """The first of the tried lengths at which the text does not fit; None when it fits at all of them."""
    low, high = 0, _FIRST_TRY
    while high <= len(text) and fits(text[:high]):
        low, high = high, 2 * high
    step = max(1, low // _FIRST_TRY)
    tries = range(low + step, min(high, len(text)) + 1, step)
    return next((length for length in tries if not fits(text[:length])), None)


def _next_try(length: int) -> int:
    step = max(1, 2 ** (max(length, _FIRST_TRY) // _FIRST_TRY).bit_length() // 2)
    return length - length % step + step


def _whole_words(text: str, length: int) -> int:
    """Up to where the text is shown so that its last word is whole."""
    if length >= len(text) or text[length].isspace():
        word_start = max(text.rfind(" ", 0, length), text.rfind("\n", 0, length)) + 1
    else:
        word_start = length
    return length if length - word_start > _LONGEST_HELD_WORD else word_start
