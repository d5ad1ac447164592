"""Reactions and presses: what people think of a reply, once for each time that they say it."""

import json

import pytest
from telegram import Update

from adapters.telegram.inbound import to_inbound
from core.dialogue import Feedback, Inbound, Opinion, Person, Platform
from tests.unit.telegram.recorded import (
    ACCOUNT,
    ANNA,
    CONNECTION,
    FORUM,
    OMAR,
    SUPERGROUP,
    PlainButtons,
    key,
    recorded,
    understood,
)

GOOD, BAD = Opinion.GOOD, Opinion.BAD


def feedback(name: str) -> list[Feedback]:
    found = understood(name)
    assert all(isinstance(one, Feedback) for one in found)
    return [one for one in found if isinstance(one, Feedback)]


@pytest.mark.parametrize(
    ("name", "opinions"),
    [
        ("reaction_good", [(GOOD, False)]),
        ("reaction_changed", [(GOOD, True), (BAD, False)]),
        ("reaction_withdrawn", [(BAD, True)]),
        ("reaction_of_the_same_kind", []),
        ("reaction_without_opinion", []),
    ],
)
def test_a_reaction_tells_what_changed(name: str, opinions: list[tuple[Opinion, bool]]) -> None:
    assert [(one.opinion, one.is_withdrawn) for one in feedback(name)] == opinions


def test_a_reaction_is_about_a_message_of_its_chat() -> None:
    [one] = feedback("reaction_good")

    assert (one.session_key, one.message_id) == (key(SUPERGROUP), "54")
    assert one.person == Person(Platform.TELEGRAM, "", OMAR, "Omar")


def test_an_anonymous_reaction_is_its_chats() -> None:
    [one] = feedback("reaction_anonymous")

    assert (one.person.platform_id, one.opinion) == (SUPERGROUP, GOOD)


def test_no_two_changes_of_mind_are_taken_for_one() -> None:
    told = [one for name in ("reaction_good", "reaction_changed", "reaction_withdrawn") for one in feedback(name)]

    assert len({one.event_key for one in told}) == len(told) == 4


def test_a_reaction_that_is_delivered_again_is_a_copy() -> None:
    assert [one.event_key for one in feedback("reaction_changed")] == [
        one.event_key for one in feedback("reaction_changed")
    ]


def test_a_change_of_mind_within_a_second_is_heard() -> None:
    update = json.loads(recorded("reaction_good"))
    again = update | {"update_id": update["update_id"] + 2}

    first, second = (_inbound(one) for one in (update, again))

    assert first[0].event_key != second[0].event_key


def test_two_reactions_that_are_taken_back_at_once_are_two() -> None:
    update = json.loads(recorded("reaction_withdrawn"))
    update["message_reaction"]["old_reaction"].append({"type": "emoji", "emoji": "🔥"})

    told = _inbound(update)

    assert len({one.event_key for one in told}) == 2


def _inbound(update: dict[str, object]) -> list[Inbound]:
    return to_inbound(Update.de_json(update), ACCOUNT, PlainButtons())


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (
            "press",
            Feedback(key(ANNA), Person(Platform.TELEGRAM, "", ANNA, "Anna Berg"), "15", GOOD, "4382bfdwdsb323b2d9"),
        ),
        (
            "press_in_topic",
            Feedback(
                key(FORUM, "61"), Person(Platform.TELEGRAM, "", OMAR, "Omar"), "64", Opinion.STOP, "4382bfdwdsb323b2e0"
            ),
        ),
        (
            "press_of_inaccessible",
            Feedback(key(ANNA), Person(Platform.TELEGRAM, "", ANNA, "Anna Berg"), "15", BAD, "4382bfdwdsb323b2e2"),
        ),
        (
            "press_in_business",
            Feedback(
                key(OMAR, connection=CONNECTION),
                Person(Platform.TELEGRAM, CONNECTION, OMAR, "Omar"),
                f"19@{CONNECTION}",
                GOOD,
                "4382bfdwdsb323b2e3",
            ),
        ),
    ],
)
def test_a_press_says_what_its_button_means(name: str, told: Feedback) -> None:
    assert understood(name) == [told]
