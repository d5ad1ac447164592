"""The lines between two line borders, and the borders within them: sentences, words and graphemes."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from functools import cached_property

from markdown_it.common.html_blocks import block_names

from adapters.borders import (
    FORCED,
    FORCED_WORD,
    GRAPHEME,
    LINE,
    SENTENCE,
    WORD,
    Border,
    Cut,
    Point,
    fence_cut,
    header_lines,
)
from adapters.graphemes import grapheme_starts
from adapters.markdown_blocks import Document, Leaf, Line
from adapters.markdown_inline import InlineMarks, Pair, scan

_SPACE = re.compile(r"\s+")
_SENTENCE_END = re.compile(r"[.!?…؟।。！？][\"'”’)\]»*_~]*$")
_CJK_PAUSE = re.compile(r"[。！？，、；：][”’」』）*_~]*(?=[^\s”’」』）*_~])")
_DELIMITER_RUN = re.compile(r"\*+|_+|~~")
_PIPE = re.compile(r"(?<!\\)\|")
# A tag of HTML begins a block when its name is a block's, or when it stands alone on its line.
_TAG = (
    rf"<(?:[!?]|/?(?:{'|'.join(block_names)}|script|pre|style|textarea)(?:[\s/>]|$))"
    r"|</?[a-z][\w-]*(?![\w:.@+-])[^<>]*>?[ \t]*$"
)
_BLOCK_START = re.compile(
    r"(?:[-+*]|\d{1,9}[.)]|#{1,6})(?:\s|$)|>|```|~~~|=+\s*$|\[[^\]]*\]:|([-*_])(?:[ \t]*\1){2,}\s*$|" + _TAG,
    re.MULTILINE | re.IGNORECASE,
)
_CODE_KINDS = ("fence", "code", "html", "rule")


class Region:
    """The lines between two line borders, for the cuts within them.

    Where the end of a window cuts it off, a mark that is open may still be closed.
    """

    def __init__(self, document: Document, start: int, end: int, *, is_cut_off: bool = False) -> None:
        self.document = document
        self.is_cut_off = is_cut_off
        self.start = start
        leaf = document.lines[start].leaf
        if leaf is not None and leaf.kind in ("fence", "table"):
            end = min(end, leaf.end)
            # Nothing is cut before the first line of code or the first row.
            self.start = start + {"fence": 1, "table": 2}[leaf.kind] if start == leaf.start else start
        elif leaf is not None and leaf.kind in ("paragraph", "heading"):
            end = leaf.end
        else:
            end = start + 1
        self.leaf = leaf
        self.lines: list[Line] = document.lines[self.start : end]
        self.text = "\n".join(line.content for line in self.lines)

    @cached_property
    def marks(self) -> InlineMarks:
        if self.is_code:
            return InlineMarks(self.text)
        marks = scan(self.text.rstrip("*_~`") if self.is_cut_off else self.text)
        marks.pairs += self._awaited_pairs(marks)
        return marks

    def _awaited_pairs(self, marks: InlineMarks) -> list[Pair]:
        """Emphasis whose end lies beyond the window."""
        if not self.is_cut_off:
            return []
        openers = set(marks.openers)
        awaited = []
        for match in _DELIMITER_RUN.finditer(self.text):
            start, run = match.start(), match.group()
            is_likely = len(run) > 1 or not self.text[:start][-1:].isalnum()
            if is_likely and start in openers:
                awaited.append(Pair(run, start, len(self.text) + len(run)))
        return awaited

    @property
    def is_code(self) -> bool:
        return self.leaf is not None and self.leaf.kind in _CODE_KINDS

    @cached_property
    def _starts(self) -> list[int]:
        starts = [0]
        for line in self.lines:
            starts.append(starts[-1] + len(line.content) + 1)
        return starts

    def point(self, offset: int) -> Point:
        index = bisect_right(self._starts, offset, hi=len(self.lines)) - 1
        return Point(self.start + index, offset - self._starts[index])

    def offset(self, point: Point) -> int:
        return self._starts[point.line - self.start] + point.column

    @cached_property
    def _guarded(self) -> bytearray:
        """For each offset: 0 free, 1 inside a thing that stays whole if it can, 2 inside a marker."""
        guarded = bytearray(len(self.text) + 1)
        for span in self.marks.spans:
            value = 2 if span.kind in ("escape", "entity") else 1
            guarded[span.start + 1 : span.end] = bytes([value]) * (span.end - span.start - 1)
        for pair in self.marks.pairs:
            inner, outer = pair.inside
            guarded[pair.start + 1 : inner + 1] = b"\2" * (inner - pair.start)
            guarded[outer : pair.end] = b"\2" * (min(pair.end, len(self.text) + 1) - outer)
        for tick in self.marks.ticks:
            guarded[tick.start + 1 : tick.end] = b"\2" * (tick.end - tick.start - 1)
        unsure = min(self._open_marks(), default=len(self.text))
        guarded[unsure + 1 : len(self.text)] = b"\1" * (len(self.text) - unsure - 1)
        if self.leaf is not None and self.leaf.kind == "heading":
            marker = re.match(r"\s*#{1,6}\s*", self.text)
            guarded[: marker.end() + 1 if marker else 0] = b"\2" * (marker.end() + 1 if marker else 0)
        return guarded[: len(self.text) + 1]

    def _open_marks(self) -> Iterator[int]:
        """What may still become a link, a tag or a code span when the window ends before it does."""
        if self.is_cut_off:
            opened = [self.marks.open_bracket(), self.marks.open_angle()]
            yield from (at for at in opened if at is not None)
            yield from (tick.start for tick in self.marks.ticks)

    def _border(self, rank: int, left: int, right: int) -> Border:
        point = self.point(right)
        return Border(rank, point if left == right else self.point(left), point)

    def word_borders(self) -> list[Border]:
        """Lines, sentences and words."""
        borders = []
        for match in _SPACE.finditer(self.text):
            left, right = match.span()
            if not 0 < left < right < len(self.text) or self._guarded[right]:
                continue
            hard_break = self._is_hard_break(left, match.group())
            if self._guarded[left] and not hard_break:
                continue
            if self._starts_block(right) or self._ends_heading(left):
                continue
            rank = LINE if "\n" in match.group() else WORD
            if rank == WORD and _SENTENCE_END.search(self.text, max(0, left - 8), left):
                rank = SENTENCE
            borders.append(self._border(rank, left - hard_break, right))
        pauses = () if self.is_code else _CJK_PAUSE.finditer(self.text)
        borders += [self._border(SENTENCE, m.end(), m.end()) for m in pauses if not self._guarded[m.end()]]
        return sorted(borders, key=lambda border: border.right)

    def _is_hard_break(self, left: int, space: str) -> bool:
        return space.startswith("\n") and any(
            span.kind == "escape" and span.start == left - 1 for span in self.marks.spans
        )

    def _starts_block(self, offset: int) -> bool:
        begins_so = self.text[offset] in "-+*#>`~=<[_" or self.text[offset].isdigit()
        return begins_so and not self.is_code and _BLOCK_START.match(self.text, offset) is not None

    def forced_words(self) -> list[Border]:
        """White space inside links and code spans."""
        return [
            self._border(FORCED_WORD, *match.span())
            for match in _SPACE.finditer(self.text)
            if self._guarded[match.start()] == self._guarded[match.end()] == 1 and not self._starts_block(match.end())
        ]

    def _ends_heading(self, offset: int) -> bool:
        """A heading's text would lose a `#` that it ends with."""
        return self.leaf is not None and self.leaf.kind == "heading" and self.text[offset - 1] == "#"

    def grapheme_borders(self) -> list[Border]:
        """Graphemes, and the insides of links, code spans and what would begin a block."""
        borders = []
        for at in grapheme_starts(self.text):
            if at == 0 or self._guarded[at] == 2 or self.text[at].isspace() or self.text[at - 1].isspace():
                continue
            is_free = not self._guarded[at] and not self._starts_block(at) and not self._touches_delimiter(at)
            borders.append(self._border(GRAPHEME if is_free else FORCED, at, at))
        return borders

    def _touches_delimiter(self, offset: int) -> bool:
        return self.text[offset] in "*_~`\\" or self.text[offset - 1] in "*_~`\\"

    def wrap(self, border: Border) -> Cut:
        """What a border inside this region closes and opens again."""
        leaf = self.leaf
        if leaf is None or leaf.kind in ("html", "rule"):
            return Cut(border, "", ("",))
        if leaf.kind == "fence":
            return fence_cut(self.document, leaf, border)
        if leaf.kind == "code":
            return Cut(border, "", ("    ",))
        left, right = self.offset(border.left), self.offset(border.right)
        pairs = sorted((p for p in self.marks.pairs if _holds(p, left, right)), key=lambda p: (p.start, -p.end))
        markers = "".join(pair.markup for pair in pairs)
        closers = "".join(pair.markup for pair in reversed(pairs))
        if leaf.kind == "table":
            return self._row_cut(leaf, border, closers, markers)
        if leaf.kind == "heading":
            return self._heading_cut(leaf, border, closers, markers)
        is_escaped = not markers and self._starts_block(right) and not self.text[right].isalnum()
        return Cut(border, closers, ("\\" if is_escaped else markers,))

    def _heading_cut(self, leaf: Leaf, border: Border, closers: str, markers: str) -> Cut:
        if leaf.markup.startswith("#"):
            return Cut(border, closers, (f"{leaf.markup} {markers}",))
        holders = self.document.lines[leaf.start].holders
        underline = self.document.prefix(holders, shown=True) + leaf.markup * 3
        return Cut(border, f"{closers}\n{underline}", (markers,))

    def _row_cut(self, leaf: Leaf, border: Border, closers: str, markers: str) -> Cut:
        content = self.document.lines[border.left.line].content
        pipes = len(_PIPE.findall(content, 0, border.left.column))
        cells = pipes if content.lstrip().startswith("|") else pipes + 1
        return Cut(border, closers + " |", (*header_lines(self.document, leaf), "| " * cells + markers))


def _holds(pair: Pair, left: int, right: int) -> bool:
    start, end = pair.inside
    return start < left and right < end
