"""Where the inline marks of a paragraph stand.

markdown-it parses the paragraph; its rules are watched, since its inline tokens carry no positions.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline

Rule = Callable[[StateInline, bool], bool]

_BARE = re.compile(r"(?:https?://|www\.)[^\s<>]+|<[^<>\s]+>")


@dataclass(frozen=True, slots=True)
class Span:
    """A thing that is not cut: a code span, link, image, autolink, tag, escape or entity."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Pair:
    """Emphasis or a code span: `markup` from `start`, the inside, `markup` up to `end`."""

    markup: str
    start: int
    end: int

    @property
    def inside(self) -> tuple[int, int]:
        return self.start + len(self.markup), self.end - len(self.markup)


@dataclass(slots=True)
class InlineMarks:
    text: str
    spans: list[Span] = field(default_factory=list)
    pairs: list[Pair] = field(default_factory=list)
    #: Delimiters of emphasis that no closer was found for, one entry for each character.
    openers: list[int] = field(default_factory=list)
    #: Runs of backticks that no equal run follows.
    ticks: list[Span] = field(default_factory=list)
    #: `[`, `![` and `<` that began nothing so far.
    brackets: list[int] = field(default_factory=list)
    angles: list[int] = field(default_factory=list)


def scan(text: str) -> InlineMarks:
    marks = InlineMarks(text)
    _PARSER.inline.parse(text, _PARSER, {"marks": marks}, [])
    marks.spans += [Span("bare", *match.span()) for match in _BARE.finditer(text)]
    return marks


def _marks(state: StateInline) -> InlineMarks | None:
    marks = state.env.get("marks")
    # The alternative text of an image is parsed as a text of its own.
    return marks if isinstance(marks, InlineMarks) and state.src is marks.text else None


def _watched(name: str, rule: Rule) -> Rule:
    def watch(state: StateInline, silent: bool) -> bool:
        start, seen = state.pos, len(state.tokens)
        found = rule(state, silent)
        marks = None if silent else _marks(state)
        if marks is not None:
            _NOTES[name](marks, state, start, seen, found)
        return found

    return watch


def _note_span(name: str) -> Callable[[InlineMarks, StateInline, int, int, bool], None]:
    def note(marks: InlineMarks, state: StateInline, start: int, seen: int, found: bool) -> None:
        if found:
            marks.spans.append(Span(name, start, state.pos))
        elif (name == "link" and marks.text[start] == "[") or (name == "image" and marks.text.startswith("![", start)):
            marks.brackets.append(start)
        elif name == "html_inline" and marks.text[start] == "<":
            marks.angles.append(start)

    return note


def _note_ticks(marks: InlineMarks, state: StateInline, start: int, seen: int, found: bool) -> None:
    if not found:
        return
    if len(state.tokens) == seen or state.tokens[-1].type != "code_inline":
        marks.ticks.append(Span("ticks", start, state.pos))
        return
    marks.spans.append(Span("code", start, state.pos))
    marks.pairs.append(Pair(state.tokens[-1].markup, start, state.pos))


def _note_delimiters(marks: InlineMarks, state: StateInline, start: int, seen: int, found: bool) -> None:
    if not found:
        return
    at = state.pos
    for token in reversed(state.tokens[seen:]):
        if token.type != "text" or token.content.strip("*_~"):
            break
        at -= len(token.content)
        token.meta["at"] = at


def _note_pairs(state: StateInline) -> None:
    marks = _marks(state)
    if marks is None:
        return
    nested = [meta["delimiters"] for meta in state.tokens_meta if meta and "delimiters" in meta]
    for delimiters in [state.delimiters, *nested]:
        marks.openers += [
            state.tokens[d.token].meta["at"]
            for d in delimiters
            if d.open and d.end < 0 and "at" in state.tokens[d.token].meta
        ]
    opened: list[tuple[int, str]] = []
    for token in state.tokens:
        if "at" not in token.meta:
            continue
        if token.nesting == 1:
            # The second of two delimiters carries the opening of strong emphasis.
            extra = 1 if token.type == "strong_open" else 0
            opened.append((token.meta["at"] - extra, token.markup))
        elif token.nesting == -1 and opened:
            start, markup = opened.pop()
            marks.pairs.append(Pair(markup, start, token.meta["at"] + len(markup)))
    marks.openers.sort()


_NOTES: dict[str, Callable[[InlineMarks, StateInline, int, int, bool], None]] = {
    "backticks": _note_ticks,
    "strikethrough": _note_delimiters,
    "emphasis": _note_delimiters,
    **{name: _note_span(name) for name in ("escape", "link", "image", "autolink", "html_inline", "entity")},
}


def _watched_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    for rule in parser.inline.ruler.__rules__:
        if rule.name in _NOTES:
            parser.inline.ruler.at(rule.name, _watched(rule.name, rule.fn))
    parser.inline.ruler2.before("fragments_join", "note_pairs", _note_pairs)
    return parser


_PARSER = _watched_parser()
