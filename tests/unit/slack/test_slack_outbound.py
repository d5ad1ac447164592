"""What a message consists of: its text, what stands below it, and the mark that it is found again by."""

from dataclasses import replace

import pytest

from adapters.slack.outbound import (
    EDITED_LIMIT_UNITS,
    PLACEHOLDER,
    content,
    mark,
    new_splitter,
    preview,
    said,
    status_title,
)
from core.dialogue import Platform, SessionKey
from core.ports import Outgoing

PART = Outgoing(SessionKey(Platform.SLACK, "A1", "T1", "C1", "1.1"), "1.1", "token", 2, "hello")
BUTTONS = [{"type": "actions", "elements": []}]


def test_a_message_carries_nothing_but_the_name_of_its_part_and_how_it_stands() -> None:
    assert mark(PART) == {"event_type": "banter_reply", "event_payload": {"part": "token.2", "state": "open"}}
    assert mark(replace(PART, is_closed=True))["event_payload"]["state"] == "whole"
    assert mark(replace(PART, is_closed=True, is_last=True))["event_payload"]["state"] == "last"


def test_text_goes_as_markdown_and_within_a_block_where_buttons_stand_below_it() -> None:
    assert content("**hi**", ()) == {"markdown_text": "**hi**"}
    assert content("**hi**", BUTTONS) == {
        "text": "**hi**",
        "blocks": [{"type": "markdown", "text": "**hi**"}, *BUTTONS],
    }


@pytest.mark.parametrize("markdown", ["", "  \n", "\x00"])
def test_a_part_that_says_nothing_is_a_placeholder(markdown: str) -> None:
    assert said(replace(PART, markdown=markdown)) == PLACEHOLDER


def test_a_notification_is_short_and_holds_no_half_of_an_escape() -> None:
    assert preview("a\n\n b") == "a b"
    for chars in range(140, 156):
        told = preview("x" * chars + "&lt;!channel&gt;" + "y" * 50)
        assert len(told) <= 151
        assert "&" not in told.replace("&lt;", "").replace("&gt;", "")


def test_a_status_is_one_escaped_line() -> None:
    assert status_title("a long\nprompt <!here>") == "a long prompt &lt;!here&gt;"
    assert status_title("") == PLACEHOLDER


def test_a_message_that_is_changed_holds_less() -> None:
    splitter = new_splitter()(limit_chars=EDITED_LIMIT_UNITS)
    splitter.append("a word " * 1000)
    splitter.finish()

    assert len(splitter.closed) == 2
    assert all(len(part.text) <= EDITED_LIMIT_UNITS for part in splitter.closed)


def test_a_text_is_cut_where_it_was_cut_before() -> None:
    splitter = new_splitter()([4])
    splitter.append("abcd efgh")
    splitter.finish()

    assert [part.text for part in splitter.closed] == ["abcd", "efgh"]
