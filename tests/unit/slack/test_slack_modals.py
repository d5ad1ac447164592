"""The modals show what is chosen now, carry what they were made for, and fit into Slack's limits."""

from dataclasses import fields
from typing import Any

import pytest

from adapters.slack.home import Home
from adapters.slack.labels import ModalLabels
from adapters.slack.modals import ModalKind, ask_modal, errors_of_question, settings_modal
from core.dialogue import SessionKey
from tests.unit.slack.acted import ANNA, CHANNEL, OMAR, ROOT, SEALS, TEAM, dialogue_in, key, submission, written
from tests.unit.slack.views import Shown, elements_in, taken_by_slack, texts_in

LABELS = ModalLabels()
HOME = Home(personas=("banter", "pirate"), languages={"en": "English", "de": "Deutsch"})
LONG = {field.name: "Wörter " * 600 for field in fields(ModalLabels)}


def settings_of(home: Home = HOME, **chosen: Any) -> Shown:
    dialogue = dialogue_in(key(CHANNEL, ROOT), **chosen)
    return taken_by_slack(settings_modal(dialogue, home, ANNA, SEALS, LABELS))


def asking(quotes: str, place: SessionKey | None = None, labels: ModalLabels = LABELS) -> Shown:
    return taken_by_slack(ask_modal(place or key(CHANNEL, ROOT), quotes, ANNA, SEALS, labels))


def chosen_in(view: Shown) -> dict[str, str]:
    return {one["action_id"]: one["initial_option"]["value"] for one in elements_in(view) if "initial_option" in one}


@pytest.mark.parametrize(
    ("chosen", "shown"),
    [
        ({}, {"persona": "banter", "language": "default", "streaming": "on"}),
        (
            {"persona": "pirate", "language": "de", "streaming": False},
            {"persona": "pirate", "language": "de", "streaming": "off"},
        ),
    ],
)
def test_the_settings_show_what_is_chosen_now(chosen: dict[str, Any], shown: dict[str, str]) -> None:
    assert chosen_in(settings_of(**chosen)) == shown


def test_everything_that_there_is_can_be_chosen() -> None:
    offered = {one["action_id"]: [option["value"] for option in one["options"]] for one in elements_in(settings_of())}

    assert offered == {
        "persona": ["banter", "pirate"],
        "language": ["default", "en", "de"],
        "streaming": ["on", "off"],
    }


def test_a_choice_that_is_no_longer_offered_hinders_nobody() -> None:
    view = settings_of(persona="gone")

    [persona] = [block for block in view["blocks"] if block["block_id"] == "persona"]
    assert persona["optional"]
    assert "initial_option" not in persona["element"]


def test_without_personas_there_is_no_menu_of_them() -> None:
    assert "persona" not in {one["action_id"] for one in elements_in(settings_of(Home()))}


def test_slack_takes_settings_with_very_many_choices_and_very_long_words() -> None:
    home = Home(personas=("p" * 151, *(f"persona {n} " + "x" * 90 for n in range(300))), languages={"": "none"})

    view = settings_modal(dialogue_in(key()), home, ANNA, SEALS, ModalLabels(**LONG))

    assert "p" * 151 not in {option["value"] for one in elements_in(taken_by_slack(view)) for option in one["options"]}


def facts_in(view: Shown, kind: ModalKind, person: str = ANNA) -> object:
    return SEALS.opened(kind.purpose(TEAM, person), view["private_metadata"])


def test_a_modal_carries_its_place_for_its_person_and_its_use_alone() -> None:
    view = asking("it will rain")
    place = {"channel": CHANNEL, "thread": ROOT, "person": "", "quotes": "it will rain"}

    assert facts_in(view, ModalKind.ASK) == place
    assert facts_in(view, ModalKind.SETTINGS) is facts_in(view, ModalKind.ASK, OMAR) is None


def test_the_message_is_shown_and_mentions_nobody() -> None:
    [quoted] = [block["text"] for block in asking("<!channel> look")["blocks"] if block["type"] == "section"]

    assert quoted == {"type": "plain_text", "text": "<!channel> look", "emoji": False}


@pytest.mark.parametrize("character", ["a", "ä", "雨", "🌧", '"', "\\", "\n", "\x00", "\ud800"])
def test_a_message_of_any_length_and_script_fits_a_modal(character: str) -> None:
    view = asking("x" + character * 5000 + "x")

    facts = SEALS.opened(ModalKind.ASK.purpose(TEAM, ANNA), view["private_metadata"])
    assert facts is not None
    assert facts["quotes"].startswith("x")
    assert view["private_metadata"].isascii()


def test_the_longest_ids_fit_a_modal_beside_a_long_message() -> None:
    asking("雨" * 5000, key("C" * 20, "1" * 17, "U" * 20))


def test_a_message_without_words_can_be_asked_about() -> None:
    assert [block["type"] for block in asking(" \n")["blocks"]] == ["input"]


def test_where_only_that_person_reads_the_answer_the_modal_says_so() -> None:
    assert LABELS.ask_alone in texts_in(asking("rain", key(CHANNEL, person=ANNA)))
    assert LABELS.ask_alone not in texts_in(asking("rain"))


def test_slack_takes_very_long_words() -> None:
    asking("rain " * 900, key(CHANNEL, person=ANNA), ModalLabels(**LONG))


@pytest.mark.parametrize(("question", "is_told"), [("", True), (" \n ", True), ("\x00", True), ("why?", False)])
def test_an_empty_question_is_told_below_its_field(question: str, is_told: bool) -> None:
    view = submission(asking("rain"), {"question": written(question)})["view"]
    told = {"response_action": "errors", "errors": {"question": LABELS.empty_question}}

    assert errors_of_question(view, LABELS) == (told if is_told else None)
    assert "question" in {block.get("block_id") for block in view["blocks"]}
