"""What holds for any Markdown and any limit: parts fit, nothing is dropped, and nothing that was shown changes."""

import html
import re
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from adapters.graphemes import grapheme_starts
from adapters.held_back import settled, virtually_closed
from adapters.text import Part, Splitter, split
from tests.unit.markdown_texts import MARKDOWN, RAW, SHORT

Fits = Callable[[str], bool]
PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
EXAMPLES = settings(max_examples=40, deadline=None, derandomize=True)


def utf16_units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def entity_count(text: str) -> int:
    children = [child for token in PARSER.parse(text) for child in token.children or []]
    return sum(child.nesting == 1 or child.type == "code_inline" for child in children)


def rendered_chars(text: str) -> int:
    """What a platform counts that counts after its own conversion; it is not quite monotone."""
    return len(visible(text))


LIMITS: dict[str, Callable[[int], Fits]] = {
    "characters": lambda limit: lambda text: len(text) <= limit,
    "utf16": lambda limit: lambda text: utf16_units(text) <= limit,
    "escaped": lambda limit: lambda text: len(html.escape(text)) <= limit,
    "entities": lambda limit: lambda text: len(text) <= limit and entity_count(text) <= 2,
    "rendered": lambda limit: lambda text: rendered_chars(text) <= limit and len(text) <= 2 * limit,
}


def inline_text(token: Token) -> str:
    pieces = []
    for child in token.children or []:
        pieces.append(child.content)
        pieces += [str(value) for value in child.attrs.values()] if child.type in ("link_open", "image") else []
    return "".join(pieces)


def visible(markdown: str, skip_first_header: bool = False) -> str:
    pieces: list[str] = []
    in_header, headers = False, 0
    for token in PARSER.parse(markdown):
        if token.type in ("thead_open", "thead_close"):
            in_header = token.type == "thead_open"
            headers += in_header
        is_skipped = skip_first_header and in_header and headers == 1
        if token.type == "inline" and not is_skipped:
            pieces.append(inline_text(token))
        elif token.type in ("fence", "code_block", "html_block"):
            pieces.append(token.content)
    return "".join("".join(pieces).split())


def repeats_header(before: str, part: str) -> bool:
    """Each generated table has a header of its own."""
    match = re.match(r"[> ]*\| (h\d+) ", part)
    return match is not None and f"| {match[1]} " in before


def visible_of_parts(parts: list[str]) -> str:
    return "".join(visible(part, i > 0 and repeats_header(parts[i - 1], part)) for i, part in enumerate(parts))


def graphemes(text: str) -> list[str]:
    starts = [*grapheme_starts(text), len(text)]
    return [text[start:end] for start, end in pairwise(starts)]


def has_open_fence(markdown: str) -> bool:
    """Whether the text ends inside a fence; one that ends with its list item or quote is whole."""
    tokens = PARSER.parse(markdown)
    fence = next((token for token in reversed(tokens) if token.nesting >= 0), None)
    if fence is None or fence.type != "fence" or not fence.map:
        return False
    lines = markdown.rstrip("\n").split("\n")
    return fence.map[1] - fence.map[0] < 2 or not lines[fence.map[1] - 1].rstrip().endswith(fence.markup)


LIMIT_KINDS = pytest.mark.parametrize("kind", LIMITS)


BROKEN_OFF = st.tuples(MARKDOWN, st.floats(0, 1)).map(lambda two: two[0][: int(len(two[0]) * two[1])])
LINK = re.compile(r"!?\[[^\]]*\]\([^)]*\)|<https:[^>]*>|``a ` \w+``")


@LIMIT_KINDS
@EXAMPLES
@given(markdown=MARKDOWN, limit=st.integers(90, 300))
def test_every_part_fits_and_nothing_is_dropped(kind: str, markdown: str, limit: int) -> None:
    fits = LIMITS[kind](limit)

    parts = split(markdown, fits)

    assert all(fits(part) for part in parts)
    assert visible_of_parts(parts) == visible(markdown)
    assert not any(has_open_fence(part) for part in parts)
    assert [link for part in parts for link in LINK.findall(part)] == LINK.findall(markdown)


@EXAMPLES
@given(markdown=BROKEN_OFF, limit=st.integers(90, 200))
def test_a_text_that_breaks_off_leaves_no_fence_open(markdown: str, limit: int) -> None:
    parts = split(markdown, LIMITS["characters"](limit))

    assert all(len(part) <= limit for part in parts)
    assert not any(has_open_fence(part) for part in parts)


@EXAMPLES
@given(markdown=MARKDOWN, limit=st.integers(60, 200), size=st.integers(1, 40))
def test_line_breaks_of_windows_are_line_breaks(markdown: str, limit: int, size: int) -> None:
    splitter, windows = Splitter(LIMITS["characters"](limit)), markdown.replace("\n", "\r\n")
    for at in range(0, len(windows), size):
        splitter.append(windows[at : at + size])
    splitter.finish()

    assert [part.text for part in splitter.closed] == split(markdown, LIMITS["characters"](limit))


@EXAMPLES
@given(markdown=MARKDOWN, limit=st.integers(30, 90))
def test_no_grapheme_is_cut(markdown: str, limit: int) -> None:
    splitter = Splitter(LIMITS["utf16"](limit))
    splitter.append(markdown)
    splitter.finish()

    whole = {*grapheme_starts(markdown), len(markdown)}
    assert {part.end for part in splitter.closed} <= whole


def is_subsequence(short: str, long: str) -> bool:
    rest = iter(long)
    return all(char in rest for char in short)


@EXAMPLES
@given(markdown=st.one_of(RAW, BROKEN_OFF), limit=st.integers(12, 60), kind=st.sampled_from(sorted(LIMITS)))
def test_under_any_limit_every_character_of_any_text_arrives(markdown: str, limit: int, kind: str) -> None:
    fits = LIMITS[kind](limit)
    assume(all(fits(grapheme) for grapheme in graphemes(markdown)))

    parts = split(markdown, fits)

    assert all(fits(part) for part in parts)
    # The backslash of a hard break stands for white space; a quote's mark stands for each line anew.
    wanted = re.sub(r"\\(\r?\n)|>", r"\1", markdown)
    assert is_subsequence("".join(wanted.split()), "".join("".join(parts).split()))


@EXAMPLES
@given(markdown=st.one_of(RAW, SHORT), limit=st.integers(20, 120), sizes=st.lists(st.integers(4, 60), min_size=1))
def test_closed_parts_never_change_however_the_text_arrives(markdown: str, limit: int, sizes: list[int]) -> None:
    fits = LIMITS["utf16"](limit)
    assume(all(fits(grapheme) for grapheme in graphemes(markdown)))
    splitter, at, turn = Splitter(fits), 0, 0
    seen: tuple[Part, ...] = ()
    while at < len(markdown):
        size = sizes[turn % len(sizes)]
        splitter.append(markdown[at : at + size])
        at, turn = at + size, turn + 1
        assert splitter.closed[: len(seen)] == seen
        seen = splitter.closed
        assert all(fits(text) for text in splitter.open())
    splitter.finish()

    assert splitter.closed[: len(seen)] == seen
    assert [part.text for part in splitter.closed] == split(markdown, fits)


@EXAMPLES
@given(markdown=MARKDOWN, more=MARKDOWN, limit=st.integers(40, 200))
def test_a_longer_text_begins_with_the_same_closed_parts(markdown: str, more: str, limit: int) -> None:
    splitter = Splitter(LIMITS["characters"](limit))
    splitter.append(markdown)

    longer = split(markdown + more, LIMITS["characters"](limit))

    assert longer[: len(splitter.closed)] == [part.text for part in splitter.closed]


@EXAMPLES
@given(markdown=SHORT, limit=st.integers(60, 200), size=st.integers(1, 30))
def test_what_an_append_only_stream_shows_stays_the_beginning_of_its_part(markdown: str, limit: int, size: int) -> None:
    fits = LIMITS["characters"](limit)
    splitter, shown = Splitter(fits), ""
    for at in range(0, len(markdown), size):
        closed = splitter.append(markdown[at : at + size])
        if closed:
            assert closed[0].text.startswith(shown)
            shown = ""
        assert splitter.release().startswith(shown)
        shown = splitter.release()
    last = splitter.finish()

    assert not last or last[0].text.startswith(shown)
    assert all(fits(part.text) for part in splitter.closed)
    assert visible_of_parts([part.text for part in splitter.closed]) == visible(markdown)


@EXAMPLES
@given(markdown=SHORT, limit=st.integers(60, 200), size=st.integers(1, 9))
def test_a_text_is_cut_again_at_the_borders_of_before(markdown: str, limit: int, size: int) -> None:
    fits = LIMITS["characters"](limit)
    first = Splitter(fits)
    for at in range(0, len(markdown), size):
        first.append(markdown[at : at + size])
        first.release()
    borders = [part.end for part in first.closed]
    again = Splitter(fits, borders)
    again.append(markdown)

    assert again.closed[: len(borders)] == first.closed


@EXAMPLES
@given(markdown=SHORT, limit=st.integers(90, 300), size=st.integers(5, 60), age=st.integers(1, 6))
def test_parts_that_are_rolled_over_fit_and_drop_nothing(markdown: str, limit: int, size: int, age: int) -> None:
    fits = LIMITS["characters"](limit)
    splitter, shown = Splitter(fits), ""
    for number, at in enumerate(range(0, len(markdown), size)):
        closed = splitter.append(markdown[at : at + size])
        if number % age == 0:
            closed = (*closed, *splitter.roll_over())
        if closed:
            assert closed[0].text.startswith(shown)
            shown = ""
        assert splitter.release().startswith(shown)
        shown = splitter.release()
    last = splitter.finish()

    assert not last or last[0].text.startswith(shown)
    parts = [part.text for part in splitter.closed]
    assert all(fits(part) for part in parts)
    assert not any(has_open_fence(part) for part in parts)
    assert visible_of_parts(parts) == visible(markdown)


@EXAMPLES
@given(markdown=SHORT, limit=st.integers(90, 300), size=st.integers(5, 60), age=st.integers(1, 6))
def test_what_was_rolled_over_is_cut_again_at_its_borders(markdown: str, limit: int, size: int, age: int) -> None:
    assume("===" not in markdown)  # a line that becomes a heading afterwards
    fits = LIMITS["characters"](limit)
    first = Splitter(fits)
    for number, at in enumerate(range(0, len(markdown), size)):
        first.append(markdown[at : at + size])
        first.release()
        if number % age == 0:
            first.roll_over()
    again = Splitter(fits, [part.end for part in first.closed])
    again.append(markdown)

    assert again.closed[: len(first.closed)] == first.closed


@EXAMPLES
@given(markdown=SHORT, size=st.integers(2, 15))
def test_settled_text_only_grows_and_is_never_contradicted(markdown: str, size: int) -> None:
    before, whole = 0, visible(markdown)
    for end in range(size, len(markdown) + 1, size):
        length = settled(markdown[:end])
        assert before <= length <= end
        if length > before:
            assert whole.startswith(visible(virtually_closed(markdown[:length])))
        before = length


@EXAMPLES
@given(markdown=st.one_of(RAW, MARKDOWN), cut=st.floats(0, 1))
def test_half_a_text_is_closed_for_display(markdown: str, cut: float) -> None:
    shown = virtually_closed(markdown[: int(len(markdown) * cut)])

    assert not has_open_fence(shown)
