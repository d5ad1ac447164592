"""What holds for any text: entities within it, nothing lost, and every part within Telegram's limits."""

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from adapters.telegram.outbound import (
    LIMIT_ENTITIES,
    LIMIT_UNITS,
    Formatted,
    converted,
    fits,
    formatted,
    new_splitter,
)
from tests.unit.markdown_texts import MARKDOWN, RAW, SHORT

EXAMPLES = settings(max_examples=60, deadline=None, derandomize=True)
#: HTML is text here, as it is for Telegram.
PARSER = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
ANYTHING = st.one_of(MARKDOWN, RAW, st.text(max_size=200), st.text(alphabet="<>/ab!-?[]():~|$`\n ", max_size=80))


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


def said(tokens: list[Token]) -> str:
    """What a reader of the Markdown sees."""
    pieces = []
    for token in tokens:
        if token.children is not None and token.type != "image":
            pieces.append(said(token.children))
        else:
            pieces.append(token.content)
    return " ".join(pieces)


def letters(text: str) -> str:
    return re.sub(r"[\W_]", "", text)


def holds(text: str, wanted: str) -> bool:
    """Whether all of `wanted` is in the text, in its order."""
    left = iter(text)
    return all(letter in left for letter in wanted)


def check_entities(message: Formatted) -> None:
    raw = message.text.encode("utf-16-le")
    for entity in message.entities:
        assert entity.offset >= 0
        assert entity.length > 0
        assert entity.offset + entity.length <= units(message.text)
        raw[2 * entity.offset : 2 * (entity.offset + entity.length)].decode("utf-16-le")


@given(ANYTHING)
@EXAMPLES
def test_every_entity_is_within_the_text_and_begins_and_ends_at_a_character(markdown: str) -> None:
    check_entities(converted(markdown))


@given(ANYTHING)
@EXAMPLES
def test_every_text_can_be_sent(markdown: str) -> None:
    message = formatted(markdown)

    assert 0 < units(message.text) <= LIMIT_UNITS
    assert message.text.strip()
    assert len(message.entities) <= LIMIT_ENTITIES
    assert message.text == message.text.rstrip()


@given(st.one_of(MARKDOWN, RAW))
@EXAMPLES
def test_a_reader_misses_no_letter(markdown: str) -> None:
    assert holds(letters(converted(markdown).text), letters(said(PARSER.parse(markdown))))


@given(
    st.lists(st.sampled_from(["<b>", "</b>", "<think>", "a", "b c", "<!--", "-->", "<x", "`", "\n", ">"]), max_size=12)
)
@EXAMPLES
def test_html_is_seen_letter_by_letter(pieces: list[str]) -> None:
    markdown = "".join(pieces)

    assert letters(converted(markdown).text) == letters(markdown)


@given(st.lists(SHORT, min_size=1, max_size=4), st.integers(1, 12))
@settings(max_examples=25, deadline=None, derandomize=True)
def test_every_part_of_a_long_text_fits(blocks: list[str], times: int) -> None:
    splitter = new_splitter()()
    splitter.append("\n\n".join(blocks * times * 3))
    splitter.finish()

    for part in splitter.closed:
        message = converted(part.text)
        assert fits(part.text)
        assert formatted(part.text) == message
        check_entities(message)
