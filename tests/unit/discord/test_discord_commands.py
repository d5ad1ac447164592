"""The commands, as Discord takes them: its rules for names are kept in every language."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from adapters.discord.commands import Command, CommandName, commands_of, locales_of
from adapters.discord.labels import CommandLabels, LabelBook, NativeLabels, Worded
from bots.discord_texts import label_book
from core.texts import Texts

#: https://discord.com/developers/docs/interactions/application-commands#application-command-object
NAME = re.compile(r"[-_'\w]{1,32}")
ALL = commands_of(label_book(Texts(), "en").by_language)


def named(name: str, commands: list[Command] = ALL) -> dict[str, Any]:
    [found] = [command for command in commands if command["name"] == name]
    return found


def everything() -> Iterator[Mapping[str, Any]]:
    """Each command, and each option of one."""
    for command in ALL:
        yield command
        options = command.get("options", [])
        assert isinstance(options, list)
        yield from options


def test_every_command_is_there_and_one_for_messages() -> None:
    slash = [command["name"] for command in ALL if command["type"] == 1]
    menus = [command["name"] for command in ALL if command["type"] == 3]

    assert (slash, menus) == ([name.value for name in CommandName], ["Ask about this"])


def test_they_may_be_said_in_servers_and_brought_along_anywhere() -> None:
    assert {(tuple(one["integration_types"]), tuple(one["contexts"])) for one in everything() if "contexts" in one} == {
        ((0, 1), (0, 1, 2))
    }
    assert all("contexts" in command for command in ALL)


def test_names_are_such_as_discord_takes_in_every_language() -> None:
    told = [name for one in everything() if one["type"] != 3 or "description" in one for name in names_of(one)]

    assert len(told) > 30
    assert [name for name in told if not NAME.fullmatch(name) or name != name.lower()] == []


def test_what_is_described_is_described_shortly() -> None:
    descriptions = [
        words
        for one in everything()
        if "description" in one
        for words in (one["description"], *one["description_localizations"].values())
    ]

    assert all(1 <= len(words) <= 100 for words in descriptions)


def test_no_two_options_of_a_command_have_one_name_in_a_language() -> None:
    for command in ALL:
        options: Any = command.get("options", [])
        for locale in ("es-ES", "es-419"):
            names = [option["name_localizations"].get(locale, option["name"]) for option in options]
            others = [option["name"] for option in options]
            clashes = [name for at, name in enumerate(names) if name in others and others.index(name) != at]

            assert (len(set(names)), clashes) == (len(names), [])


def test_spanish_is_seen_in_both_of_discords_locales() -> None:
    told = {"es-ES": "preguntar", "es-419": "preguntar"}

    assert named("ask")["name_localizations"] == told
    assert named("Ask about this")["name_localizations"] == dict.fromkeys(told, "Preguntar sobre esto")
    assert set(named("help")["description_localizations"]) == set(told)


def test_a_language_that_discord_has_no_locale_for_is_seen_in_english() -> None:
    arabic = {tag: one for tag, one in label_book(Texts(), "ar").by_language.items() if tag == "ar"}

    assert named("ask", commands_of(arabic)) == named("ask", commands_of({}))
    assert named("ask", commands_of(arabic))["description"] == "ask me something"


@pytest.mark.parametrize("spoilt", ["Ask", "two words", "", "x" * 33, "a.b"])
def test_a_name_that_discord_would_refuse_is_left_out(spoilt: str) -> None:
    """It would refuse all of them."""
    labels = NativeLabels(commands=CommandLabels(new=Worded(spoilt, "d" * 101)))
    new = named("new", commands_of({"de": labels}))

    assert new["name_localizations"] == {}
    assert new["description_localizations"] == {"de": "d" * 100}


def test_a_question_is_required_and_whoever_answers_is_offered_while_it_is_typed() -> None:
    [question, persona, model] = named("ask")["options"]

    assert (question["name"], question["required"], "autocomplete" in question) == ("question", True, False)
    assert [(one["name"], one["autocomplete"], "required" in one) for one in (persona, model)] == [
        ("persona", True, False),
        ("model", True, False),
    ]


def test_what_is_erased_has_to_be_said_and_what_is_read_has_not() -> None:
    [erased], [read] = named("forget")["options"], named("export")["options"]

    assert [choice["value"] for choice in erased["choices"]] == ["me", "session"]
    assert (erased["required"], "required" in read) == (True, False)
    assert erased["choices"] == read["choices"]
    assert all(1 <= len(name) <= 100 for choice in erased["choices"] for name in names_of(choice))


@pytest.mark.parametrize(
    ("language", "locales"),
    [("es", ("es-ES", "es-419")), ("es-419", ("es-419",)), ("pt_BR", ("pt-BR",)), ("pt", ("pt-BR",)), ("ja", ("ja",))],
)
def test_a_language_has_discords_locales(language: str, locales: tuple[str, ...]) -> None:
    assert locales_of(language) == locales


@pytest.mark.parametrize("language", ["ar", "en", "en-GB", "", "x"])
def test_english_and_what_discord_does_not_know_have_none(language: str) -> None:
    assert locales_of(language) == ()


@pytest.mark.parametrize(
    ("locale", "shown"),
    [("es-419", "Conservar"), ("es-ES", "Conservar"), ("en-US", "Keep"), ("fr", "احتفظ"), ("", "احتفظ")],
)
def test_windows_speak_the_persons_language_or_else_the_operators(locale: str, shown: str) -> None:
    assert label_book(Texts(), "ar").of(locale).modals.no == shown


def test_an_empty_book_speaks_english() -> None:
    assert LabelBook({}, "x").of("de") == NativeLabels()


def test_the_usual_labels_are_those_of_the_catalogues_english() -> None:
    assert label_book(Texts(), "es").by_language["en"] == NativeLabels()


def names_of(one: Mapping[str, Any]) -> list[str]:
    return [one["name"], *one["name_localizations"].values()]
