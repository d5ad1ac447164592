"""Personas and models are offered by what is typed of their names."""

import pytest

from adapters.discord.autocomplete import suggested
from tests.unit.discord.interacted import PaperChoices, command, read, typing


class ManyChoices(PaperChoices):
    personas = tuple(f"persona {number:02}" for number in range(40))
    models = ("x" * 101, "", "the tiny one", "tiny")


def names(option: str, typed: str, choices: PaperChoices | None = None) -> list[str]:
    told = suggested(read(typing("ask", option, typed)), choices or PaperChoices())["choices"]
    assert isinstance(told, list)
    assert all(one["name"] == one["value"] for one in told)
    return [one["value"] for one in told]


def test_nothing_typed_offers_all() -> None:
    assert names("persona", "") == ["cat", "dog", "owl"]
    assert names("model", " ") == ["big", "small"]
    assert names("name", "") == ["cat", "dog", "owl"]


@pytest.mark.parametrize(("typed", "offered"), [("o", ["owl", "dog"]), ("OW", ["owl"]), ("x", []), (" cat ", ["cat"])])
def test_what_begins_with_it_comes_first(typed: str, offered: list[str]) -> None:
    assert names("persona", typed) == offered


def test_discord_shows_25_and_no_name_of_more_than_100_characters() -> None:
    assert names("persona", "", ManyChoices()) == [f"persona {number:02}" for number in range(25)]
    assert names("model", "tiny", ManyChoices()) == ["tiny", "the tiny one"]


def test_where_nothing_is_typed_nothing_is_offered() -> None:
    assert names("question", "o") == []
    assert suggested(read(command("ask", question="o")), PaperChoices()) == {"choices": []}
