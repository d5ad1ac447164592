"""Markdown as Discord reads it: what it has no sign for is said with the signs that it has.

It knows no tables, no pictures, no headings below the third, no code by indentation, no fences but of three backticks;
two underscores underline, two bars hide. Nothing is taken away but marks.
"""

import re
from collections.abc import Iterator
from itertools import groupby

from adapters.discord.tables import aligned
from adapters.markdown_blocks import Document, Leaf, Line, read_document
from adapters.markdown_inline import InlineMarks, scan

FENCE = "```"

_MANY_TICKS = re.compile(r"`{3,}")
_TICK = "`\N{ZERO WIDTH SPACE}"
_DEEP_HEADING = re.compile(r"#{4,6}[ \t]+(.*?)(?:[ \t]+#+)?[ \t]*")
_INDENT = re.compile(r" {1,4}")
#: Discord reads a language only where it is one word.
_LANGUAGE = re.compile(r"[A-Za-z0-9_+\-.#]+")
_NEEDS_READING = re.compile(r"[|~`]|!\[|__|^[ \t>]*#{4}|^[ \t>]*(?:=+|-+)[ \t]*$|^(?: {4}|\t)|\\$|>.*>", re.MULTILINE)
_NEEDS_SCAN = re.compile(r"!\[|__|\|\|")
_LEVELS = {"=": "# ", "-": "## "}


def for_discord(markdown: str) -> str:
    if not _NEEDS_READING.search(markdown):
        return markdown
    document = read_document(markdown)
    numbered = enumerate(document.lines)
    blocks = groupby(numbered, key=lambda pair: pair[1].leaf)
    return "\n".join(line for leaf, lines in blocks for line in _block(document, leaf, [line for _, line in lines]))


def _block(document: Document, leaf: Leaf | None, lines: list[Line]) -> Iterator[str]:
    kind = leaf.kind if leaf is not None else ""
    if kind == "table" and len(lines) > 1:
        yield from _fenced(document, lines, FENCE, aligned([line.content for line in lines]))
    elif kind == "fence" and leaf is not None:
        inside = [line.content for line in lines[1 : -1 if document.is_closed(leaf) else None]]
        info = lines[0].content.strip().lstrip("`~").strip()
        if info and not _LANGUAGE.fullmatch(info):  # it may be words of the reply, behind a fence that is none
            info, inside = "", [info, *inside]
        yield from _fenced(document, lines, FENCE + info, inside)
    elif kind == "code":
        yield from _indented_code(document, lines)
    elif kind == "heading":
        yield from _heading(lines)
    elif kind in ("html", "rule"):
        yield from (_prefix(line) + line.content for line in lines)
    else:
        yield from (_prefix(line) + _words(line.content, is_last=line is lines[-1]) for line in lines)


def _fenced(document: Document, lines: list[Line], opening: str, inside: list[str]) -> Iterator[str]:
    """Three backticks within it would end it."""
    further = _quoted(document.prefix(lines[0].holders, shown=True))
    yield _prefix(lines[0]) + opening
    for content in inside or [" "]:  # an empty block is none to Discord
        yield further + _MANY_TICKS.sub(lambda ticks: _TICK * len(ticks[0]), content)
    yield further + FENCE


def _indented_code(document: Document, lines: list[Line]) -> Iterator[str]:
    blank = 0
    while blank < len(lines) and not lines[-1 - blank].content.strip():
        blank += 1
    code = lines[: len(lines) - blank]
    yield from _fenced(document, code, FENCE, [_INDENT.sub("", line.content.expandtabs(4), 1) for line in code])
    yield from (_prefix(line) for line in lines[len(code) :])


def _heading(lines: list[Line]) -> Iterator[str]:
    first = lines[0]
    underline = lines[-1].content.strip()
    if len(lines) > 1 and underline[:1] in _LEVELS and not underline.strip(underline[0]):
        text = " ".join(line.content.strip() for line in lines[:-1])
        yield _prefix(first) + _LEVELS[underline[0]] + _words(text, is_last=True)
        return
    deep = _DEEP_HEADING.fullmatch(first.content.strip())
    if deep is None:
        yield _prefix(first) + _words(first.content, is_last=True)
    elif deep[1]:
        yield _prefix(first) + "**" + _words(_without_strong(deep[1]), is_last=True) + "**"
    else:
        yield _prefix(first)


def _without_strong(text: str) -> str:
    return text.replace("**", "").replace("__", "")


def _prefix(line: Line) -> str:
    return _quoted("".join(line.prefixes))


def _quoted(prefix: str) -> str:
    """Discord knows one level of quotes."""
    if prefix.count(">") < 2:
        return prefix
    at = prefix.index(">") + 1
    return prefix[:at] + " " + prefix[at:].replace(">", "").lstrip()


def _words(text: str, *, is_last: bool) -> str:
    """A line outside code."""
    changed = text
    changes = sorted(_changes(text, scan(text)), reverse=True) if _NEEDS_SCAN.search(text) else ()
    for start, end, instead in changes:
        changed = changed[:start] + instead + changed[end:]
    if not is_last and changed.endswith("\\") and not changed.endswith("\\\\"):
        return changed[:-1]
    return changed


def _changes(text: str, marks: InlineMarks) -> Iterator[tuple[int, int, str]]:
    kept = [(span.start, span.end) for span in marks.spans if span.kind not in ("image", "escape")]
    escapes = {span.start + 1 for span in marks.spans if span.kind == "escape"}
    for span in marks.spans:
        if span.kind == "image" and not _is_within(span.start, kept):
            yield _picture(text, span.start, span.end)
    for pair in marks.pairs:
        if pair.markup == "__":
            yield pair.start, pair.start + 2, "**"
            yield pair.end - 2, pair.end, "**"
    for bars in re.finditer(r"\|{2,}", text):
        if bars.start() not in escapes and not _is_within(bars.start(), kept):
            yield bars.start(), bars.end(), "\\|" * len(bars[0])


def _picture(text: str, start: int, end: int) -> tuple[int, int, str]:
    """A link; one without a name is its address."""
    if text[start : start + 4] == "![](":
        address = text[start + 4 : end - 1].split() or [""]
        return start, end, address[0]
    return start, start + 1, ""


def _is_within(place: int, spans: list[tuple[int, int]]) -> bool:
    return any(start <= place < end for start, end in spans)
