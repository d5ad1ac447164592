"""Commands, presses and menus say what they mean, once; what was made up says nothing."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from adapters.discord.choices import Chosen
from adapters.discord.interactions import PRIVATE, acknowledged, notice
from adapters.discord.labels import NoticeLabels
from core.dialogue import Called, Opinion
from tests.unit.discord.interacted import (
    ANNA,
    INTERACTION,
    MESSAGE,
    PERSON,
    SEEN,
    THREAD,
    Body,
    about,
    command,
    feedback_of,
    in_direct_messages,
    in_foreign_server,
    in_group,
    in_thread,
    key,
    message_of,
    messages_of,
    press,
    read,
    said_in,
    understood,
)

OPEN, HIDDEN = f"i{INTERACTION}", f"e{INTERACTION}"
LABELS = NoticeLabels()


def answer_to(body: Body) -> dict[str, object]:
    return acknowledged(read(body), understood(body), LABELS)


def test_a_question_is_said_where_it_was_asked() -> None:
    said = message_of(command("ask", question="why does it rain?"))

    assert said.session_key == key()
    assert (said.message_id, said.text) == (OPEN, "why does it rain?")
    assert said.person == PERSON
    assert said.called == Called(by_command=True)
    assert said.roles == {"6001", "6002"}
    assert said.sent_at == datetime(2026, 11, 20, 9, 30, tzinfo=UTC)


def test_a_question_in_a_thread_belongs_to_the_thread() -> None:
    assert message_of(in_thread(command("ask", question="and hail?"))).session_key == key(thread=THREAD)


@pytest.mark.parametrize(
    ("body", "text", "is_hidden"),
    [
        (command("new"), "/new", False),
        (command("regenerate"), "/regenerate", False),
        (command("stop"), "/stop", True),
        (command("help"), "/help", True),
        (command("persona"), "/persona list", True),
        (command("persona", name="owl"), "/persona use owl", False),
        (command("settings"), "/settings", True),
        (command("export"), "/export me", True),
        (command("export", what="me"), "/export me", True),
        (command("export", what="session"), "/export session", True),
        (command("ask", question=""), "/help", True),
        (command("ask", question="/forget me yes"), "//forget me yes", False),
        (command("persona", name="owl\n/new"), "/persona use owl /new", False),
    ],
)
def test_a_command_is_said_in_the_cores_words_to_those_whom_it_concerns(body: Body, text: str, is_hidden: bool) -> None:
    assert said_in(body) == [(HIDDEN if is_hidden else OPEN, text)]
    assert answer_to(body) == {"type": 5, "data": {"flags": PRIVATE if is_hidden else 0}}


@pytest.mark.parametrize("name", ["help", "export", "stop"])
def test_where_nobody_else_reads_nothing_is_hidden(name: str) -> None:
    said = message_of(in_direct_messages(command(name)))

    assert said.message_id == OPEN
    assert said.called == Called(directly=True, by_command=True)


@pytest.mark.parametrize("name", ["sing", "", "forget"])
def test_a_command_that_says_nothing_yet_is_nothing(name: str) -> None:
    assert understood(command(name)) == []


def test_the_menu_of_a_message_says_nothing_yet() -> None:
    assert understood(about("the moon is far")) == []


def test_who_shall_answer_is_said_before_the_question() -> None:
    body = command("ask", question="hoo?", persona="owl", model="big")

    assert said_in(body) == [
        (f"{OPEN}.0", "/persona use owl"),
        (f"{OPEN}.1", "/model use big"),
        (OPEN, "hoo?"),
    ]
    assert answer_to(body) == {"type": 5, "data": {"flags": 0}}


@pytest.mark.parametrize(
    ("options", "wishes"),
    [
        ({"persona": "cat"}, []),
        ({"model": "small"}, []),
        ({"persona": "cat", "model": "small"}, []),
        ({"persona": "owl", "model": "small"}, ["/persona use owl", "/model use small"]),
        ({"persona": "cat", "model": "big"}, ["/model use big"]),
    ],
)
def test_who_answers_anyway_is_not_chosen_again(options: dict[str, str], wishes: list[str]) -> None:
    seen = replace(SEEN, chosen=Chosen("cat", "small"))

    assert [text for _, text in said_in(command("ask", question="who?", **options), seen)] == [*wishes, "who?"]


@pytest.mark.parametrize("elsewhere", [in_group, in_foreign_server])
def test_where_the_bot_is_not_a_dialogue_is_its_persons_own(elsewhere: Callable[[Body], Body]) -> None:
    said = message_of(elsewhere(command("ask", question="alone?")))

    assert said.session_key.person == ANNA
    assert said.called.directly


def test_what_is_ones_own_may_be_read_in_a_server_where_only_oneself_sees_it() -> None:
    assert message_of(command("export")).called.directly
    assert not message_of(command("export", what="session")).called.directly
    assert not message_of(command("settings")).called.directly


@pytest.mark.parametrize("opinion", list(Opinion))
def test_every_button_of_a_reply_is_heard(opinion: Opinion) -> None:
    said = feedback_of(press(opinion))

    assert (said.opinion, said.message_id, said.event_id) == (opinion, MESSAGE, INTERACTION)
    assert (said.session_key, said.person, said.roles) == (key(), PERSON, frozenset({"6001", "6002"}))


def test_a_button_in_a_thread_is_its_threads() -> None:
    assert feedback_of(in_thread(press(Opinion.STOP, channel=THREAD))).session_key == key(thread=THREAD)


def test_a_button_that_was_made_up_says_nothing_and_keeps_nobody_waiting() -> None:
    foreign = press(Opinion.STOP, made_for="3999")
    spoilt = press(Opinion.STOP) | {"data": {"custom_id": "stop", "component_type": 2}}
    nowhere = {name: value for name, value in press(Opinion.STOP).items() if name != "message"}

    assert [understood(body) for body in (foreign, spoilt, nowhere)] == [[], [], []]
    assert [answer_to(body) for body in (foreign, spoilt, nowhere)] == [{"type": 6}] * 3


def test_a_press_is_acknowledged_without_a_word() -> None:
    assert answer_to(press(Opinion.GOOD)) == {"type": 6}


def test_what_says_nothing_is_answered_at_once_and_to_one_person_alone() -> None:
    assert answer_to(command("sing")) == notice(LABELS.try_again)
    assert notice("no")["data"] == {"content": "no", "flags": PRIVATE, "allowed_mentions": {"parse": []}}


def test_texts_within_a_command_are_one_line_of_clean_text() -> None:
    assert message_of(command("ask", question="  why\x00 does\u202e it\nrain? ")).text == "why does it rain?"


def test_options_that_are_no_texts_say_nothing() -> None:
    assert [one.text for one in messages_of(command("persona", name=7))] == ["/persona list"]
