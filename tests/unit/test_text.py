"""Markdown in parts, as one reads it."""

from collections.abc import Callable

import pytest

from adapters.text import Splitter, split

FAMILY = "👩‍👩‍👧‍👦"


def at_most(limit: int) -> Callable[[str], bool]:
    return lambda text: len(text) <= limit


def test_a_text_that_fits_stays_as_it_is() -> None:
    assert split("# Hello\n\n- *one*\n- two", at_most(100)) == ["# Hello\n\n- *one*\n- two"]


def test_a_text_of_white_space_has_no_parts() -> None:
    assert split(" \n\n ", at_most(10)) == []


def test_parts_end_between_blocks() -> None:
    assert split("first paragraph\n\nsecond paragraph\n\nthird", at_most(35)) == [
        "first paragraph\n\nsecond paragraph",
        "third",
    ]


def test_a_heading_stays_with_what_it_heads() -> None:
    assert split("A paragraph before.\n\n# Title\n\nIts text.", at_most(30)) == [
        "A paragraph before.",
        "# Title\n\nIts text.",
    ]


def test_a_block_that_fits_alone_is_not_cut() -> None:
    code = "```\n" + "x = 1\n" * 6 + "```"

    assert split(f"Hi:\n\n{code}", at_most(len(code))) == ["Hi:", code]


def test_a_block_that_fits_in_no_part_begins_right_after_the_text_before_it() -> None:
    parts = split("Hi:\n\n```\n" + "x = 1\n" * 20 + "```", at_most(60))

    assert parts[0].startswith("Hi:\n\n```\nx = 1")


def test_a_fence_is_closed_and_opened_again_with_its_language() -> None:
    parts = split("~~~~py title\n" + "print('hello')\n" * 3 + "~~~~", at_most(50))

    assert parts == [
        "~~~~py title\nprint('hello')\nprint('hello')\n~~~~",
        "~~~~py title\nprint('hello')\n~~~~",
    ]


def test_an_empty_line_of_code_is_kept() -> None:
    parts = split("```\none = 1\n\ntwo = 2\n\n\nthree = 3\n```", at_most(30))

    assert parts == ["```\none = 1\n\ntwo = 2\n\n\n```", "```\nthree = 3\n```"]


def test_a_fence_in_a_quote_keeps_its_prefix() -> None:
    assert split("> ```py\n> first()\n> second()\n> ```", at_most(30)) == [
        "> ```py\n> first()\n> ```",
        "> ```py\n> second()\n> ```",
    ]


def test_an_item_that_goes_on_is_shown_without_its_indentation() -> None:
    parts = split("1. install it\n\n   ```sh\n   first\n   second\n   ```\n2. run it", at_most(34))

    assert parts == ["1. install it", "```sh\nfirst\nsecond\n```\n\n2. run it"]


def test_a_list_is_cut_between_its_items() -> None:
    parts = split("- apples\n- pears\n  - green\n  - yellow\n- plums", at_most(28))

    assert parts == ["- apples", "- pears\n  - green\n  - yellow", "- plums"]


def test_every_part_of_a_table_has_its_header() -> None:
    table = "| a | b |\n|---|--:|\n| 1 | 2 |\n| 3 | 4 |\n| 5 | 6 |"

    assert split(table, at_most(40)) == [
        "| a | b |\n|---|--:|\n| 1 | 2 |\n| 3 | 4 |",
        "| a | b |\n|---|--:|\n| 5 | 6 |",
    ]


def test_a_row_that_is_too_long_goes_on_in_its_column() -> None:
    parts = split("| a | b |\n|---|---|\n| 1 | word word word word |", at_most(40))

    assert parts == ["| a | b |\n|---|---|\n| 1 | word word |", "| a | b |\n|---|---|\n| | word word |"]


def test_a_paragraph_is_cut_between_sentences() -> None:
    assert split("It rains. It pours. The old man snores.", at_most(25)) == [
        "It rains. It pours.",
        "The old man snores.",
    ]


def test_emphasis_ends_with_the_part_and_begins_again() -> None:
    assert split("**one two *three four* five**", at_most(20)) == ["**one two *three***", "***four* five**"]


@pytest.mark.parametrize(
    "whole",
    [
        "[a long link](http://a.b)",
        "![a picture](http://a.b)",
        "`some code here`",
        "<http://a.b/c>",
        f"{FAMILY}{FAMILY}",
    ],
)
def test_a_thing_that_fits_alone_is_never_cut(whole: str) -> None:
    for limit in range(len(whole), len(whole) + 12):
        assert any(whole in part for part in split(f"some text {whole} and more", at_most(limit)))


def test_a_word_that_fits_nowhere_is_cut_between_graphemes() -> None:
    assert split(FAMILY * 4, at_most(2 * len(FAMILY) + 3)) == [FAMILY * 2, FAMILY * 2]


def test_a_limit_is_measured_by_the_platform() -> None:
    parts = split("😀" * 10, lambda text: len(text.encode("utf-16-le")) // 2 <= 8)

    assert parts == ["😀😀😀😀", "😀😀😀😀", "😀😀"]


def test_a_limit_below_one_character_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="single character"):
        Splitter(at_most(0))


def test_a_grapheme_that_fits_nowhere_is_refused() -> None:
    with pytest.raises(ValueError, match="single character"):
        split(f"a {FAMILY}", at_most(5))


def test_a_word_never_becomes_a_list_by_standing_first() -> None:
    parts = split("two and three make 5 and 7 - 2 is five", at_most(27))

    assert not any(part.startswith("- ") for part in parts)
    assert " ".join(parts) == "two and three make 5 and 7 - 2 is five"


def test_an_unclosed_fence_is_closed() -> None:
    assert split("```py\nx = 1", at_most(100)) == ["```py\nx = 1\n```"]


def test_line_breaks_of_windows_are_line_breaks() -> None:
    assert split("one\r\n\r\ntwo", at_most(5)) == ["one", "two"]


def test_a_closed_part_stays_while_the_text_grows() -> None:
    splitter = Splitter(at_most(20))
    splitter.append("The first sentence. The second")
    closed = splitter.closed

    splitter.append(" sentence, which goes on.")

    assert [part.text for part in closed] == ["The first sentence."]
    assert splitter.closed[: len(closed)] == closed


def test_a_part_says_which_characters_it_carries() -> None:
    text = "one one one\n\ntwo two two\n\nthree"
    splitter = Splitter(at_most(12))
    splitter.append(text)
    splitter.finish()

    assert [text[part.start : part.end] for part in splitter.closed] == ["one one one", "two two two", "three"]


@pytest.mark.parametrize("limit", range(3, 90, 7))
@pytest.mark.parametrize("chars", range(1, 200, 9))
def test_a_line_of_plain_words_keeps_the_limit_too(limit: int, chars: int) -> None:
    text = ("plain words " * 20)[:chars].rstrip()
    splitter = Splitter(lambda part: len(part) <= limit)
    splitter.append(text)
    splitter.finish()

    parts = [part.text for part in splitter.closed]
    assert all(len(part) <= limit for part in parts)
    assert "".join(parts).replace(" ", "") == text.replace(" ", "")
