"""Where the inline marks of a paragraph stand.

markdown-it parses the paragraph; its rules are watched, since its inline tokens carry no positions.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

from markdown_it import MarkdownIt
from markdown_it.rules_inline import StateInline

Rule = Callable[[StateInline, bool], bool]

_BRACKET = re.compile(r"\\.|[\[\]]", re.DOTALL)
_LONGEST_LABEL = 1000
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

    def open_bracket(self, start: int = 0) -> int | None:
        """The first one from `start` that more text could still make a link or an image."""
        return next((at for at in self.brackets if at >= start and _may_be_link(self.text, at)), None)

    def open_angle(self, start: int = 0) -> int | None:
        """The first one from `start` that more text could still make an address or a tag."""
        return next((at for at in self.angles if at >= start and _may_be_tag(self.text, at)), None)


def label_end(text: str, bracket: int) -> int | None:
    """Where the `]` stands that belongs to the bracket; None when it is missing or far away."""
    depth = 0
    for match in _BRACKET.finditer(text, text.index("[", bracket), bracket + _LONGEST_LABEL):
        depth += {"[": 1, "]": -1}.get(match.group(), 0)
        if depth == 0:
            return match.start()
    return None


def _may_be_link(text: str, bracket: int) -> bool:
    end = label_end(text, bracket)
    if end is None or end + 1 == len(text):
        return True
    if text[end + 1] == "(":
        return ")" not in text[end:]
    return text[end + 1] == "[" and "]" not in text[end + 1 :]


def _may_be_tag(text: str, angle: int) -> bool:
    inside = text[angle + 1 :]
    if inside and not re.match(r"[A-Za-z/!?]", inside):
        return False
    closing = inside.find(">")
    return closing < 0 or '"' in inside[:closing] or "'" in inside[:closing]


def scan(text: str) -> InlineMarks:
    marks = InlineMarks(text)
    _PARSER.inline.parse(text, _PARSER, {"marks": marks}, [])
    marks.spans += [Span("bare", *match.span()) for match in _BARE.finditer(text)]
    return marks


def _marks(state: StateInline) -> InlineMarks | None:
    marks = state.env.get("marks")
    # The alternative text of an image is parsed as a text of its own.
    return marks if isinstance(marks, InlineMarks) and state.src is marks.text else None


@dataclass(frozen=True, slots=True)
class _Call:
    """One call of a rule on the paragraph itself."""

    marks: InlineMarks
    state: StateInline
    start: int
    tokens_before: int
    found: bool


def _watched(name: str, rule: Rule) -> Rule:
    def watch(state: StateInline, silent: bool) -> bool:
        start, tokens_before = state.pos, len(state.tokens)
        found = rule(state, silent)
        marks = None if silent else _marks(state)
        if marks is not None:
            _note(name, _Call(marks, state, start, tokens_before, found))
        return found

    return watch


def _note(name: str, call: _Call) -> None:
    if name == "backticks" and call.found:
        _note_ticks(call)
    elif name in ("emphasis", "strikethrough") and call.found:
        _note_delimiters(call)
    elif call.found:
        call.marks.spans.append(Span(name, call.start, call.state.pos))
    elif call.marks.text.startswith({"link": "[", "image": "!["}.get(name, "\0"), call.start):
        call.marks.brackets.append(call.start)
    elif name == "html_inline" and call.marks.text[call.start] == "<":
        call.marks.angles.append(call.start)


def _note_ticks(call: _Call) -> None:
    tokens, end = call.state.tokens, call.state.pos
    if len(tokens) == call.tokens_before or tokens[-1].type != "code_inline":
        call.marks.ticks.append(Span("ticks", call.start, end))
        return
    call.marks.spans.append(Span("code", call.start, end))
    call.marks.pairs.append(Pair(tokens[-1].markup, call.start, end))


def _note_delimiters(call: _Call) -> None:
    at = call.state.pos
    for token in reversed(call.state.tokens[call.tokens_before :]):
        if token.type != "text" or token.content.strip("*_~"):
            break
        at -= len(token.content)
        token.meta["at"] = at


def _note_pairs(state: StateInline) -> None:
    marks = _marks(state)
    if marks is None:
        return
    nested = [meta["delimiters"] for meta in state.tokens_meta if meta and "delimiters" in meta]
    for delimiter in [d for delimiters in (state.delimiters, *nested) for d in delimiters]:
        meta = state.tokens[delimiter.token].meta
        if delimiter.open and delimiter.end < 0 and "at" in meta:
            marks.openers.append(meta["at"])
    marks.openers.sort()
    opened: list[tuple[int, str]] = []
    for token in state.tokens:
        if "at" in token.meta and token.nesting == 1:
            # The second of two delimiters carries the opening of strong emphasis.
            extra = 1 if token.type == "strong_open" else 0
            opened.append((token.meta["at"] - extra, token.markup))
        elif "at" in token.meta and token.nesting == -1 and opened:
            start, markup = opened.pop()
            marks.pairs.append(Pair(markup, start, token.meta["at"] + len(markup)))


_WATCHED = (
    "backticks",
    "strikethrough",
    "emphasis",
    "escape",
    "link",
    "image",
    "autolink",
    "html_inline",
    "entity",
)


def _watched_parser() -> MarkdownIt:
    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    for rule in parser.inline.ruler.__rules__:
        if rule.name in _WATCHED:
            parser.inline.ruler.at(rule.name, _watched(rule.name, rule.fn))
    parser.inline.ruler2.before("fragments_join", "note_pairs", _note_pairs)
    return parser


_PARSER = _watched_parser()
