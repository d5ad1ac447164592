"""Markdown as Slack may be told it: no mention fires, and what was told is never taken back.

Slack reads `<!channel>`, `<@U…>` and `<#C…>` in Markdown too. So `<` and `>` are escaped, but for the marks of block
quotes, and in code, where people would read the escape, only what would fire is.

A stream is told the end of a text whose beginning it has. So the text is read from left to right once, and what is made
of a character depends on what stands before it, and on a few characters behind it: those are waited for. A code span
therefore ends in its own line, and not too far away. What is taken for code though Slack does not read it so is safe
all the same: it only has a bare `<` in it.
"""

import re
from dataclasses import dataclass

from core.clean_text import printable

#: A code span is no longer; no longer than a stream's text is held back anyway.
LONGEST_SPAN_CHARS = 300

_LEAD = re.compile(r"(?:[ \t]*(?:>|(?:[-+*]|\d{1,9}[.)])(?=[ \t])))*[ \t]*")
_MAY_LEAD = re.compile(r"(?:[-+*]|\d{1,9}[.)]?)?")
_FENCE = re.compile(r"(`{3,}(?=[^`\n]*(?:\n|\Z))|~{3,})")
_TICKS = re.compile(r"`+")
#: What Slack's servers make something of. An HTML comment, a doctype and a block comment of PowerShell are none.
_FIRES = re.compile(r"<(?=@|#[CDG][A-Z0-9]|!(?!doctype\b)[A-Za-z])", re.IGNORECASE)
#: The beginning of what may fire: its next characters tell.
_MAY_FIRE = re.compile(r"<(?:!(?:d(?:o(?:c(?:t(?:y(?:p(?:e)?)?)?)?)?)?)?|#[CDG]?)?\Z", re.IGNORECASE)
_SIGNS = {"<": "&lt;", ">": "&gt;"}
_HALVES = re.compile("[\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class _Fence:
    mark: str
    #: How many marks of quotes stand before it.
    depth: int

    def is_closed_by(self, content: str) -> bool:
        run = content.strip(" \t\n")
        return len(run) >= len(self.mark) and run == self.mark[0] * len(run)


def escaped(markdown: str) -> str:
    """A text that is whole."""
    return _Reader(markdown, is_whole=True).read()


def escaped_start(markdown: str) -> str:
    """So much of a text that goes on as keeps its meaning; what the whole of it is escaped to begins with it."""
    return _Reader(markdown, is_whole=False).read()


class _Reader:
    def __init__(self, markdown: str, *, is_whole: bool) -> None:
        self._text = _HALVES.sub("\N{REPLACEMENT CHARACTER}", printable(markdown))
        self._is_whole = is_whole
        self._out: list[str] = []
        self._fence: _Fence | None = None

    def read(self) -> str:
        at = 0
        while at < len(self._text):
            end = self._text.find("\n", at) + 1 or len(self._text)
            is_known = self._line(self._text[at:end])
            if not is_known:
                break
            at = end
        return "".join(self._out)

    def _line(self, line: str) -> bool:
        """Whether all of it is known."""
        is_open = not line.endswith("\n") and not self._is_whole
        lead = _LEAD.match(line)
        start = lead.end() if lead else 0
        depth = line[:start].count(">")
        if is_open and _MAY_LEAD.fullmatch(line, start):  # it may become a mark of a list or a quote, or go on
            return False
        if self._fence is not None and depth >= self._fence.depth:
            if self._fence.is_closed_by(line[self._quoted(line) :]):
                self._out.append(line)
                if not is_open:
                    self._fence = None
                return True
            return self._code(line, is_open=is_open)
        self._fence = None
        self._out.append(line[:start])
        opening = _FENCE.match(line, start)
        if opening is not None and not is_open:
            self._fence = _Fence(opening.group(), depth)
        return self._words(line[start:], is_open=is_open)

    def _quoted(self, line: str) -> int:
        """Where the content begins of a line of code: a list's mark is code there."""
        lead = re.match(rf"(?:[ \t]*>){{0,{self._fence.depth if self._fence else 0}}}", line)
        return lead.end() if lead else 0

    def _code(self, text: str, *, is_open: bool) -> bool:
        held = _MAY_FIRE.search(text) if is_open else None
        known = text[: held.start()] if held else text
        self._out.append(_FIRES.sub("&lt;", known))
        return held is None

    def _words(self, text: str, *, is_open: bool) -> bool:
        at = 0
        while at < len(text):
            character = text[at]
            if character == "`":
                at, is_known = self._span(text, at, is_open=is_open)
                if not is_known:
                    return False
                continue
            if character == "\\":
                if at + 1 == len(text) and is_open:
                    return False
                following = text[at + 1 : at + 2]
                # an escaped sign needs no backslash, which would show
                self._out.append(_SIGNS.get(following, "\\" + following))
                at += 1 + len(following)
                continue
            self._out.append(_SIGNS.get(character, character))
            at += 1
        return True

    def _span(self, text: str, at: int, *, is_open: bool) -> tuple[int, bool]:
        """A run of backticks: where to read on, and whether it is known what it is."""
        opening = _TICKS.match(text, at)
        ticks = opening.group() if opening else "`"
        begin = at + len(ticks)
        limit = begin + LONGEST_SPAN_CHARS
        for run in _TICKS.finditer(text, begin):
            if run.start() > limit:
                break
            if run.end() == len(text) and is_open:
                return at, False
            if len(run.group()) == len(ticks):
                self._out.append(ticks)
                self._code(text[begin : run.start()], is_open=False)
                self._out.append(run.group())
                return run.end(), True
        if is_open and len(text) <= limit:
            return at, False
        self._out.append(ticks)
        return begin, True
