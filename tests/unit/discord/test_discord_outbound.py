"""What a message says: within Discord's limit, and all of the reply."""

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.discord.outbound import (
    LIMIT_UNITS,
    LONG_LIMIT_CHARS,
    PLACEHOLDER,
    converted,
    most_added,
    new_splitter,
    said,
    units,
)
from core.dialogue import Platform, SessionKey
from core.ports import Outgoing
from tests.unit.markdown_texts import LINE, PARAGRAPH

PART = Outgoing(SessionKey(Platform.DISCORD, "1", "2", "3"), "4", "token", 0, "hello")


@pytest.mark.parametrize("markdown", ["", "  \n", "\x00", "\N{ZERO WIDTH SPACE}"])
def test_a_part_that_says_nothing_is_a_placeholder(markdown: str) -> None:
    assert said(replace(PART, markdown=markdown)) == PLACEHOLDER


def test_parts_fit_after_their_conversion() -> None:
    rows = "".join(f"| {number} | {'x' * (number % 40)} |\n" for number in range(120))
    splitter = new_splitter()()
    splitter.append("A table:\n\n| n | x |\n|--|--|\n" + rows + "\n" + "👍 word " * 600)
    splitter.finish()

    assert len(splitter.closed) > 3
    for part in splitter.closed:
        assert 0 < units(converted(part.text)) <= LIMIT_UNITS
    rows_seen = re.findall(
        r"^(\d+) +\|(?: (x*))?$", "\n".join(converted(part.text) for part in splitter.closed), re.MULTILINE
    )
    assert rows_seen == [(str(number), "x" * (number % 40)) for number in range(120)]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(LINE, PARAGRAPH, st.just("    code"), st.just("| a | b |\n|-|-|\n| c | d |")), max_size=8))
def test_no_letter_of_a_text_is_lost_in_its_conversion(blocks: list[str]) -> None:
    text = "\n\n".join(blocks)

    kept = set("".join(converted(text).split()))

    assert {letter for letter in text if letter.isalnum()} <= kept


@settings(max_examples=150, deadline=None)
@given(
    st.lists(
        st.one_of(
            LINE,
            PARAGRAPH,
            *(st.just(block) for block in ("    x", "\tx", "> \tx", "T\n-", "~~~\n```\n~~~", "- \n\n      x")),
        ),
        max_size=8,
    ),
    st.sampled_from(["\n", "\n\n", "\n\nx\n\n"]),
)
def test_no_more_is_added_than_is_reckoned_with(blocks: list[str], between: str) -> None:
    text = between.join(blocks).replace("|", "")

    assert units(converted(text)) <= units(text) + most_added(text)


def test_a_limit_beyond_a_message_is_for_what_goes_as_a_file() -> None:
    splitter = new_splitter()(limit_chars=LONG_LIMIT_CHARS)
    splitter.append("a word " * 9000)
    splitter.finish()

    assert len(splitter.closed) == 1
    shown = said(replace(PART, markdown=splitter.closed[0].text))
    assert 1500 < units(shown) <= LIMIT_UNITS
    assert shown.endswith(PLACEHOLDER)


def test_the_beginning_of_a_long_reply_closes_the_code_that_it_cuts() -> None:
    shown = said(replace(PART, markdown="Look:\n\n```py\n" + "x = 1\n" * 2000 + "```"))

    assert units(shown) <= LIMIT_UNITS
    assert shown.count("```") == 2


def test_a_text_is_cut_again_where_it_was_cut_before() -> None:
    text = "Rain falls. " * 600
    first = new_splitter()()
    first.append(text)
    first.finish()
    again = new_splitter()([part.end for part in first.closed])
    again.append(text[:100])
    again.append(text[100:])
    again.finish()

    assert [part.text for part in again.closed] == [part.text for part in first.closed]
