"""Markdown that is still being written: what may be sent already, and what it looks like with its marks closed.

An append-only stream can't take back what it sent, so a mark waits until it is known what it means. A definition of
a link that comes later (`[name]: address`) is not waited for.
"""

import re
from collections.abc import Iterator

from adapters.markdown_blocks import Document, read_document
from adapters.markdown_inline import InlineMarks, Pair, Span, label_end
from adapters.regions import Region

#: Nothing is held back for longer than this many characters.
HELD_CHARS = 400

_LEAD = re.compile(r"(?:[ \t]*(?:>|(?:[-+*]|\d{1,9}[.)])(?=[ \t]|$)))*[ \t]*")
_MAY_BE_MARKER = re.compile(r"[-+*=_#~`:|.)>\d\s<\[\]!\\]*$")
_UNDERLINE_OR_RULE = re.compile(r"[-+*=_#~`:|>\s]+$")
_SEPARATOR = re.compile(r"[\s|:-]*$")
_DEFINITION = re.compile(r"\[[^\]]*\]:")
_DELIMITERS = re.compile(r"[*_~`]+$")
_UNSURE_ENDS = (
    _DELIMITERS,
    re.compile(r"(?<!\\)(?:\\\\)*\\$"),
    re.compile(r"&[#\w]{0,31}$"),
    re.compile(r"!$"),
    re.compile(r"(?<![A-Za-z0-9])(?:h|ht|htt|https?|https?:|https?:/|https?://[^\s<>]*|w|ww|www|www\.[^\s<>]*)$"),
    re.compile(r"[^\x00-\x7f]$"),
)
_HARD_BREAK = re.compile(r"\\\n[ \t>]*$")
_CLOSING_NUMBER_SIGNS = re.compile(r"[ \t]*#*[ \t]*$")


def settled(markdown: str, held_chars: int = HELD_CHARS) -> int:
    """How many characters keep their meaning whatever follows; it never shrinks as the text grows."""
    text = _with_line_feeds(markdown)
    document = read_document(text)
    hold = _line_hold(document)
    if len(text) - hold > held_chars:
        hold = len(text)
    elif hold < len(text):
        document = read_document(text[:hold])
    return min(hold, _inline_hold(document, hold, len(text) - held_chars))


def virtually_closed(markdown: str) -> str:
    """The same with open fences, code spans and emphasis closed and half a link shown as its label."""
    text = _with_line_feeds(markdown)
    text = _without_unsure_line(text)
    document = read_document(text)
    last = document.last_line()
    leaf = document.lines[last].leaf if last >= 0 else None
    if leaf is None:
        return text
    if leaf.kind == "fence":
        is_closed = document.is_closed(leaf)
        return text if is_closed else text.removesuffix("\n") + "\n" + document.closing_line(leaf)
    return _with_emphasis_closed(_with_code_closed(_without_dangling(_without_open_link(text))))


def _with_line_feeds(markdown: str) -> str:
    """Every line break as a line feed, no character moved."""
    return re.sub(r"\r(?!\n)", "\n", markdown).replace("\r", " ") if "\r" in markdown else markdown


def _line_hold(document: Document) -> int:
    """Where that begins which may still become something else, by what the last lines look like."""
    index = len(document.lines) - 1
    header = _open_header(document, index)
    if header is not None:
        return _first_pipe(document, header)
    line = document.lines[index]
    leaf, rest = line.leaf, _rest_of(document, index)
    if leaf is not None and leaf.kind == "fence" and index > leaf.start:
        may_close = not line.content.strip().strip(leaf.markup[0])
        return _start_of(document, index) if may_close else len(document.text)
    if _MAY_BE_MARKER.match(rest) or rest.startswith(("```", "~~~")):
        return _start_of(document, index)
    begins_other = leaf is None or leaf.kind == "table" or (leaf.kind in ("html", "rule") and leaf.start == index)
    if begins_other or _DEFINITION.match(rest):
        return line.offset(0)
    return _first_pipe(document, index)


def _start_of(document: Document, index: int) -> int:
    return document.lines[index - 1].end + 1 if index else 0


def _first_pipe(document: Document, index: int) -> int:
    line = document.lines[index]
    return line.offset(line.content.index("|")) if "|" in line.content else len(document.text)


def _rest_of(document: Document, index: int) -> str:
    text = document.text[_start_of(document, index) : document.lines[index].end]
    lead = _LEAD.match(text)
    return text[lead.end() if lead else 0 :]


def _open_header(document: Document, index: int) -> int | None:
    """The line above, if this one may still make it a table's header."""
    leaf = document.lines[index].leaf
    if leaf is not None and leaf.kind == "table":
        return leaf.start if index == leaf.start + 1 else None
    above = document.lines[index - 1] if index else None
    if above is None or "|" not in above.content or not _SEPARATOR.match(_rest_of(document, index)):
        return None
    may_be_header = above.leaf is None or above.leaf.kind in ("paragraph", "heading")
    return index - 1 if may_be_header else None


def _last_region(document: Document) -> Region | None:
    """The paragraph, heading or row that the text ends with."""
    last = document.last_line()
    leaf = document.lines[last].leaf if last >= 0 else None
    if leaf is None or leaf.kind not in ("paragraph", "heading", "table"):
        return None
    if leaf.kind == "table":
        return Region(document, last, last + 1) if last >= leaf.start + 2 else None
    return Region(document, leaf.start, leaf.end)


def _inline_hold(document: Document, end: int, oldest: int) -> int:
    """Where the first mark of the last paragraph stands that may still change; nothing before `oldest` counts."""
    region = _last_region(document)
    if region is None or region.leaf is None or region.leaf.kind == "table":
        return end
    is_over = document.lines[-1].is_blank and (
        region.leaf.kind == "heading" or len(document.lines) - 1 > document.last_line() + 1
    )
    if is_over:
        return end
    holds = [hold for hold in _holds(region, oldest) if _offset(region, hold) >= oldest]
    if holds:
        end = min(end, _offset(region, _before_pairs(region, min(holds), oldest)))
    hard_break = _HARD_BREAK.search(document.text, 0, end)
    return hard_break.start() if hard_break else end


def _offset(region: Region, at: int) -> int:
    point = region.point(at)
    return region.document.lines[point.line].offset(point.column)


def _holds(region: Region, oldest: int) -> Iterator[int]:
    text, marks = region.text, region.marks
    start = len(text) - (len(region.document.text) - oldest)
    opened = [marks.open_bracket(start), marks.open_angle(start)]
    yield from (at for at in opened if at is not None)
    yield from marks.openers
    yield from (tick.start for tick in marks.ticks)
    if not text or text.endswith("\n"):
        return
    for pattern in _UNSURE_ENDS:
        match = pattern.search(text)
        if match:
            yield match.start()
    if region.leaf is not None and region.leaf.markup.startswith("#"):
        signs = _CLOSING_NUMBER_SIGNS.search(text)
        yield signs.start() if signs else len(text)


def _before_pairs(region: Region, hold: int, oldest: int) -> int:
    """Moves the hold before every pair or span that it stands in: that one isn't sure either."""
    marks = region.marks
    wholes = [(pair.start, pair.end) for pair in marks.pairs] + [(span.start, span.end) for span in marks.spans]
    while True:
        around = [s for s, e in wholes if s < hold < e and _offset(region, s) >= oldest]
        if not around:
            return hold
        hold = min(around)


def _without_unsure_line(text: str) -> str:
    """Without a last line that would turn the one above into a heading, or half a closing fence."""
    document = read_document(text)
    index = len(document.lines) - 1
    line = document.lines[index]
    if index == 0 or line.is_blank:
        return text
    if line.leaf is not None and line.leaf.kind == "fence" and index > line.leaf.start:
        is_half = not line.content.strip().strip(line.leaf.markup[0]) and not document.is_closed(line.leaf)
    else:
        is_half = _UNDERLINE_OR_RULE.match(line.content) is not None
    return text[: document.lines[index - 1].end] if is_half else text


def _without_open_link(text: str) -> str:
    region = _last_region(read_document(text))
    if region is None:
        return text
    tag = region.marks.open_angle(len(region.text) - HELD_CHARS)
    if tag is not None:
        return text[: _offset(region, tag)]
    bracket = region.marks.open_bracket(len(region.text) - HELD_CHARS)
    if bracket is None:
        return text
    start = _offset(region, bracket)
    if region.text[bracket] == "!":
        return text[:start]
    end = label_end(region.text, bracket)
    return text[:start] + text[start + 1 : None if end is None else _offset(region, end)]


def _without_dangling(text: str) -> str:
    """Without delimiters at the end that nothing follows yet, and without half an escape."""
    region = _last_region(read_document(text.rstrip()))
    if region is None:
        return text
    run = _DELIMITERS.search(region.text) or re.search(r"(?<!\\)(?:\\\\)*\\$", region.text)
    if run is None or any(span.start < run.end() <= span.end for span in _finished(region.marks)):
        return text
    return text[: _offset(region, run.start())].rstrip()


def _finished(marks: InlineMarks) -> Iterator[Pair | Span]:
    yield from marks.pairs
    yield from marks.spans


def _with_code_closed(text: str) -> str:
    region = _last_region(read_document(text))
    if region is None or not region.marks.ticks:
        return text
    tick = region.marks.ticks[0]
    return text.rstrip() + region.text[tick.start : tick.end]


def _with_emphasis_closed(text: str) -> str:
    region = _last_region(read_document(text))
    if region is None or not region.marks.openers:
        return text
    openers = [region.text[at : at + 2] if region.text[at] == "~" else region.text[at] for at in region.marks.openers]
    return text.rstrip() + "".join(reversed(openers))
