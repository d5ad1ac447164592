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
from adapters.graphemes import grapheme_starts
from adapters.held_back import settled, virtually_closed
from adapters.markdown_blocks import Document, read_document

# A cut is looked for in a window: the open text up to a quarter beyond the point where it stops fitting. It is made
# when the window is full and text beyond it has no say, so what is appended later never moves it. The points that are
# tried are the same however the text arrives.
_LOOK_AHEAD = 4
_FIRST_TRY = 8
_BLANK_LINES = re.compile(r"\A(?:[ \t]*\n)+")


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
        self._known_to_fit = 0
        self._released = ""
        #: The open part is to be closed as soon as it can be.
        self._is_rolling = False

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

    def roll_over(self) -> tuple[Part, ...]:
        """Closes the open part as soon as what follows the cut can't change any more, now or while the text grows.

        Gives the parts that this closed. They end no earlier than what was released, and until then nothing more is.
        """
        self._is_rolling = bool(self._rest.text.strip())
        return self._close_parts(is_whole=False)

    def open(self) -> list[str]:
        """The open text for an edit stream, its marks closed for display; [] when nothing is open.

        It is one part, or provisionally more while it is too long and not yet known where it will be cut.
        """
        if not self._rest.text.strip():
            return []
        shown = self._shown()
        if self._shows(shown):
            return [virtually_closed(shown)]
        trial = Splitter(self._shows)
        trial._rest, trial._source_chars, trial._released = self._rest, self._source_chars, self._released
        trial.finish()
        texts = [part.text for part in trial.closed]
        return [*texts[:-1], virtually_closed(texts[-1])] if texts else []

    def release(self) -> str:
        """What an append-only stream may show of the open part by now.

        It only grows, and the part when it is closed begins with it.
        """
        if self._is_rolling:
            return self._released
        document = read_document(self._rest.text, self._rest.hidden)
        shown = self._shown()
        draft = Draft(document, self.fits, len(shown), False, 0)
        cut = draft.last_cut(document.offset_of_shown(settled(shown))) if self._shows(shown) else None
        if cut is not None and self.fits(draft.text(cut)):
            text = document.shown_until(*cut.border.left)
            self._released = max(self._released, text, key=len)
        return self._released

    def _shows(self, shown: str) -> bool:
        return self.fits(shown) and self.fits(virtually_closed(shown))

    def _shown(self) -> str:
        document = read_document(self._rest.text, self._rest.hidden)
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
        rest, forced = self._rest, self._forced_end()
        if (self._is_rolling or forced is not None) and not is_whole and self._close_early(forced):
            return True
        if len(rest.text) < self._next_look and not is_whole:
            return False
        room = _overflow(rest.text, self._fits_as_shown, self._known_to_fit)
        if room is None and not is_whole:
            self._known_to_fit = len(rest.text)
            self._next_look = _next_try(len(rest.text))
            return False
        if is_whole and forced is None and rest == _Rest(rest.text) and self._is_plain_line(rest.text):
            self._close(rest.text.partition("\n")[0], _Rest(), len(rest.text.rstrip()))
            return True
        window_chars = len(rest.text) if room is None else room + room // _LOOK_AHEAD + 1
        if len(rest.text) < window_chars and not is_whole:
            self._next_look = window_chars
            return False
        document = read_document(rest.text[: max(window_chars, forced or 0)], rest.hidden)
        holds_all = is_whole and len(document.text) - document.hidden_chars >= len(rest.text)
        if holds_all and forced is None and self.fits(text := _whole_text(document)):
            self._close(text, _Rest(), len(rest.text.rstrip()))
        else:
            self._cut(document, room or len(rest.text), holds_all, forced)
        return True

    def _is_plain_line(self, text: str) -> bool:
        """Whether it is one paragraph of one line, as most short replies are: nothing of it needs to be parsed."""
        return text[0].isalpha() and "\n" not in text.rstrip() and self.fits(text.partition("\n")[0])

    def _close_early(self, forced: int | None) -> bool:
        """Closes the open part although it is not full: where it was cut before, or where it can be cut by now."""
        document = read_document(self._rest.text, self._rest.hidden)
        shown = self._shown()
        released = document.offset_of_shown(len(self._released))
        draft = Draft(document, self.fits, len(shown), False, max(self._least_end(document), released))
        sure = document.offset_of_shown(settled(shown))
        cut = draft.sure_cut(sure) if forced is None else draft.cut_at(document.hidden_chars + forced)
        if cut is None or not draft.is_sure(cut, sure) or not self.fits(draft.text(cut)):
            return False
        self._close_at(draft, cut)
        return True

    def _least_end(self, document: Document) -> int:
        """A part says more than what it repeats of the one before."""
        return document.hidden_chars + self._rest.inserted + 1

    def _close_at(self, draft: Draft, cut: Cut) -> None:
        self._borders = self._borders[1:]
        left = cut.border.left
        end = draft.document.lines[left.line].offset(left.column) - draft.document.hidden_chars
        self._close(draft.text(cut), _rest_after(draft.document, cut, self._rest), end)

    def _fits_as_shown(self, text: str) -> bool:
        """About the text without the indentation of its hidden items, which would read as code."""
        if not self._rest.hidden:
            return self.fits(text)
        return self.fits(re.sub(rf"(?m)^((?:> ?)*) {{1,{len(self._rest.hidden)}}}", r"\1", text))

    def _cut(self, document: Document, room_chars: int, is_whole: bool, forced: int | None) -> None:
        released = document.offset_of_shown(len(self._released))
        floor = max(self._least_end(document), released)
        draft = Draft(document, self.fits, room_chars, is_whole, floor)
        try:
            cut = draft.first_cut() if forced is None else draft.cut_at(document.hidden_chars + forced)
        except ValueError:
            if not self._released:
                self._cut_bare()
                return
            cut = draft.cut_at(released)
        self._close_at(draft, cut)

    def _cut_bare(self) -> None:
        """For limits that don't hold a quote's mark and a character: the text goes on as it was written."""
        if self._rest.inserted:
            self._rest = _Rest(self._rest.text[self._rest.inserted :])
            return
        text, end = self._rest.text, 0
        for stop in [*grapheme_starts(text), len(text)][1:]:
            if not self.fits(text[:stop]):
                break
            end = stop
        if end == 0:
            raise ValueError("the limit does not hold a single character of this text")
        self._close(text[:end], _Rest(text[end:]), end)

    def _forced_end(self) -> int | None:
        """Where the open text was cut before; None where it is not known or was the end of all."""
        if not self._borders:
            return None
        end = len(self._rest.text) - (self._source_chars - self._borders[0])
        return end if end < len(self._rest.text.rstrip()) else None

    def _close(self, text: str, rest: _Rest, end: int) -> None:
        behind = self._source_chars - len(self._rest.text)
        if text.strip():
            self.closed = (*self.closed, Part(text, behind + self._rest.inserted, behind + end))
        self._rest, self._released, self._is_rolling = rest, "", False
        self._next_look = self._known_to_fit = 0


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


def _overflow(text: str, fits: Fits, known: int) -> int | None:
    """The first of the tried lengths at which the text does not fit, beyond the one that is known to; None for none."""
    high = _FIRST_TRY
    while known in (0, high // 2) and high <= len(text) and fits(text[:high]):
        known, high = high, 2 * high
    length = _next_try(known)
    while length <= len(text):
        if not fits(text[:length]):
            return length
        length = _next_try(length)
    return None


def _next_try(length: int) -> int:
    step = 1 << max(0, (length // _FIRST_TRY).bit_length() - 1)
    return length - length % step + step
