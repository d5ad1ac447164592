"""Pairing codes, as people type them."""

import re

import pytest

from core.pairing import code_in, hash_of, new_code


def test_a_code_can_be_read_aloud_and_is_never_the_same() -> None:
    codes = {new_code() for _ in range(200)}

    assert len(codes) == 200
    assert all(re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){3}[0-9A-HJKMNP-TV-Z]{4}", code) for code in codes)


@pytest.mark.parametrize(
    "typed", ["01AB-CDEF-GHJK-MNPQ", " 01ab cdef ghjk mnpq ", "olabcdefghjkmnpq", "0iab-cdef-ghjk-mnpq"]
)
def test_a_code_is_known_however_it_is_typed(typed: str) -> None:
    assert code_in(typed) == "01ABCDEFGHJKMNPQ"
    assert hash_of(typed) == hash_of("01AB-CDEF-GHJK-MNPQ")


@pytest.mark.parametrize("text", ["", "hello", "what is 01AB-CDEF-GHJK-MNPQ", "01AB-CDEF-GHJK", "01AB-CDEF-GHJK-MNPÄ"])
def test_what_is_no_code(text: str) -> None:
    assert code_in(text) is None


def test_a_hash_does_not_hold_the_code() -> None:
    code = new_code()

    assert len(hash_of(code)) == 64
    assert code.replace("-", "").lower() not in hash_of(code)
    assert hash_of(code) != hash_of(new_code())
