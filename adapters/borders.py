"""Where a Markdown text may be cut, how willingly, and what closes the left side and opens the right one again.

Ranks from the best border to the worst: between blocks (the depth of nesting), lines and rows, sentences, words,
graphemes, the inside of a link or code span, and last bare lines, words and graphemes: nothing closed or opened.
"""

import re
from dataclasses import dataclass, replace
from typing import NamedTuple

from adapters.graphemes import grapheme_starts
from adapters.markdown_blocks import Document, Leaf

LINE, SENTENCE, WORD, GRAPHEME, FORCED_WORD, FORCED, BARE_LINE, BARE_WORD, BARE = range(100, 109)


class Point(NamedTuple):
    line: int
    column: int


class Border(NamedTuple):
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


def bare_borders(document: Document, start: int, end: int) -> list[Border]:
    """Every line, word and grapheme from line `start`, for limits that hold no fence or row."""
    borders = []
    for index in range(start, end):
        content = document.lines[index].content
        if index > start and content.strip():
            before = len(document.lines[index - 1].content)
            borders.append(Border(BARE_LINE, Point(index - 1, before), Point(index, 0)))
        for at in grapheme_starts(content):
            if at and content[at:].strip():
                rank = BARE_WORD if content[at - 1].isspace() else BARE
                borders.append(Border(rank, Point(index, at), Point(index, at)))
    return borders


def header_lines(document: Document, leaf: Leaf) -> tuple[str, str]:
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
            return Cut(border, "", (*header_lines(document, leaf), ""))
    before = document.lines[border.left.line].leaf
    if border.rank < BARE_LINE and before is not None and before.kind == "fence" and not document.is_closed(before):
        return Cut(border, "\n" + document.closing_line(before), ("",))
    return Cut(border, "", ("",))
