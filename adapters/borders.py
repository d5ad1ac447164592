"""Where a Markdown text may be cut, how willingly, and what closes the left side and opens the right one again.

Ranks from the best border to the worst: between blocks (the depth of nesting), lines and rows, sentences, words,
graphemes, the inside of a link or code span, and last bare lines, words and graphemes: nothing closed or opened.
"""

import re
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import regex
from markdown_it.common.html_blocks import block_names

from adapters.markdown_blocks import Document, Leaf, Line
from adapters.markdown_inline import InlineMarks, Pair, scan

LINE, SENTENCE, WORD, GRAPHEME, FORCED, BARE_LINE, BARE_WORD, BARE = range(100, 108)

_SPACE = re.compile(r"\s+")
_SENTENCE_END = re.compile(r"[.!?…؟।。！？][\"'”’)\]»*_~]*$")
_CJK_PAUSE = re.compile(r"[。！？，、；：][”’」』）*_~]*(?=[^\s”’」』）*_~])")
_PIPE = re.compile(r"(?<!\\)\|")
# A tag of HTML begins a block when its name is a block's, or when it stands alone on its line.
_TAG = rf"<(?:[!?]|/?(?:{'|'.join(block_names)}|script|pre|style|textarea)(?:[\s/>]|$))|</?[a-z][\w-]*(?![\w:.@+-])[^<>]*>?[ \t]*$"
_BLOCK_START = re.compile(
    r"(?:[-+*]|\d{1,9}[.)]|#{1,6})(?:\s|$)|>|\||```|~~~|=+\s*$|\[[^\]]*\]:|([-*_])(?:[ \t]*\1){2,}\s*$|" + _TAG,
    re.MULTILINE | re.IGNORECASE,
)
_CODE_KINDS = ("fence", "code", "html", "rule")


class Point(NamedTuple):
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Border:
    rank: int
    #: The left part ends here, the right one goes on there; only white space and hard breaks stand between.
    left: Point
    right: Point


@dataclass(frozen=True, slots=True)
class Cut:
    border: Border
    #: Ends the left part: a fence's closing line, markers of emphasis, the rest of a table's row.
    close: str
    #: Lines that begin the right part; the last one stands directly before its text.
    reopen: tuple[str, ...]

    def without_info(self) -> "Cut":
        """The same with the language left out where a fence is opened again."""
        fence = re.match(r"\s*(`{3,}|~{3,})", self.reopen[0])
        return replace(self, reopen=(fence.group(), *self.reopen[1:]) if fence else self.reopen)


def line_borders(document: Document) -> list[Border]:
    """The borders between blocks, items, rows, and lines of code; those of paragraphs are in a `Region`."""
    borders = []
    before = document.first
    for index in range(document.first + 1, len(document.lines)):
        if document.lines[index].is_blank:
            continue
        rank = None if document.lines[before].is_blank else _line_rank(document, before, index)
        if rank is not None:
            left = index - 1 if _is_inside(document, index, "fence") else before
            borders.append(Border(rank, Point(left, len(document.lines[left].content)), Point(index, 0)))
        before = index
    return borders


def _is_inside(document: Document, index: int, kind: str) -> bool:
    leaf = document.lines[index].leaf
    return leaf is not None and leaf.kind == kind and leaf.start < index


def _line_rank(document: Document, before: int, index: int) -> int | None:
    left, right = document.lines[before], document.lines[index]
    if left.leaf is right.leaf and left.leaf is not None:
        return _inner_rank(document, left.leaf, before, index)
    if left.leaf is None and right.leaf is None and index == before + 1:
        return LINE
    if left.leaf is not None and left.leaf.kind == "heading":
        return LINE
    return sum(holder.start < index for holder in right.holders)


def _inner_rank(document: Document, leaf: Leaf, before: int, index: int) -> int | None:
    if leaf.kind in ("paragraph", "heading"):
        return None
    if leaf.kind == "fence":
        is_closing = index == leaf.end - 1 and document.is_closed(leaf)
        return None if before == leaf.start or is_closing else LINE
    if leaf.kind == "table":
        return LINE if index >= leaf.start + 3 else None
    return LINE


class Region:
    """The lines between two line borders, for the cuts within them.

    Where the text is cut off by a window, a mark that is open within its last `unsure_chars` may still be closed.
    """

    def __init__(self, document: Document, start: int, end: int, unsure_chars: int = 0) -> None:
        self.document = document
        self.unsure_chars = unsure_chars
        self.start = start
        leaf = document.lines[start].leaf
        if leaf is not None and leaf.kind in ("fence", "table"):
            end = min(end, leaf.end)
            # Nothing is cut before the first line of code or the first row.
            self.start = min(start + {"fence": 1, "table": 2}[leaf.kind], end - 1) if start == leaf.start else start
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
        marks = scan(self.text.rstrip("*_~`") if self.unsure_chars else self.text)
        marks.pairs += self._awaited_pairs(marks)
        return marks

    def _awaited_pairs(self, marks: InlineMarks) -> list[Pair]:
        """Emphasis whose end lies beyond the window."""
        if not self.unsure_chars:
            return []
        runs: list[str] = []
        for at in marks.openers:
            char = self.text[at] * (2 if self.text[at] == "~" else 1)
            runs.append(char)
        starts = marks.openers
        newest = len(self.text) - self.unsure_chars
        return [
            Pair(run, start, len(self.text) + len(run))
            for start, run in zip(starts, runs, strict=True)
            if start >= newest or self.text[start] in self.text[start + 1 : start + 2] + self.text[:start][-1:]
        ]

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
        for index, line in enumerate(self.lines):
            if offset <= self._starts[index] + len(line.content):
                return Point(self.start + index, offset - self._starts[index])
        return Point(self.start + len(self.lines) - 1, len(self.lines[-1].content))

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
        open_marks = [*self.marks.brackets, *self.marks.angles, *(t.start for t in self.marks.ticks)]
        unsure = min((at for at in open_marks if at > len(self.text) - self.unsure_chars), default=len(self.text))
        guarded[unsure + 1 : len(self.text)] = b"\1" * (len(self.text) - unsure - 1)
        if self.leaf is not None and self.leaf.kind == "heading":
            marker = re.match(r"\s*#{1,6}\s*", self.text)
            guarded[: marker.end() + 1 if marker else 0] = b"\2" * (marker.end() + 1 if marker else 0)
        return guarded[: len(self.text) + 1]

    def _border(self, rank: int, left: int, right: int) -> Border:
        return Border(rank, self.point(left), self.point(right))

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
            if self._starts_block(right):
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
        return not self.is_code and _BLOCK_START.match(self.text, offset) is not None

    def grapheme_borders(self) -> list[Border]:
        """Graphemes, and the insides of links, code spans and what would begin a block."""
        borders = []
        for match in regex.finditer(r"\X", self.text):
            at = match.start()
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
        return Cut(border, closers + " |", (*_header(self.document, leaf), "| " * cells + markers))


def bare_borders(document: Document, start: int, end: int) -> list[Border]:
    """Every line, word and grapheme from line `start`, for limits that hold no fence or row."""
    borders = []
    for index in range(start, end):
        content = document.lines[index].content
        if index > start and content.strip():
            before = len(document.lines[index - 1].content)
            borders.append(Border(BARE_LINE, Point(index - 1, before), Point(index, 0)))
        for match in regex.finditer(r"\X", content):
            at = match.start()
            if at and content[at:].strip():
                rank = BARE_WORD if content[at - 1].isspace() else BARE
                borders.append(Border(rank, Point(index, at), Point(index, at)))
    return borders


def _holds(pair: Pair, left: int, right: int) -> bool:
    start, end = pair.inside
    return start < left and right < end


def _header(document: Document, leaf: Leaf) -> tuple[str, str]:
    return document.lines[leaf.start].content, document.lines[leaf.start + 1].content


def fence_cut(document: Document, leaf: Leaf, border: Border) -> Cut:
    return Cut(border, "\n" + document.closing_line(leaf), (document.lines[leaf.start].content, ""))


def line_cut(document: Document, border: Border) -> Cut:
    """What a border between two lines closes and opens again."""
    leaf = document.lines[border.right.line].leaf
    if border.rank < BARE_LINE and leaf is not None and leaf.start < border.right.line:
        if leaf.kind == "fence":
            return fence_cut(document, leaf, border)
        if leaf.kind == "table":
            return Cut(border, "", (*_header(document, leaf), ""))
    return Cut(border, "", ("",))
