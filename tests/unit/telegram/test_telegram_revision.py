"""Two edits are told apart, and one that comes twice is known."""

from datetime import UTC, datetime

import pytest

from adapters.telegram.revision import revision_of
from adapters.telegram.told import NotUnderstood

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


def test_two_edits_in_one_second_differ() -> None:
    assert revision_of(NOON, "one") != revision_of(NOON, "two")


def test_the_same_words_at_another_time_differ() -> None:
    assert revision_of(NOON, "one") != revision_of(NOON.replace(second=1), "one")


def test_an_edit_that_comes_again_is_the_same() -> None:
    assert revision_of(NOON, "one") == revision_of(NOON, "one") == "1795262400.7692c3ad3540"


def test_an_edit_without_a_time_is_not_understood() -> None:
    with pytest.raises(NotUnderstood):
        revision_of(None, "one")
