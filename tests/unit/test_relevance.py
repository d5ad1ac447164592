"""Which words of a question are looked for, and which texts answer to them."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.relevance import RANKED_LIMIT, TURNS_PER_WORD, WORDS_LIMIT, rank, words_of


class TestWords:
    @pytest.mark.parametrize(
        ("question", "words"),
        [
            ("What is my dog called?", {"What", "is", "my", "dog", "called"}),
            ("Dog, dog and DOG", {"DOG", "and"}),
            ("don't", {"don"}),
            ("snake_case host.name/path", {"snake", "case", "host", "name", "path"}),
            ("Где моя собака?", {"Где", "моя", "собака"}),
            ("हिन्दी में", {"हिन्दी", "में"}),
            ("كَلْب", {"كَلْب"}),
            ("\" OR text:* NEAR(a b)^2 -- '; DROP TABLE turns", {"OR", "text", "NEAR", "DROP", "TABLE", "turns"}),
            ("👋 !!! \x00 \ud800", set()),
            ("", set()),
        ],
    )
    def test_are_letters_and_digits(self, question: str, words: set[str]) -> None:
        assert set(words_of(question)) == words

    def test_are_at_most_ten_and_the_longest_first(self) -> None:
        words = words_of(" ".join("x" * length for length in range(1, 100)))

        assert [len(word) for word in words] == list(range(64, 64 - WORDS_LIMIT, -1))

    def test_of_a_long_question_are_those_of_its_start(self) -> None:
        assert words_of("start " + "x" * 10_000_000 + " end") == ("start",)

    @given(question=st.text())
    def test_hold_nothing_that_a_query_could_take_for_its_own(self, question: str) -> None:
        for word in words_of(question):
            assert {unicodedata.category(character)[0] for character in word} <= set("LMN")


class TestRank:
    def test_more_of_the_rare_words_is_better(self) -> None:
        texts = {1: "the red car", 2: "the zebra", 3: "the red zebra", 4: "the blue car"}

        assert rank(["red", "zebra"], texts) == [3, 2, 1]

    def test_of_equals_the_last_one_is_better(self) -> None:
        assert rank(["dog"], {1: "a dog", 2: "a dog", 3: "a cat"}) == [2, 1]

    def test_case_says_nothing(self) -> None:
        assert rank(["Dog"], {1: "DOG"}) == [1]

    def test_what_has_only_words_that_are_everywhere_is_about_nothing(self) -> None:
        texts = dict.fromkeys(range(TURNS_PER_WORD), "how are you") | {99: "you never told of the zebra"}

        assert rank(["you", "know", "zebra"], texts) == [99]

    def test_what_has_most_of_the_words_is_about_them_however_common(self) -> None:
        texts = dict.fromkeys(range(RANKED_LIMIT), "how are you")

        assert len(rank(["how", "are", "you", "today"], texts)) == RANKED_LIMIT

    @given(words=st.lists(st.text(max_size=5)), texts=st.dictionaries(st.integers(), st.text()))
    def test_takes_any_text(self, words: list[str], texts: dict[int, str]) -> None:
        ranked = rank(words, texts)

        assert set(ranked) <= texts.keys()
        assert len(ranked) == len(set(ranked))
