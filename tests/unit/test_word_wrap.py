"""Words stay whole at the edge of a terminal, however the text arrives."""

from hypothesis import given
from hypothesis import strategies as st

from bots.word_wrap import WordWrap

TEXT = "The quick brown fox jumps over the lazy dog."


def wrapped(text: str, width: int, pieces: int = 1, column: int = 0) -> str:
    wrap = WordWrap(width, column)
    size = -(-len(text) // pieces) or 1
    shown = "".join(wrap.push(text[start : start + size]) for start in range(0, len(text), size))
    return shown + wrap.flush()


def test_a_line_is_broken_between_words() -> None:
    assert wrapped(TEXT, 16).splitlines() == ["The quick brown", "fox jumps over ", "the lazy dog."]


def test_what_stands_before_the_text_counts() -> None:
    assert wrapped("one two", 10, column=8) == "\none two"


def test_the_texts_own_lines_stay() -> None:
    assert wrapped("a\n\nb", 10) == "a\n\nb"


def test_a_word_wider_than_the_line_is_left_to_the_terminal() -> None:
    assert wrapped("x" * 30, 10) == "x" * 30


def test_wide_characters_take_two_columns() -> None:
    assert wrapped("你好 世界", 8).splitlines() == ["你好 ", "世界"]


@given(st.text(alphabet="ab \n👍é", max_size=60), st.integers(4, 20), st.integers(1, 9))
def test_nothing_but_line_ends_is_added_however_the_text_arrives(text: str, width: int, pieces: int) -> None:
    shown = wrapped(text, width, pieces)

    assert shown.replace("\n", "").replace(" ", "") == text.replace("\n", "").replace(" ", "")
