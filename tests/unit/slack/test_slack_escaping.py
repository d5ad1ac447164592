"""What Slack is told of a Markdown text: nothing fires, nothing is taken back, no letter is lost."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.slack.escaping import LONGEST_SPAN_CHARS, escaped, escaped_start
from adapters.slack.outbound import LIMIT_UNITS, fits, new_splitter, units
from core.clean_text import printable
from tests.unit.markdown_texts import MARKDOWN, RAW

EXAMPLES = settings(max_examples=60, deadline=None, derandomize=True)
#: What Slack's servers make a mention or a link of a channel of, wherever it stands.
FIRING = re.compile(r"<(?:!(?:channel|here|everyone|subteam\^|date\^)|@[A-Za-z]|#C)", re.IGNORECASE)
HOSTILE = st.lists(
    st.sampled_from(
        [
            *("<!channel>", "<!here|x>", "<!everyone>", "<!subteam^S1>", "<@U1>", "<#C1|general>", "<!date^1^x|y>"),
            *("`", "``", "```", "~~~", "```py", "\n", "\n\n", "> ", "- ", "1. ", "    ", "\\", "|", "<", ">", "!", "@"),
            *("#C", "channel>", "here>", "U1>", "a", "word ", "<b>", "<!-- x -->", "<!doctype html>", "&lt;", "&"),
        ]
    ),
    max_size=25,
).map("".join)
ANYTHING = st.one_of(HOSTILE, MARKDOWN, RAW, st.text(max_size=120))


@pytest.mark.parametrize(
    ("markdown", "told"),
    [
        ("a < b > c", "a &lt; b &gt; c"),
        ("<!channel> <@U1> <#C1>", "&lt;!channel&gt; &lt;@U1&gt; &lt;#C1&gt;"),
        ("> a quote\n> > another <b>", "> a quote\n> > another &lt;b&gt;"),
        ("- > in an item\n  > and on", "- > in an item\n  > and on"),
        ("1 > 0", "1 &gt; 0"),
        ("`<b> & x > y`", "`<b> & x > y`"),
        ("`<!channel>` and `<@U1>`", "`&lt;!channel>` and `&lt;@U1>`"),
        ("``a ` <b>`` <b>", "``a ` <b>`` &lt;b&gt;"),
        (
            "```html\n<!DOCTYPE html>\n<!-- x -->\n<b>\n```\n<b>",
            "```html\n<!DOCTYPE html>\n<!-- x -->\n<b>\n```\n&lt;b&gt;",
        ),
        ("~~~\n<!here>\n~~~", "~~~\n&lt;!here>\n~~~"),
        ("> ```\n> <b>\n<b>", "> ```\n> <b>\n&lt;b&gt;"),
        ("```\n- ```\n<b>", "```\n- ```\n<b>"),
        ("`open <b>", "`open &lt;b&gt;"),
        ("`over\nlines` <b>", "`over\nlines` &lt;b&gt;"),
        ("\\`<b>\\`", "\\`&lt;b&gt;\\`"),
        ("\\<b\\>", "&lt;b&gt;"),
        ("a \\\\ b & c", "a \\\\ b & c"),
        ("#include <stdio.h>", "#include &lt;stdio.h&gt;"),
        ("```\n#include <stdio.h>\n<# a block comment #>\n```", "```\n#include <stdio.h>\n<# a block comment #>\n```"),
        ("```not a fence`<b>`", "```not a fence`<b>`"),
        ("a\x00b\x07", "ab"),
        ("", ""),
    ],
)
def test_signs_are_escaped_where_slack_would_make_something_of_them(markdown: str, told: str) -> None:
    assert escaped(markdown) == told


def test_a_code_span_that_is_too_long_is_none() -> None:
    assert "&lt;b&gt;" in escaped(f"`{'x' * (LONGEST_SPAN_CHARS + 1)}<b>`")


@EXAMPLES
@given(ANYTHING)
def test_nothing_that_slack_reads_as_a_mention_is_left(markdown: str) -> None:
    assert not FIRING.search(escaped(markdown))


@EXAMPLES
@given(ANYTHING)
def test_no_letter_is_lost(markdown: str) -> None:
    read = escaped(markdown).replace("&lt;", "<").replace("&gt;", ">")
    wanted = re.sub("[\ud800-\udfff]", "�", printable(markdown)).replace("&lt;", "<").replace("&gt;", ">")
    assert read.replace("\\", "") == wanted.replace("\\", "")


@EXAMPLES
@given(ANYTHING)
def test_what_was_told_of_a_growing_text_is_never_taken_back(markdown: str) -> None:
    whole, told = escaped(markdown), ""
    for end in range(0, len(markdown) + 1, 1 + len(markdown) // 150):
        now = escaped_start(markdown[:end])
        assert now.startswith(told)
        assert whole.startswith(now)
        told = now


@EXAMPLES
@given(HOSTILE)
def test_what_is_told_of_a_growing_text_never_fires(markdown: str) -> None:
    assert not any(FIRING.search(escaped_start(markdown[:end])) for end in range(len(markdown) + 1))


def test_little_is_held_back_of_a_growing_text() -> None:
    assert escaped_start("some words `that may be cod") == "some words "
    assert escaped_start("some words <b> and mo") == "some words &lt;b&gt; and mo"
    assert escaped_start("`" + "x" * (LONGEST_SPAN_CHARS + 2)).startswith("`xxx")
    assert escaped_start("```\nx = 1 <!") == "```\nx = 1 "
    assert escaped_start("a line\n> ") == "a line\n"


@EXAMPLES
@given(MARKDOWN)
def test_a_stream_shows_each_part_as_a_post_would_say_it(markdown: str) -> None:
    splitter = new_splitter()(limit_chars=200)
    sent = ""
    for end in range(0, len(markdown), 29):
        before = len(splitter.closed)
        splitter.append(markdown[end : end + 29])
        if len(splitter.closed) > before:
            assert escaped(splitter.closed[before].text).startswith(sent)
            sent = ""
        now = escaped_start(splitter.release())
        assert now.startswith(sent)
        sent = now
    splitter.finish()
    assert all(units(escaped(part.text)) <= 200 for part in splitter.closed)


@EXAMPLES
@given(st.text(alphabet="ab<>\\`\n 👍", max_size=60), st.integers(1, 60))
def test_what_fits_is_what_fits_after_its_escaping(markdown: str, limit: int) -> None:
    assert fits(markdown, limit) == (units(escaped(markdown)) <= limit)


def test_a_part_is_cut_by_what_slack_counts() -> None:
    splitter = new_splitter()()
    splitter.append("👍" * LIMIT_UNITS)
    splitter.finish()

    assert [len(part.text) for part in splitter.closed] == [LIMIT_UNITS // 2] * 2
    assert "".join(part.text for part in splitter.closed) == "👍" * LIMIT_UNITS
