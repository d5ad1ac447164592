"""What was sealed opens for the same use, person and database, and nothing else opens."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.seals import Purpose, Seals

SEALS = Seals(b"the database's own")
PURPOSE = Purpose("home.forget", "T0ACME", "U0ANNA")
FACTS = {"channel": "C0GENERAL", "thread": "1700000000.000100"}


@given(st.dictionaries(st.text(max_size=20), st.text(max_size=60), max_size=5))
@settings(max_examples=200, deadline=None)
def test_what_was_sealed_is_read_again(facts: dict[str, str]) -> None:
    storable = {
        name.encode(errors="replace").decode(): value.encode(errors="replace").decode() for name, value in facts.items()
    }

    sealed = SEALS.sealed(PURPOSE, storable)

    assert SEALS.opened(PURPOSE, sealed) == storable
    assert sealed.isascii()


@pytest.mark.parametrize(
    "other",
    [
        Purpose("home.forget_me", "T0ACME", "U0ANNA"),
        Purpose("home.forget", "T0OTHER", "U0ANNA"),
        Purpose("home.forget", "T0ACME", "U0OMAR"),
        Purpose("home", "forget\0T0ACME", "U0ANNA"),
    ],
)
def test_nothing_opens_for_another_use(other: Purpose) -> None:
    assert SEALS.opened(other, SEALS.sealed(PURPOSE, FACTS)) is None


def test_nothing_opens_with_another_databases_secret() -> None:
    assert Seals(b"another").opened(PURPOSE, SEALS.sealed(PURPOSE, FACTS)) is None


def test_it_opens_after_a_restart() -> None:
    assert Seals(b"the database's own").opened(PURPOSE, SEALS.sealed(PURPOSE, FACTS)) == FACTS


@given(st.integers(min_value=0), st.characters())
@settings(max_examples=300, deadline=None)
def test_no_character_of_it_can_be_changed(at: int, character: str) -> None:
    sealed = SEALS.sealed(PURPOSE, FACTS)
    place = at % len(sealed)
    changed = sealed[:place] + character + sealed[place + 1 :]

    assert SEALS.opened(PURPOSE, changed) == (FACTS if changed == sealed else None)


@given(st.text(max_size=120))
@settings(max_examples=200, deadline=None)
def test_what_was_made_up_does_not_open(made_up: str) -> None:
    assert SEALS.opened(PURPOSE, made_up) is None
