"""The first part of a Markdown text that is too long: which of its borders is taken.

The coarsest border wins that either fills a fair share of the part or stands before something that fits whole.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from adapters.borders import BARE, WORD, Border, Cut, Point, bare_borders, line_borders, line_cut
from adapters.markdown_blocks import Document
from adapters.regions import Region

Fits = Callable[[str], bool]
Wrap = Callable[[Border], Cut]

#: A part is not left emptier than one over this for the sake of a block that won't fit in one part anyway.
_FAIR_SHARE = 4
_STEPS_BACK = 3
_LONG_WORD_CHARS = 40


@dataclass(frozen=True, slots=True)
class Draft:
    """The text of which a part is to be cut."""

    document: Document
    fits: Fits
    #: About how many characters a part holds.
    room_chars: int
    #: No more text follows the document.
    is_whole: bool
    #: Offset in the document that the part must reach.
    floor: int

    def text(self, cut: Cut) -> str:
        return self.document.shown_until(*cut.border.left) + cut.close

    def _offset(self, point: Point) -> int:
        return self.document.lines[point.line].offset(point.column)

    def first_cut(self) -> Cut:
        """The cut that ends the first part; ValueError where not even one character fits."""
        document = self.document
        between_lines = line_borders(document)
        wrap = partial(line_cut, document)
        reach = self._reach(between_lines, wrap)
        choice, fallback = self._choose(between_lines, reach, wrap, len(document.text))
        if choice is not None:
            return choice
        start = between_lines[reach].right.line if reach >= 0 else self._first_line()
        after = [border for border in between_lines[reach + 1 :] if border.right.line > start]
        end = after[0].right.line if after else len(document.lines)
        choice = self._cut_within(self._region(start, end)) or fallback
        if choice is None:
            bare = bare_borders(document, start, end)
            full, finest = self._choose(bare, self._reach(bare, wrap), wrap, None)
            choice = full or finest
        if choice is None:
            raise ValueError("the limit does not hold a single character of this text")
        return choice

    def cut_at(self, offset: int) -> Cut:
        """The cut whose left part ends at that offset of the document."""
        cut = self.last_cut(offset)
        if cut is not None and self._offset(cut.border.left) == offset:
            return cut
        document = self.document
        line = next(index for index, line in enumerate(document.lines) if line.end >= offset)
        content = document.lines[line].content
        left = Point(line, max(0, len(content) - (document.lines[line].end - offset)))
        right = Point(line, len(content) - len(content[left.column :].lstrip()))
        if right.column == len(content):
            later = range(line + 1, len(document.lines))
            right = Point(next((index for index in later if not document.lines[index].is_blank), line), 0)
        return Cut(Border(BARE, left, right if right.line > line or right.column else left), "", ("",))

    def last_cut(self, offset: int) -> Cut | None:
        """The last cut whose left part ends at or before that offset, at a word if one is near."""
        document = self.document
        between_lines = line_borders(document)
        before = [border for border in between_lines if self._offset(border.left) <= offset]
        start = before[-1].right.line if before else self._first_line()
        ends = [border.right.line for border in between_lines if border.right.line > start]
        region = self._region(start, min(ends, default=len(document.lines)))
        words = [border for border in region.word_borders() if self._offset(border.left) <= offset]
        cut = region.wrap(words[-1]) if words else line_cut(document, before[-1]) if before else None
        if cut is not None and offset - self._offset(cut.border.left) < _LONG_WORD_CHARS:
            return cut
        graphemes = [border for border in region.grapheme_borders() if self._offset(border.left) <= offset]
        return region.wrap(graphemes[-1]) if graphemes else cut

    def sure_cut(self, sure: int) -> Cut | None:
        """The last cut that keeps its meaning whatever follows the first `sure` characters."""
        cut = self.last_cut(sure)
        while cut is not None and not self.is_sure(cut, sure):
            before = self._offset(cut.border.left) - 1
            cut = self.last_cut(before) if before >= self.floor else None
        return cut if cut is not None and self._offset(cut.border.left) >= self.floor else None

    def is_sure(self, cut: Cut, sure: int) -> bool:
        """Whether the first word behind the cut is whole, so that it can't become the start of something else.

        A line that turns out to be a heading by what stands below it is not waited for.
        """
        behind = self.document.text[self._offset(cut.border.right) : sure]
        return cut.border.rank <= WORD and (re.search(r"\s", behind) is not None or len(behind) > _LONG_WORD_CHARS)

    def _region(self, start: int, end: int) -> Region:
        is_cut_off = not self.is_whole and end == len(self.document.lines)
        return Region(self.document, start, end, is_cut_off=is_cut_off)

    def _first_line(self) -> int:
        first = self.document.first
        return next((i for i in range(first, len(self.document.lines)) if not self.document.lines[i].is_blank), first)

    def _cut_within(self, region: Region) -> Cut | None:
        if not region.lines:
            return None
        end = region.lines[-1].end
        words = region.word_borders()
        choice, fallback = self._choose(words, self._reach(words, region.wrap), region.wrap, end)
        if choice is None:
            graphemes = sorted(
                [*words, *region.forced_words(), *region.grapheme_borders()], key=lambda border: border.right
            )
            choice, finest = self._choose(graphemes, self._reach(graphemes, region.wrap), region.wrap, end)
            return choice or finest or fallback
        return choice

    def _reach(self, borders: Sequence[Border], wrap: Wrap) -> int:
        """Index of the furthest border that fits, as if fitting were monotone; -1 for none."""
        low, high = -1, len(borders)
        while high - low > 1:
            middle = (low + high) // 2
            if self.fits(self.text(wrap(borders[middle]))):
                low = middle
            else:
                high = middle
        return low

    def _choose(
        self, borders: Sequence[Border], reach: int, wrap: Wrap, end: int | None
    ) -> tuple[Cut | None, Cut | None]:
        """The border to take, or else the best one that has little before it."""
        within = [border for border in borders[: reach + 1] if self._offset(border.left) >= self.floor]
        finest = None
        for rank in sorted({border.rank for border in borders}):
            cut = self._last_fitting([border for border in within if border.rank <= rank], wrap)
            if cut is None:
                continue
            finest = cut
            if len(self.text(cut)) * _FAIR_SHARE >= self.room_chars:
                return cut, None
            if self._next_fits_whole(cut.border, borders, rank, end):
                return cut, None
        return None, finest

    def _last_fitting(self, borders: Sequence[Border], wrap: Wrap) -> Cut | None:
        for border in reversed(borders[-_STEPS_BACK:]):
            cut = self._affordable(wrap(border))
            if cut is not None and self.fits(self.text(cut)):
                return cut
        return None

    def _affordable(self, cut: Cut) -> Cut | None:
        """What is opened again leaves a quarter of the next part free; else a fence loses its language."""
        if len(cut.reopen) == 1:
            return cut
        for candidate in (cut, cut.without_info()):
            opened = "\n".join(candidate.reopen)
            if self.fits(opened + opened[: len(opened) // 3 + 1]):
                return candidate
        return None

    def _next_fits_whole(self, border: Border, borders: Sequence[Border], rank: int, end: int | None) -> bool:
        start = self._offset(border.right)
        following = (self._offset(b.left) for b in borders if b.rank <= rank and self._offset(b.left) > start)
        stop = next(following, end)
        if stop is None or (stop == len(self.document.text) and not self.is_whole):
            return False
        return self.fits(self.document.text[start:stop])
