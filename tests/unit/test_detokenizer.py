"""A reply's text while its tokens come."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.generation.detokenizer import Detokenizer, StopStrings
from core.generation.tokenizer import Tokenizer
from tests.unit.tiny_tokenizers import KINDS, byte_level

WITHOUT_DEADLINE = settings(deadline=None, derandomize=True, max_examples=150)


@pytest.fixture(scope="module", params=list(KINDS))
def tokenizer(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return Tokenizer.load(KINDS[request.param](tmp_path_factory.mktemp("tokenizer")))


@pytest.fixture(scope="module")
def chatml(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return Tokenizer.load(byte_level(tmp_path_factory.mktemp("chatml")))


def stream(tokenizer: Tokenizer, ids: list[int]) -> list[str]:
    detokenizer = Detokenizer(tokenizer)
    return [*(detokenizer.push([token_id]) for token_id in ids), detokenizer.flush()]


class TestDetokenizer:
    @WITHOUT_DEADLINE
    @given(text=st.text())
    def test_the_pieces_of_a_text_are_the_text(self, tokenizer: Tokenizer, text: str) -> None:
        ids = tokenizer.encode(text)

        assert "".join(stream(tokenizer, ids)) == tokenizer.decode(ids) == tokenizer._backend.decode(ids)

    @WITHOUT_DEADLINE
    @given(numbers=st.lists(st.integers(0, 10_000), max_size=40))
    def test_whatever_a_model_draws_the_pieces_are_the_whole(self, tokenizer: Tokenizer, numbers: list[int]) -> None:
        ids = [number % (tokenizer.vocabulary_size + 2) for number in numbers]

        assert "".join(stream(tokenizer, ids)) == tokenizer.decode(ids)

    @WITHOUT_DEADLINE
    @given(numbers=st.lists(st.integers(0, 10_000), max_size=40))
    def test_byte_level_tokens_read_as_the_library_reads_them(self, chatml: Tokenizer, numbers: list[int]) -> None:
        ids = [number % chatml.vocabulary_size for number in numbers]

        assert chatml.decode(ids) == chatml._backend.decode(ids)

    @WITHOUT_DEADLINE
    @given(text=st.text(alphabet="aé€😀 ", max_size=30))
    def test_no_piece_holds_half_of_a_character(self, tokenizer: Tokenizer, text: str) -> None:
        assert not any("\ufffd" in piece for piece in stream(tokenizer, tokenizer.encode(text)))

    def test_a_character_comes_with_its_last_byte(self, chatml: Tokenizer) -> None:
        ids = chatml.encode("😀")

        assert len(ids) == 4
        assert stream(chatml, ids) == ["", "", "", "😀", ""]

    def test_bytes_that_never_complete_do_not_hold_the_stream_up(self, chatml: Tokenizer) -> None:
        first_byte = chatml.encode("😀")[:1]
        pieces = stream(chatml, first_byte * 100 + chatml.encode("on"))

        assert "".join(pieces) == "\ufffd" * 100 + "on"
        assert pieces[1:100] == ["\ufffd"] * 99

    def test_special_tokens_are_not_shown(self, chatml: Tokenizer) -> None:
        assert "".join(stream(chatml, chatml.encode("a<|im_start|>b<|im_end|>"))) == "ab"

    def test_spaces_between_words_stay(self, tokenizer: Tokenizer) -> None:
        ids = tokenizer.encode("Hello , how  are you ?")

        assert "".join(stream(tokenizer, ids)) == "Hello , how  are you ?"

    def test_a_token_late_in_a_reply_costs_what_an_early_one_costs(self, tokenizer: Tokenizer) -> None:
        ids = tokenizer.encode("hello é 😀 the end of the story ") * 200
        detokenizer = Detokenizer(tokenizer)
        seconds = [_seconds(detokenizer, ids[start : start + 100]) for start in range(0, len(ids), 100)]

        assert min(seconds[-10:]) < 3 * min(seconds[:10])


def _seconds(detokenizer: Detokenizer, ids: list[int]) -> float:
    started = time.perf_counter()
    for token_id in ids:
        detokenizer.push([token_id])
    return time.perf_counter() - started


def cut(chunks: list[str], stops: list[str]) -> tuple[str, str]:
    stop = StopStrings(stops)
    text = "".join(stop.push(chunk) for chunk in chunks)
    return text + stop.flush(), stop.found


chunked = st.lists(st.text(alphabet="abc", max_size=4), max_size=12)


class TestStopStrings:
    @WITHOUT_DEADLINE
    @given(chunks=chunked, stop=st.text(alphabet="abc", min_size=1, max_size=5))
    def test_a_stream_ends_before_its_stop_string(self, chunks: list[str], stop: str) -> None:
        text = "".join(chunks)

        assert cut(chunks, [stop]) == (text.split(stop)[0], stop if stop in text else "")

    @WITHOUT_DEADLINE
    @given(chunks=chunked, stops=st.lists(st.text(alphabet="abc", max_size=4), max_size=4))
    def test_chunks_make_no_difference(self, chunks: list[str], stops: list[str]) -> None:
        assert cut(chunks, stops) == cut(list("".join(chunks)), stops) == cut(["".join(chunks)], stops)

    @WITHOUT_DEADLINE
    @given(chunks=chunked, stops=st.lists(st.text(alphabet="abc", min_size=1, max_size=4), max_size=4))
    def test_no_stop_string_is_ever_given_out(self, chunks: list[str], stops: list[str]) -> None:
        text, _ = cut(chunks, stops)

        assert not any(stop in text for stop in stops)

    def test_only_what_may_become_a_stop_string_is_held_back(self) -> None:
        stop = StopStrings(["\nUser:"])

        assert [stop.push("Hi\n"), stop.push("Us"), stop.push("e me"), stop.flush()] == ["Hi", "", "\nUse me", ""]

    def test_without_stop_strings_nothing_is_held_back(self) -> None:
        assert StopStrings([""]).push("all of it") == "all of it"

    def test_what_comes_after_a_stop_string_is_lost(self) -> None:
        stop = StopStrings(["END"])

        assert [stop.push("a END b"), stop.push("c"), stop.flush()] == ["a ", "", ""]
        assert stop.found == "END"
