"""App Home shows a person's own dialogues, and its buttons work for that person alone."""

from dataclasses import fields, replace

import pytest

from adapters.slack.home import Home, HomeAction, Visitor, home_view
from adapters.slack.labels import HomeLabels
from core.dialogue import InboundMessage
from tests.unit.slack.acted import (
    ANNA,
    CHANNEL,
    DIRECT,
    OMAR,
    ROOT,
    SEALS,
    TEAM,
    Body,
    dialogue_in,
    home_press,
    key,
    message_of,
    understood,
)
from tests.unit.slack.views import Shown, buttons_in, taken_by_slack, texts_in

LABELS = HomeLabels()
VISITOR = Visitor(TEAM, ANNA, DIRECT)
IN_THREAD, IN_DIRECT = dialogue_in(key(CHANNEL, ROOT), "Rain"), dialogue_in(key(DIRECT, ROOT), "Sun")


def shown(*dialogues: object, labels: HomeLabels = LABELS, notice: str = "") -> Shown:
    home = Home(dialogues)  # type: ignore[arg-type]
    return taken_by_slack(home_view(home, VISITOR, SEALS, labels, notice))


def test_each_dialogue_is_shown_with_its_place_and_time() -> None:
    told = list(texts_in(shown(IN_THREAD, IN_DIRECT)))

    assert "Rain" in told
    assert "Sun" in told
    moment = "<!date^1795167000^{date_short_pretty} {time}|2026-11-20 09:30>"
    assert f"<#{CHANNEL}> · {moment}" in told
    assert f"{LABELS.direct_message} · {moment}" in told


def test_where_there_is_none_it_says_so() -> None:
    assert LABELS.empty in texts_in(shown())
    assert LABELS.empty not in texts_in(shown(IN_THREAD))


def test_what_was_just_done_is_said() -> None:
    assert LABELS.forgetting in texts_in(shown(notice=LABELS.forgetting))
    assert LABELS.forgetting not in texts_in(shown())


def test_a_title_is_shown_as_it_is_and_mentions_nobody() -> None:
    view = shown(dialogue_in(key(CHANNEL, ROOT), "<!channel> *look*\n" + "x" * 500))

    [title] = [block["text"] for block in view["blocks"] if "<!channel>" in str(block.get("text"))]
    assert title["type"] == "plain_text"
    assert title["text"].startswith("<!channel> *look* xxx")
    assert len(title["text"]) <= 120


def test_a_dialogue_without_a_title_has_a_name() -> None:
    assert LABELS.untitled in texts_in(shown(dialogue_in(key(CHANNEL, ROOT))))


def test_a_channel_that_is_none_of_slacks_is_never_written_as_one() -> None:
    assert not any("<!here>" in told for told in texts_in(shown(dialogue_in(key("C><!here>"), "Rain"))))


def press_in(view: Shown, action: HomeAction, person: str = ANNA) -> Body:
    [button] = buttons_in(view, action.value)
    body = home_press(action, value=button["value"])
    body["user"]["id"] = person
    return body


def test_forget_erases_the_dialogue_that_it_stands_below() -> None:
    message = message_of(press_in(shown(IN_THREAD), HomeAction.FORGET))

    assert (message.session_key, message.text) == (IN_THREAD.key, "/forget session yes")


def test_forget_me_is_always_there_and_erases_all() -> None:
    message = message_of(press_in(shown(), HomeAction.FORGET_ME))

    assert (message.session_key, message.text) == (key(DIRECT), "/forget me yes")


@pytest.mark.parametrize("action", [HomeAction.FORGET, HomeAction.FORGET_ME])
def test_what_erases_asks_first(action: HomeAction) -> None:
    [button] = buttons_in(shown(IN_THREAD), action.value)

    assert button["style"] == button["confirm"]["style"] == "danger"


def test_settings_ask_nothing_first() -> None:
    [button] = buttons_in(shown(IN_THREAD), HomeAction.SETTINGS.value)

    assert "confirm" not in button


@pytest.mark.parametrize("action", [HomeAction.FORGET, HomeAction.FORGET_ME])
def test_nobody_else_can_use_a_button(action: HomeAction) -> None:
    assert understood(press_in(shown(IN_THREAD), action, person=OMAR)) == []


def test_what_others_decide_has_no_buttons() -> None:
    view = shown(replace(IN_THREAD, may_decide=False))

    assert buttons_in(view, HomeAction.FORGET.value) == buttons_in(view, HomeAction.SETTINGS.value) == []
    assert "Rain" in texts_in(view)


def test_slack_takes_a_home_with_very_many_dialogues_and_very_long_words() -> None:
    labels = HomeLabels(**{field.name: "Wörter " * 600 for field in fields(HomeLabels)})
    many = [dialogue_in(key("C" + "X" * 200, "1" * 17, "U" * 200), "t" * 9000) for _ in range(500)]

    view = shown(*many, labels=labels, notice="n" * 9000)

    assert len(view["blocks"]) <= 100
    assert isinstance(message_of(press_in(view, HomeAction.FORGET_ME)), InboundMessage)


def test_empty_words_are_shown_all_the_same() -> None:
    shown(IN_THREAD, labels=HomeLabels(**{field.name: "" for field in fields(HomeLabels)}))


def test_a_home_without_a_dialogue_keeps_the_others() -> None:
    home = Home((IN_THREAD, IN_DIRECT), ("banter",), {"en": "English"})

    left = home.without(IN_THREAD.key)

    assert (left.dialogues, left.personas, left.languages) == ((IN_DIRECT,), home.personas, home.languages)
    assert (home.dialogue(IN_THREAD.key), left.dialogue(IN_THREAD.key)) == (IN_THREAD, None)
