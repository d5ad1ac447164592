"""What holds for any Markdown and any limit: parts fit, nothing is dropped, and nothing that was shown changes."""

import html
from collections.abc import Callable

import pytest
import regex
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from adapters.held_back import settled, virtually_closed
from adapters.text import Part, Splitter, split

Fits = Callable[[str], bool]
PARSER = MarkdownIt("commonmark").enable(["table", "strikethrough"])
EXAMPLES = settings(max_examples=150, deadline=None, derandomize=True)


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
    pieces, in_header, headers = [], False, 0
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
    match = regex.match(r"[> ]*\| (h\d+) ", part)
    return match is not None and f"| {match[1]} " in before


def visible_of_parts(parts: list[str]) -> str:
    return "".join(visible(part, i > 0 and repeats_header(parts[i - 1], part)) for i, part in enumerate(parts))


def has_open_fence(markdown: str) -> bool:
    """Whether the text ends inside a fence; one that ends with its list item or quote is whole."""
    tokens = PARSER.parse(markdown)
    fence = next((token for token in reversed(tokens) if token.nesting >= 0), None)
    if fence is None or fence.type != "fence" or not fence.map:
        return False
    lines = markdown.rstrip("\n").split("\n")
    return fence.map[1] - fence.map[0] < 2 or not lines[fence.map[1] - 1].rstrip().endswith(fence.markup)


WORDS = st.sampled_from(
    "a I word house e.g. Tokyo. Really? End! 3.14 don't naïve été ñandú שלום مرحبا नमस्ते 你好。 日本語、 ไทย 👍 👩‍👩‍👧‍👦 🏳️‍🌈 🇪🇸 ❤️ e\u0301\u0323 Z̸a̷l̴g̵o̶ x_y_z 5*3 C# <3 & a&b &amp; \\* \\_ - # > 1. + AT&T".split()
    + ["supercalifragilistic" * 4, "👩‍💻" * 12]
)
SIMPLE = st.sampled_from("alpha beta gamma delta epsilon zeta eta theta iota kappa".split())
PHRASE = st.lists(WORDS, min_size=1, max_size=6).map(" ".join)
PLAIN = st.lists(SIMPLE, min_size=1, max_size=8).map(" ".join)
INLINE = st.one_of(
    PHRASE,
    PLAIN,
    PLAIN.map("**{}**".format),
    PLAIN.map("*{}*".format),
    PLAIN.map("_{}_".format),
    PLAIN.map("~~{}~~".format),
    PLAIN.map("***{}***".format),
    st.tuples(PLAIN, PLAIN).map(lambda two: f"**{two[0]} *{two[1]}* end**"),
    PLAIN.map("`{}`".format),
    SIMPLE.map("``a ` {}``".format),
    SIMPLE.map('[a **link**](https://example.org/{} "title")'.format),
    SIMPLE.map("![picture](http://example.org/{}.png)".format),
    SIMPLE.map("<https://example.org/{}>".format),
    SIMPLE.map("https://example.org/{}".format),
    SIMPLE.map('<b class="x y">{}</b>'.format),
)
LINE = st.lists(INLINE, min_size=1, max_size=4).map(" ".join)
PARAGRAPH = st.tuples(PLAIN, st.lists(LINE, min_size=0, max_size=4), st.sampled_from(["\n", "  \n", "\\\n"])).map(
    lambda three: three[2].join([three[0], *three[1]])
)
CODE_LINE = st.sampled_from(
    [
        "",
        "x = 1",
        "    return [i for i in range(10)]",
        "```",
        "# no heading",
        "- no item",
        "| no | row |",
        "~~~",
        "y" * 90,
    ]
)


def fenced(code: list[str], fence: str, info: str, is_open: bool) -> str:
    kept = [line for line in code if not line.startswith(fence[0] * 3) or len(line) < len(fence)]
    return "\n".join([fence + info, *kept] + ([] if is_open else [fence]))


FENCE = st.builds(
    fenced,
    st.lists(CODE_LINE, max_size=8),
    st.sampled_from(["```", "````", "~~~", "~~~~~"]),
    st.sampled_from(["", "py", "js title", " c++"]),
    st.booleans().map(lambda flag: False),
)
CELL = st.one_of(PLAIN, st.sampled_from(["1", "**b**", "`c`", "a \\| b", "👍 yes", ""]))
ROWS = st.lists(st.lists(CELL, min_size=2, max_size=2).map(lambda cells: f"| {cells[0]} | {cells[1]} |"), max_size=6)
TABLE = ROWS.map(lambda rows: "\n".join(["| HEADER | b |", "|:---|---|", *rows]))
BLOCK = st.one_of(
    PARAGRAPH,
    PARAGRAPH,
    PLAIN.map("## {}".format),
    PLAIN.map("{}\n===".format),
    FENCE,
    FENCE,
    TABLE,
    st.just("---"),
    PLAIN.map("<div>\n{}\n</div>".format),
    st.lists(CODE_LINE.filter(bool), min_size=1, max_size=4).map(
        lambda lines: "\n".join("    " + line for line in lines)
    ),
)


def indented(text: str, width: int) -> str:
    return "\n".join(" " * width + line if line.strip() else line for line in text.split("\n"))


def listed(items: list[str], marker: str, gap: str) -> str:
    markers = [f"{i + 1}." if marker == "1." else marker for i in range(len(items))]
    lines = [f"{m} {indented(item, len(m) + 1).lstrip(' ')}" for m, item in zip(markers, items, strict=True)]
    return gap.join(lines)


def quoted(text: str) -> str:
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n"))


def joined(blocks: st.SearchStrategy[str], most: int) -> st.SearchStrategy[str]:
    return st.lists(blocks, min_size=1, max_size=most).map("\n\n".join)


def nested(blocks: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    first = st.tuples(PARAGRAPH, st.lists(blocks, max_size=2)).map(lambda two: "\n\n".join([two[0], *two[1]]))
    items = st.lists(first, min_size=1, max_size=4)
    lists = st.builds(listed, items, st.sampled_from(["-", "*", "1."]), st.sampled_from(["\n", "\n\n"]))
    return st.one_of(lists, joined(blocks, 2).map(quoted))


def numbered_headers(text: str) -> str:
    for number in range(text.count("HEADER")):
        text = text.replace("HEADER", f"h{number}", 1)
    return text


MARKDOWN = joined(st.recursive(BLOCK, nested, max_leaves=6), 5).map(numbered_headers)
RAW = st.text(alphabet=st.sampled_from('ab  \n\n*_~`[]()<>#-+|>1.!\\:=&;\t\r"é👍\u200d🏽\u0301'), max_size=120)
LIMIT_KINDS = pytest.mark.parametrize("kind", LIMITS)


@LIMIT_KINDS
@EXAMPLES
@given(markdown=MARKDOWN, limit=st.integers(90, 300))
def test_every_part_fits_and_nothing_is_dropped(kind: str, markdown: str, limit: int) -> None:
    fits = LIMITS[kind](limit)

    parts = split(markdown, fits)

    assert all(fits(part) for part in parts)
    assert visible_of_parts(parts) == visible(markdown)
    assert not any(has_open_fence(part) for part in parts)


def is_subsequence(short: str, long: str) -> bool:
    rest = iter(long)
    return all(char in rest for char in short)


@EXAMPLES
@given(markdown=st.one_of(RAW, MARKDOWN), limit=st.integers(12, 60), kind=st.sampled_from(sorted(LIMITS)))
def test_under_any_limit_every_character_of_any_text_arrives(markdown: str, limit: int, kind: str) -> None:
    fits = LIMITS[kind](limit)
    graphemes = regex.findall(r"\X", markdown)
    assume(all(fits(grapheme) for grapheme in graphemes))

    parts = split(markdown, fits)

    assert all(fits(part) for part in parts)
    # The backslash of a hard break stands for white space.
    wanted = regex.sub(r"\\(\r?\n)", r"\1", markdown)
    assert is_subsequence("".join(wanted.split()), "".join("".join(parts).split()))


@EXAMPLES
@given(markdown=st.one_of(RAW, MARKDOWN), limit=st.integers(20, 120), sizes=st.lists(st.integers(1, 60), min_size=1))
def test_closed_parts_never_change_however_the_text_arrives(markdown: str, limit: int, sizes: list[int]) -> None:
    fits = LIMITS["utf16"](limit)
    assume(all(fits(grapheme) for grapheme in regex.findall(r"\X", markdown)))
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
@given(markdown=MARKDOWN, limit=st.integers(60, 200), size=st.integers(1, 30))
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
@given(markdown=MARKDOWN, limit=st.integers(60, 200))
def test_a_text_is_cut_again_at_the_borders_of_before(markdown: str, limit: int) -> None:
    fits = LIMITS["characters"](limit)
    first = Splitter(fits)
    for char in markdown:
        first.append(char)
        first.release()
    borders = [part.end for part in first.closed]
    again = Splitter(fits, borders)
    again.append(markdown)

    assert again.closed[: len(borders)] == first.closed


@EXAMPLES
@given(markdown=MARKDOWN)
def test_settled_text_only_grows_and_is_never_contradicted(markdown: str) -> None:
    before, whole = 0, visible(markdown)
    for end in range(1, len(markdown) + 1):
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
