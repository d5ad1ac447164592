"""The windows, and what comes out of them: what was chosen anew, a question, or that something shall be erased."""

from dataclasses import replace
from typing import Any

import pytest

from adapters.discord.choices import Chosen
from adapters.discord.commands import What
from adapters.discord.components import Component, choice
from adapters.discord.interactions import Target, acknowledged, notice
from adapters.discord.labels import ModalLabels, NoticeLabels
from adapters.discord.modals import ask_window, forget_window, settings_window
from adapters.seals import Seals
from core.dialogue import Attachment
from tests.unit.discord.interacted import (
    CAT,
    INTERACTION,
    MESSAGE,
    OMAR,
    SEALS,
    SEEN,
    THREAD,
    Body,
    PaperChoices,
    about,
    in_direct_messages,
    in_thread,
    message_of,
    read,
    said_in,
    submitted,
    understood,
)

LABELS, NOTICES = ModalLabels(), NoticeLabels()
OPEN, HIDDEN = f"i{INTERACTION}", f"e{INTERACTION}"
RAIN = Target("it rains", (Attachment("message.txt", "text/plain", 5, "3001/1/2"),))


def settings(chosen: Chosen = CAT) -> dict[str, Any]:
    return settings_window(chosen, PaperChoices(), LABELS)


def fields_of(window: Component) -> dict[str, Any]:
    """Each choice's own part, by the first word of its id."""
    rows: Any = window["components"]
    fields = [row["component"] for row in rows if "component" in row]
    return {field["custom_id"].partition(".")[0]: field for field in fields}


def chosen_in(field: dict[str, Any]) -> list[str]:
    return [option["value"] for option in field["options"] if option["default"]]


def left_as_it_is(window: Component, **changed: str) -> Body:
    """What Discord sends when somebody presses Submit, with what they chose anew."""
    fields = fields_of(window)
    told = {one["custom_id"]: [changed.get(name, *chosen_in(one))] for name, one in fields.items()}
    return submitted(str(window["custom_id"]), told)


def test_a_window_for_settings_shows_what_is_chosen() -> None:
    fields = fields_of(settings(Chosen("owl", "big", "es", streaming=False)))

    assert {name: chosen_in(field) for name, field in fields.items()} == {
        "persona": ["owl"],
        "language": ["es"],
        "streaming": ["off"],
    }
    assert [option["label"] for option in fields["language"]["options"]] == ["As usual here", "English", "español"]


def test_whoever_changes_nothing_is_shown_what_is_chosen() -> None:
    assert said_in(left_as_it_is(settings())) == [(HIDDEN, "/settings")]


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ({"persona": "dog"}, "/settings persona dog"),
        ({"language": "es"}, "/settings language es"),
        ({"streaming": "off"}, "/settings streaming off"),
    ],
)
def test_a_change_is_said_to_the_core_and_nobody_else_sees_it(changed: dict[str, str], text: str) -> None:
    body = left_as_it_is(settings(), **changed)

    assert said_in(body) == [(HIDDEN, text)]
    assert acknowledged(read(body), understood(body), NOTICES) == {"type": 5, "data": {"flags": 64}}


def test_a_language_is_given_back_to_the_place() -> None:
    changed = left_as_it_is(settings(Chosen("cat", "small", "es")), language="default")

    assert said_in(changed) == [(HIDDEN, "/settings language default")]


def test_several_changes_are_answered_one_after_the_other_and_the_language_first() -> None:
    body = left_as_it_is(settings(), streaming="off", persona="owl", language="es")
    texts = ["/settings language es", "/settings persona owl", "/settings streaming off"]

    assert said_in(body) == [*zip((HIDDEN, f"{HIDDEN}.1", f"{HIDDEN}.2"), texts, strict=True)]


def test_in_direct_messages_the_last_change_takes_the_place_of_the_answer() -> None:
    body = in_direct_messages(left_as_it_is(settings(), streaming="off", language="es"))
    texts = ["/settings language es", "/settings streaming off"]

    assert said_in(body) == [*zip((f"{OPEN}.0", OPEN), texts, strict=True)]


def test_values_that_are_no_single_line_are_no_choices() -> None:
    body = left_as_it_is(settings(), persona="dog\n/forget me yes", streaming="on ")

    assert said_in(body) == [(HIDDEN, "/settings")]


def test_a_persona_that_is_gone_stays_until_another_is_chosen() -> None:
    window = settings(Chosen("ghost", "small"))

    assert chosen_in(fields_of(window)["persona"]) == ["ghost"]
    assert said_in(left_as_it_is(window)) == [(HIDDEN, "/settings")]


def test_a_choice_offers_no_more_than_discord_shows_and_what_is_chosen_always() -> None:
    many = {f"p{number}": f"p{number}" for number in range(40)}
    row: Any = choice("persona", "Persona", {"x" * 101: "too long", "": "nothing"} | many, "p39")
    offered = [option["value"] for option in row["component"]["options"]]

    assert offered == [*(f"p{number}" for number in range(24)), "p39"]


def test_texts_that_are_too_long_for_discord_are_cut() -> None:
    row: Any = choice("persona", "l" * 46, {"a": "o" * 101}, "")

    assert row["label"] == "l" * 44 + "…"
    assert row["component"]["options"][0]["label"] == "o" * 99 + "…"


def asked(question: str, seals: Seals = SEALS, shown: Body | None = None) -> Body:
    window = ask_window(MESSAGE, "it rains", read(shown or about("it rains")), seals, LABELS)
    return submitted(str(window["custom_id"]), {"question": question})


def test_a_question_about_a_message_quotes_it() -> None:
    said = message_of(asked("for how long?"), replace(SEEN, target=RAIN))

    assert (said.message_id, said.text) == (OPEN, "for how long?")
    assert (said.quotes, said.attachments) == ("it rains", RAIN.attachments)


def test_a_question_that_begins_with_a_slash_is_a_question() -> None:
    assert message_of(asked("/etc?")).text == "//etc?"


def test_a_window_for_a_question_fits_discord_and_shows_what_it_is_about() -> None:
    window: Any = ask_window("9" * 19, "a" * 400 + "\n", read(about("x")), SEALS, LABELS)
    [shown, question] = window["components"]

    assert len(window["custom_id"]) <= 100
    assert shown == {"type": 10, "content": f"> {'a' * 299}…"}
    assert question["component"]["max_length"] <= 4000


def test_a_message_without_words_is_asked_about_without_showing_any() -> None:
    window: Any = ask_window(MESSAGE, " \n ", read(about("")), SEALS, LABELS)

    assert [row["type"] for row in window["components"]] == [18]


def test_nobody_asks_about_a_message_that_they_were_not_shown() -> None:
    elses = submitted(asked("what?")["data"]["custom_id"], {"question": "what?"}, person=OMAR)
    elsewhere = in_thread(asked("what?"))
    forged = asked("what?", Seals(b"another database's"))
    spoilt = submitted(f"ask.{MESSAGE}", {"question": "what?"})

    assert [understood(body) for body in (elses, elsewhere, forged, spoilt)] == [[]] * 4
    assert THREAD in str(elsewhere)


def test_an_empty_question_is_none() -> None:
    assert understood(asked(" \n")) == []


@pytest.mark.parametrize("what", list(What))
def test_what_shall_be_erased_is_asked_first(what: What) -> None:
    window: Any = forget_window(what, LABELS)
    name, field = str(window["custom_id"]), fields_of(window)["sure"]

    assert chosen_in(field) == ["no"]
    assert said_in(submitted(name, {"sure": ["yes"]})) == [(HIDDEN, f"/forget {what.value} yes")]
    assert len(window["title"]) <= 45


@pytest.mark.parametrize("sure", [["no"], [], ["maybe"]])
def test_whoever_is_not_sure_keeps_everything_and_is_told_so(sure: list[str]) -> None:
    body = submitted("forget.me", {"sure": sure})

    assert understood(body) == []
    assert acknowledged(read(body), [], NOTICES) == notice(NOTICES.kept)


@pytest.mark.parametrize("custom_id", ["forget.all", "forget", "", "window.me", "settings2"])
def test_a_window_that_is_none_of_ours_says_nothing(custom_id: str) -> None:
    assert understood(submitted(custom_id, {"sure": ["yes"]})) == []


def test_an_older_window_with_its_fields_in_rows_is_read_too() -> None:
    body = submitted("forget.me", {})
    body["data"]["components"] = [{"type": 1, "components": [{"type": 4, "custom_id": "sure", "value": "yes"}]}]

    assert said_in(body) == [(HIDDEN, "/forget me yes")]


@pytest.mark.parametrize("components", [None, [None], [{"component": 5}], [{"components": [None]}], {"a": 1}])
def test_a_window_without_fields_says_nothing(components: object) -> None:
    body = submitted("forget.me", {})
    body["data"]["components"] = components

    assert understood(body) == []
