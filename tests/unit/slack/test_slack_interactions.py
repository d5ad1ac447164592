"""Presses, slash commands and modals say what they mean, once; what was made up says nothing."""

import pytest

from adapters.payloads import NotUnderstood
from adapters.slack.home import HomeAction
from adapters.slack.labels import ModalLabels
from adapters.slack.modals import ask_modal
from adapters.slack.workspaces import Workspace
from core.dialogue import Called, Feedback, Opinion, Person, Platform
from tests.unit.slack.acted import (
    ANNA,
    APP,
    CHANNEL,
    DIRECT,
    NOW,
    OMAR,
    PERSON,
    REPLY,
    ROOT,
    SEALS,
    Body,
    command,
    feedback_of,
    home_press,
    home_purpose,
    key,
    message_of,
    press,
    shortcut,
    submission,
    understood,
    written,
)

GOOD = f"made-for-{CHANNEL}:good"
ALONE = Called(directly=True, by_command=True)


def test_a_press_says_what_its_button_means() -> None:
    told = Feedback(key(thread=ROOT), PERSON, REPLY, Opinion.GOOD, "1700000009.123456.good")

    assert understood(press(GOOD)) == [told]


@pytest.mark.parametrize("opinion", list(Opinion))
def test_every_button_of_a_reply_is_heard(opinion: Opinion) -> None:
    assert feedback_of(press(f"made-for-{CHANNEL}:{opinion.value}")).opinion is opinion


def test_a_press_that_was_made_up_is_nothing() -> None:
    assert understood(press("made-for-C0OTHER:stop")) == []
    assert understood(press("")) == []


@pytest.mark.parametrize(
    ("untold", "thread"),
    [(["container"], ROOT), (["message"], ROOT), (["container", "message"], REPLY)],
)
def test_a_press_is_in_the_thread_of_its_message_wherever_that_is_told(untold: list[str], thread: str) -> None:
    body = press(GOOD)
    for where in untold:
        del body[where]["thread_ts"]

    assert feedback_of(body).session_key == key(thread=thread)


def test_another_press_is_another_event_and_a_second_delivery_is_not() -> None:
    again = press(GOOD)
    again["actions"][0]["action_ts"] = "1700000010.000001"

    assert feedback_of(press(GOOD)).event_key == feedback_of(press(GOOD)).event_key != feedback_of(again).event_key


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("", "/help"),
        ("   ", "/help"),
        ("new", "/new"),
        ("/new", "/new"),
        ("settings language de", "/settings language de"),
        ("ask what is rain?", "what is rain?"),
        ("ASK what is rain?", "what is rain?"),
        ("ask", "/help"),
        ("ask /new", "//new"),
        ("ask is 2 &lt; 3 &amp; 3 &gt; 2?", "is 2 < 3 & 3 > 2?"),
        ("//", "/help"),
    ],
)
def test_a_slash_command_is_the_cores_own_or_a_question(said: str, heard: str) -> None:
    assert message_of(command(said)).text == heard


def test_a_slash_command_is_between_the_bot_and_that_person() -> None:
    message = message_of(command("ask what is rain?"))

    assert (message.session_key, message.person) == (key(person=ANNA), PERSON)
    assert message.called == ALONE
    assert message.sent_at == NOW


def test_a_slash_command_has_the_same_id_at_every_delivery_and_no_other_has() -> None:
    first, again = message_of(command("new")), message_of(command("new"))
    other = message_of(command("new", trigger_id="111.333.def"))

    assert first.event_key == again.event_key != other.event_key


def test_what_opens_a_modal_is_in_no_id() -> None:
    assert "111.222.abc" not in message_of(command("new")).message_id


def test_what_is_no_message_of_slacks_has_no_messages_time() -> None:
    body = home_press(HomeAction.FORGET_ME)

    assert "." not in message_of(command("new")).message_id + message_of(body).message_id


def test_forget_me_is_said_in_the_direct_messages() -> None:
    message = message_of(home_press(HomeAction.FORGET_ME))

    assert (message.session_key, message.person, message.text) == (key(DIRECT), PERSON, "/forget me yes")
    assert message.called == ALONE


def test_whoever_presses_once_more_says_it_once_more() -> None:
    again = home_press(HomeAction.FORGET_ME)
    again["actions"][0]["action_ts"] = "1700000020.000001"
    told = message_of(home_press(HomeAction.FORGET_ME)).event_key

    assert told == message_of(home_press(HomeAction.FORGET_ME)).event_key != message_of(again).event_key


def test_a_dialogue_is_forgotten_where_it_is() -> None:
    message = message_of(home_press(HomeAction.FORGET, key(CHANNEL, ROOT)))

    assert (message.session_key, message.text) == (key(CHANNEL, ROOT), "/forget session yes")
    assert message.called == Called(by_command=True)


def test_a_dialogue_that_one_person_alone_reads_is_forgotten_as_such() -> None:
    message = message_of(home_press(HomeAction.FORGET, key(CHANNEL, person=ANNA)))

    assert (message.session_key, message.called) == (key(CHANNEL, person=ANNA), ALONE)


def test_opening_the_settings_says_nothing() -> None:
    assert understood(home_press(HomeAction.SETTINGS, key(CHANNEL, ROOT))) == []


@pytest.mark.parametrize(
    "value",
    [
        SEALS.sealed(home_purpose(HomeAction.FORGET_ME, person=OMAR), {"direct_messages": DIRECT}),
        SEALS.sealed(home_purpose(HomeAction.FORGET_ME, workspace="T0OTHER"), {"direct_messages": DIRECT}),
        SEALS.sealed(home_purpose(HomeAction.FORGET), {"direct_messages": DIRECT}),
        SEALS.sealed(home_purpose(HomeAction.FORGET_ME), {"direct_messages": DIRECT})[:-1],
        "x",
        GOOD,
    ],
)
def test_a_value_that_was_made_for_something_else_forgets_nobody(value: str) -> None:
    assert understood(home_press(HomeAction.FORGET_ME, value=value)) == []


def test_a_reply_can_not_carry_app_homes_buttons() -> None:
    body = press(home_press(HomeAction.FORGET_ME)["actions"][0]["value"])
    body["actions"][0]["action_id"] = HomeAction.FORGET_ME.value

    assert understood(body) == []


def test_the_shortcut_alone_says_nothing() -> None:
    assert understood(shortcut()) == []


def asked(question: str, person: str = "", quotes: str = "it will rain") -> Body:
    place = key(CHANNEL, "" if person else ROOT, person)
    return submission(ask_modal(place, quotes, ANNA, SEALS, ModalLabels()), {"question": written(question)})


def test_a_question_about_a_message_is_asked_in_its_thread() -> None:
    message = message_of(asked(" why? \n"))

    assert (message.session_key, message.person, message.text) == (key(CHANNEL, ROOT), PERSON, "why?")
    assert (message.quotes, message.called) == ("it will rain", Called(by_command=True))


def test_a_question_about_a_message_that_the_bot_can_not_answer_there_is_answered_to_that_person() -> None:
    message = message_of(asked("why?", person=ANNA))

    assert (message.session_key, message.called) == (key(CHANNEL, person=ANNA), ALONE)


def test_a_question_is_never_a_command() -> None:
    assert message_of(asked("/forget me yes")).text == "//forget me yes"


def test_a_modal_that_is_sent_twice_asks_once_and_a_corrected_one_anew() -> None:
    first, again, corrected = message_of(asked("why?")), message_of(asked("why?")), message_of(asked("why so?"))

    assert first.event_key == again.event_key != corrected.event_key


def test_the_same_question_in_another_modal_is_another_one() -> None:
    other = asked("why?")
    other["view"]["id"] = "V0OTHER"

    assert message_of(asked("why?")).event_key != message_of(other).event_key


@pytest.mark.parametrize("question", ["", "  \n", "\x00"])
def test_an_empty_question_is_none(question: str) -> None:
    assert understood(asked(question)) == []


def test_a_modal_that_was_opened_for_somebody_else_asks_nothing() -> None:
    body = asked("why?")
    body["user"]["id"] = OMAR

    assert understood(body) == []


def test_an_interaction_of_another_app_is_not_understood() -> None:
    body = press(GOOD) | {"api_app_id": "A0OTHER"}

    with pytest.raises(NotUnderstood, match="another app"):
        understood(body)


def test_an_interaction_that_names_no_app_is_this_ones() -> None:
    body = press(GOOD)
    del body["api_app_id"]

    assert feedback_of(body).session_key.bot == APP


@pytest.mark.parametrize("kind", ["view_closed", "block_suggestion", "shortcut", "message_action", "new_in_2027"])
def test_other_kinds_say_nothing(kind: str) -> None:
    assert understood(press(GOOD) | {"type": kind}) == []


@pytest.mark.parametrize(
    ("body", "workspace", "company"),
    [
        ({"user": {"id": ANNA, "team_id": "T0OTHER"}}, "T0ACME", "T0OTHER"),
        ({"user": {"id": ANNA}}, "T0ACME", "T0ACME"),
        ({"user": {"id": ANNA, "team_id": "T0ACME"}, "enterprise": {"id": "E0ORG"}}, "E0ORG", "E0ORG"),
        (
            {"user": {"id": ANNA, "team_id": "E0ORG"}, "team": {"id": "T0ACME", "enterprise_id": "E0ORG"}},
            "T0ACME",
            "T0ACME",
        ),
        ({"user": {"id": ANNA, "team_id": "T0OTHER"}, "enterprise": {"id": "E0OTHER"}}, "E0ORG", "T0OTHER"),
    ],
)
def test_a_person_belongs_to_the_installation_or_to_another_company(body: Body, workspace: str, company: str) -> None:
    [found] = understood(press(GOOD) | body, Workspace(workspace, "U0BOT", "B0BOT", "xoxb-test"))

    assert isinstance(found, Feedback)
    assert found.session_key.workspace == workspace
    assert found.person == Person(Platform.SLACK, company, ANNA, found.person.name)
