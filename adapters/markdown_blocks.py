"""Markdown as lines: which quotes, lists and items hold a line, and to which leaf block it belongs.

The block structure is markdown-it's (CommonMark with tables); what stands before a line's content is found here,
since markdown-it tells lines and no columns. It knows nothing of inline marks, limits or platforms.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Literal

from markdown_it import MarkdownIt
from markdown_it.token import Token

ContainerKind = Literal["quote", "list", "item"]
LeafKind = Literal["paragraph", "heading", "fence", "code", "html", "table", "rule"]

_CONTAINERS: dict[str, ContainerKind] = {
    "blockquote_open": "quote",
    "bullet_list_open": "list",
    "ordered_list_open": "list",
    "list_item_open": "item",
}
_LEAVES: dict[str, LeafKind] = {
    "paragraph_open": "paragraph",
    "heading_open": "heading",
    "fence": "fence",
    "code_block": "code",
    "html_block": "html",
    "table_open": "table",
    "hr": "rule",
}
_PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"]).disable(["inline", "text_join"])
_MARKER = re.compile(r"[-+*]|\d{1,9}[.)]")


@dataclass(frozen=True, slots=True)
class Container:
    number: int
    kind: ContainerKind
    #: First line, and the line after the last one.
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Leaf:
    kind: LeafKind
    start: int
    end: int
    #: Of a fence its run of backticks or tildes, of a heading `#…`, `=` or `-`.
    markup: str


@dataclass(frozen=True, slots=True)
class Line:
    #: Offset of the line's last character plus one; the line break is not part of it.
    end: int
    holders: tuple[Container, ...]
    #: What stands for each holder before the content; a lazy line has fewer of them than holders.
    prefixes: tuple[str, ...]
    content: str
    leaf: Leaf | None

    @property
    def is_blank(self) -> bool:
        """Nothing but white space and marks of quotes."""
        return not self.content.strip() and not any(
            prefix.strip() and holder.kind == "item"
            for holder, prefix in zip(self.holders, self.prefixes, strict=False)
        )

    def offset(self, column: int) -> int:
        return self.end - len(self.content) + column


class Document:
    """The lines of one Markdown text.

    `hidden` is a first line that opens the items of an earlier part again: the structure is right, and the items'
    indentation is not shown, since their markers stand in that earlier part.
    """

    def __init__(self, text: str, hidden: str = "") -> None:
        self.text = hidden + text
        self.hidden_chars = len(hidden)
        self.first = 1 if hidden else 0
        self.widths: dict[int, int] = {}
        tokens = _PARSER.parse(self.text)
        texts = self.text.split("\n")
        holders = _held_by(tokens, len(texts))
        leaves = _leaves(tokens, len(texts))
        self.lines: list[Line] = []
        end = -1
        for index, line in enumerate(texts):
            end += 1 + len(line)
            prefixes, content = self._taken(line, index, holders[index])
            self.lines.append(Line(end, tuple(holders[index]), prefixes, content, leaves[index]))

    def _taken(self, line: str, index: int, holders: list[Container]) -> tuple[tuple[str, ...], str]:
        prefixes: list[str] = []
        scanner = _Columns(line)
        for holder in holders:
            start = scanner.at
            if holder.kind == "quote" and not scanner.take_quote():
                break
            if holder.kind == "item" and holder.start == index:
                self.widths[holder.number] = scanner.take_marker()
            elif holder.kind == "item" and not scanner.take_indent(self.widths[holder.number]):
                break
            prefixes.append(scanner.text[start : scanner.at])
        return tuple(prefixes), scanner.text[scanner.at :]

    def is_hidden(self, holder: Container) -> bool:
        return self.first == 1 and holder.kind == "item" and holder.start == 0

    def prefix(self, holders: Iterable[Container], *, shown: bool) -> str:
        """What goes before a new line inside the holders; `shown` leaves out the hidden items."""
        pieces = {"quote": "> ", "list": ""}
        return "".join(
            pieces[holder.kind] if holder.kind != "item" else " " * self.widths[holder.number]
            for holder in holders
            if not (shown and self.is_hidden(holder))
        )

    def opener(self, holders: Iterable[Container]) -> str:
        """The hidden line that opens the holders again; "" where no item is among them."""
        holders = tuple(holders)
        if all(holder.kind != "item" for holder in holders):
            return ""
        pieces = {"quote": "> ", "list": ""}
        marks = [pieces[h.kind] if h.kind != "item" else _marker(self.widths[h.number]) for h in holders]
        return "".join(marks) + "#\n"

    @cached_property
    def shown_lines(self) -> list[str]:
        """Each line as its part shows it; what keeps blocks apart when a hidden item ends comes before it."""
        return [self._separator(index) + self._shown(line) for index, line in enumerate(self.lines)]

    def _shown(self, line: Line) -> str:
        # A lazy line has fewer prefixes than holders.
        pairs = zip(line.holders, line.prefixes, strict=False)
        return "".join(prefix for holder, prefix in pairs if not self.is_hidden(holder)) + line.content

    def _separator(self, index: int) -> str:
        if index <= self.first:
            return ""
        before, line = self.lines[index - 1], self.lines[index]
        ended = [h for h in before.holders if self.is_hidden(h) and h.end <= index]
        if not ended or (before.leaf is not None and before.leaf is line.leaf):
            return ""
        if before.leaf and before.leaf.kind == "fence" and not self.is_closed(before.leaf):
            return self.prefix(before.holders, shown=True) + before.leaf.markup + "\n"
        has_live_item = any(h.kind == "item" and not self.is_hidden(h) for h in before.holders)
        if has_live_item or before.is_blank or line.is_blank:
            return ""
        return self.prefix((h for h in line.holders if h.start < index), shown=True).rstrip() + "\n"

    def shown_until(self, index: int, column: int) -> str:
        """The part's text before that column of that line's content."""
        line = self.lines[index]
        if not self.first:
            return self.text[: line.offset(column)]
        kept = len(line.content) - column
        last = self.shown_lines[index]
        return "\n".join([*self.shown_lines[self.first : index], last[: len(last) - kept]])

    def offset_of_shown(self, chars: int) -> int:
        """Which offset of the text stands at that character of the shown text."""
        if not self.first:
            return chars
        for line, shown in zip(self.lines[self.first :], self.shown_lines[self.first :], strict=True):
            if chars <= len(shown):
                return line.end - (len(shown) - chars)
            chars -= len(shown) + 1
        return len(self.text)

    def is_closed(self, leaf: Leaf) -> bool:
        """Whether a fence has its closing line."""
        return leaf.end - leaf.start > 1 and is_closing_fence(self.lines[leaf.end - 1].content, leaf.markup)

    def closing_line(self, leaf: Leaf) -> str:
        line = self.lines[leaf.start]
        indent = line.content[: len(line.content) - len(line.content.lstrip(" "))]
        return self.prefix(line.holders, shown=True) + indent + leaf.markup

    def last_line(self) -> int:
        """The last line that is not blank; before the first one when there is none."""
        index = len(self.lines) - 1
        while index >= self.first and self.lines[index].is_blank:
            index -= 1
        return index


@lru_cache(16)
def read_document(text: str, hidden: str = "") -> Document:
    """Kept for a while: a text that grows is looked at from many sides before it has grown."""
    return Document(text, hidden)


def is_closing_fence(content: str, markup: str) -> bool:
    stripped = content.strip(" \t")
    indent = len(content) - len(content.lstrip(" "))
    return indent < 4 and len(stripped) >= len(markup) and stripped == markup[0] * len(stripped)


class _Columns:
    """Takes prefixes off a line; a tab that has to be cut becomes spaces."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def _space(self) -> bool:
        if self.text.startswith("\t", self.at):
            self.text = self.text[: self.at] + " " * (4 - self.at % 4) + self.text[self.at + 1 :]
        return self.text.startswith(" ", self.at)

    def _spaces(self, most: int) -> int:
        start = self.at
        while self.at - start < most and self._space():
            self.at += 1
        return self.at - start

    def take_quote(self) -> bool:
        start = self.at
        self._spaces(3)
        if not self.text.startswith(">", self.at):
            self.at = start
            return False
        self.at += 1
        self._spaces(1)
        return True

    def take_indent(self, width: int) -> bool:
        start = self.at
        if self._spaces(width) == width:
            return True
        is_blank = not self.text[self.at :].strip()
        if not is_blank:
            self.at = start
        return is_blank

    def take_marker(self) -> int:
        """Takes indentation, marker and spaces of an item; gives their width."""
        start = self.at
        self._spaces(3)
        marker = _MARKER.match(self.text, self.at)
        if marker is None:
            self.at = start
            return 0
        self.at = marker.end()
        spaces = self._spaces(5)
        has_content = bool(self.text[self.at :].strip())
        if not has_content or spaces > 4:
            self.at = min(marker.end() + 1, len(self.text))
            return marker.end() + 1 - start
        return self.at - start


def _marker(width: int) -> str:
    if width <= 5:
        return "-" + " " * (width - 1)
    digits = min(9, width - 2)
    spaces = min(4, width - digits - 1)
    return " " * (width - digits - 1 - spaces) + "1" * digits + "." + " " * spaces


def _spans(tokens: list[Token], types: Iterable[str]) -> list[tuple[Token, int, int]]:
    return [(token, *token.map) for token in tokens if token.map and token.type in types]  # type: ignore[misc]


def _held_by(tokens: list[Token], lines: int) -> list[list[Container]]:
    held: list[list[Container]] = [[] for _ in range(lines)]
    for number, (token, start, end) in enumerate(_spans(tokens, _CONTAINERS)):
        container = Container(number, _CONTAINERS[token.type], start, end)
        for line in held[start:end]:
            line.append(container)
    return held


def _leaves(tokens: list[Token], lines: int) -> list[Leaf | None]:
    leaves: list[Leaf | None] = [None] * lines
    for token, start, end in _spans(tokens, _LEAVES):
        leaf = Leaf(_LEAVES[token.type], start, min(end, lines), token.markup)
        leaves[start : leaf.end] = [leaf] * (leaf.end - start)
    return leaves
