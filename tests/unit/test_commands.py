"""What is a command, and what is meant for the model."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.commands.command import PREFIX, Command, parse


def test_a_slash_that_is_meant_for_the_model_is_written_twice() -> None:
    assert parse("//etc is a folder") == "/etc is a folder"
    assert parse("either/or") == "either/or"
    assert parse("") == ""


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("/undo", Command("undo")),
        ("/PERSONA  use pirate ", Command("persona", "use pirate")),
        ("/persona\nuse pirate", Command("persona", "use pirate")),
        ("/persona\u00a0show", Command("persona", "show")),
        ("/", Command("")),
        ("/ ", Command("")),
        ("/ßtop", Command("sstop")),
    ],
)
def test_a_command_is_a_name_and_what_stands_behind_it(line: str, command: Command) -> None:
    assert parse(line) == command


@given(st.text())
def test_every_text_is_one_of_both(text: str) -> None:
    said = parse(text)

    assert isinstance(said, Command) == (text.startswith(PREFIX) and not text.startswith(PREFIX * 2))


@given(st.text())
def test_what_is_meant_for_the_model_is_changed_by_one_slash_at_most(text: str) -> None:
    assert parse(PREFIX * 2 + text) == PREFIX + text
