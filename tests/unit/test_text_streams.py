"""What is shown of Markdown while it is written: an open part, an append-only stream, a part that is rolled over."""

from collections.abc import Callable

import pytest

from adapters.held_back import settled, virtually_closed
from adapters.text import Splitter

FAMILY = "👩‍👩‍👧‍👦"


def at_most(limit: int) -> Callable[[str], bool]:
    return lambda text: len(text) <= limit


def test_the_open_part_is_shown_with_its_marks_closed() -> None:
    splitter = Splitter(at_most(100))
    splitter.append("Use **bold and `code")

    assert splitter.open() == ["Use **bold and `code`**"]


def test_an_append_only_stream_shows_whole_words_without_open_marks() -> None:
    splitter = Splitter(at_most(100))
    splitter.append("This is **very impor")

    assert splitter.release() == "This is"


def test_a_part_begins_with_what_a_stream_has_shown_of_it() -> None:
    splitter = Splitter(at_most(40))
    splitter.append("Short.\n\nA longer paragraph that is shown")
    shown = splitter.release()
    splitter.append(" and then turns out to be too long.")

    assert shown == "Short.\n\nA longer paragraph that is"
    assert splitter.closed[0].text.startswith(shown)


def test_an_open_part_that_is_too_old_is_closed_where_nothing_can_change_any_more() -> None:
    splitter = Splitter(at_most(100))
    splitter.append("All of this is said. And more is")

    assert [part.text for part in splitter.roll_over()] == ["All of this is said. And"]
    assert splitter.open() == ["more is"]


def test_a_part_that_is_rolled_over_ends_no_earlier_than_a_stream_has_shown() -> None:
    splitter = Splitter(at_most(100))
    splitter.append("Words were shown, and 1")
    shown = splitter.release()

    assert splitter.roll_over() == ()
    splitter.append(". is what follows")

    assert shown == "Words were shown, and"
    assert [part.text for part in splitter.closed] == ["Words were shown, and 1. is"]


def test_nothing_more_is_released_of_a_part_that_is_about_to_be_closed() -> None:
    splitter = Splitter(at_most(100))
    splitter.append("Shown so")
    shown = splitter.release()
    splitter.roll_over()

    assert splitter.release() == shown == "Shown"


def test_a_fence_that_is_rolled_over_is_closed_and_opened_again() -> None:
    splitter = Splitter(at_most(100))
    splitter.append("```py\nx = 1\ny = 2\nz =")

    assert [part.text for part in splitter.roll_over()] == ["```py\nx = 1\ny = 2\n```"]
    assert splitter.open() == ["```py\nz =\n```"]


def test_a_table_that_is_rolled_over_has_its_header_again() -> None:
    splitter = Splitter(at_most(200))
    splitter.append("| a | b |\n|---|---|\n| 1 | 2 |\n| 3 | 4 |\n| 5")
    splitter.roll_over()
    splitter.append(" | 6 |\n| 7 | 8 |\n")
    splitter.finish()

    assert [part.text.splitlines()[0] for part in splitter.closed] == ["| a | b |"] * 2
    assert [part.text.splitlines()[-1] for part in splitter.closed] == ["| 3 | 4 |", "| 7 | 8 |"]


def test_an_empty_part_can_not_be_rolled_over() -> None:
    splitter = Splitter(at_most(100))

    assert splitter.roll_over() == ()
    splitter.append("And yet it is not closed at the next word")
    assert splitter.closed == ()


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("so **impor", "so "),
        ("so *impor", "so "),
        ("so _impor", "so "),
        ("so ~~impor", "so "),
        ("call `print", "call "),
        ("see [the docs](http://exa", "see "),
        ("so **important** that", "so **important** that"),
        ("2 * 3 is", "2 * 3 is"),
        ("snake_case is", "snake_case is"),
        ("text\n| a | b |", "text\n"),
        ("| a | b |\n|---|---|\n| 1 | 2", "| a | b |\n|---|---|\n"),
        ("Title\n--", "Title\n"),
        ("```py\nx = 1\n``", "```py\nx = 1\n"),
        ("```py\nx = **1", "```py\nx = **1"),
        ("list\n-", "list\n"),
    ],
)
def test_what_may_still_change_its_meaning_is_held_back(written: str, sent: str) -> None:
    assert written[: settled(written)] == sent


def test_nothing_is_held_back_for_ever() -> None:
    assert settled("a **" + "word " * 200, held_chars=400) == len("a **" + "word " * 200)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        ("**bold", "**bold**"),
        ("**bold *and italic", "**bold *and italic***"),
        ("~~gone", "~~gone~~"),
        ("`code", "`code`"),
        ("a **", "a"),
        ("see [the docs](http://exa", "see the docs"),
        ("```py\nx = 1", "```py\nx = 1\n```"),
        ("> ```\n> x", "> ```\n> x\n> ```"),
        ("Title\n--", "Title"),
        ("all **closed** here", "all **closed** here"),
    ],
)
def test_open_marks_are_closed_for_display(written: str, shown: str) -> None:
    assert virtually_closed(written) == shown
