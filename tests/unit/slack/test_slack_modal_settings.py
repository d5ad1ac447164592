"""What was chosen in the window of the settings, as the core hears it."""

import pytest

from adapters.slack.home import Home
from adapters.slack.labels import ModalLabels
from adapters.slack.modals import settings_modal
from core.dialogue import Inbound, InboundMessage
from tests.unit.slack.acted import (
    ANNA,
    CHANNEL,
    ROOT,
    SEALS,
    Body,
    dialogue_in,
    key,
    picked,
    submission,
    understood,
)

HOME = Home(personas=("banter", "pirate"), languages={"en": "English", "de": "Deutsch"})


def chosen(**values: str) -> Body:
    dialogue = dialogue_in(key(CHANNEL, ROOT), persona="banter", language="", streaming=True)
    now = {"persona": "banter", "language": "default", "streaming": "on"} | values
    view = settings_modal(dialogue, HOME, ANNA, SEALS, ModalLabels())
    return submission(view, {name: picked(value) for name, value in now.items()})


def texts_of(found: list[Inbound]) -> list[str]:
    assert all(isinstance(one, InboundMessage) and one.session_key == key(CHANNEL, ROOT) for one in found)
    return [one.text for one in found if isinstance(one, InboundMessage)]


def test_what_was_changed_in_the_settings_is_said_and_nothing_else() -> None:
    assert texts_of(understood(chosen())) == []
    assert texts_of(understood(chosen(streaming="off"))) == ["/settings streaming off"]
    everything = chosen(persona="pirate", language="de", streaming="off")
    assert texts_of(understood(everything)) == [
        "/settings language de",
        "/settings persona pirate",
        "/settings streaming off",
    ]


def test_each_changed_setting_is_an_event_of_its_own() -> None:
    found = understood(chosen(persona="pirate", language="de"))

    assert len({one.event_key for one in found}) == 2


@pytest.mark.parametrize("value", ["", "pirate\n/forget me yes", " pirate", "\x00"])
def test_a_choice_that_is_no_line_changes_nothing(value: str) -> None:
    assert texts_of(understood(chosen(persona=value))) == []


def test_settings_that_were_opened_as_a_question_change_nothing() -> None:
    body = chosen(persona="pirate")
    body["view"]["callback_id"] = "ask_about_this"

    assert understood(body) == []
