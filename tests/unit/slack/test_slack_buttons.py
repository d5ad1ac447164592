"""Buttons that were made here are known again, and no others."""

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from adapters.slack.buttons import FEEDBACK, REGENERATE, STOP, Buttons
from bots.sandbox.local_slack.blocks import check_message_blocks, elements_of
from core.dialogue import Opinion, Platform, SessionKey

KEY = SessionKey(Platform.SLACK, "A1", "T1", "C1", "1.1")
BUTTONS = Buttons(b"a secret")


def values(blocks: Sequence[Mapping[str, Any]]) -> dict[tuple[str, str], str]:
    """By action and label."""
    told: dict[tuple[str, str], str] = {}
    for _, element in elements_of([dict(block) for block in blocks]):
        for pressed in (element, element.get("positive_button"), element.get("negative_button")):
            if isinstance(pressed, dict) and "value" in pressed:
                told[str(element["action_id"]), pressed["text"]["text"]] = pressed["value"]
    return told


def test_below_a_reply_are_feedback_and_regenerate() -> None:
    told = values(BUTTONS.below(KEY, "token"))

    assert {action: BUTTONS.opinion(value, "C1") for action, value in told.items()} == {
        (FEEDBACK, "👍"): Opinion.GOOD,
        (FEEDBACK, "👎"): Opinion.BAD,
        (REGENERATE, "🔄"): Opinion.REGENERATE,
    }


def test_a_message_that_is_changed_as_it_grows_can_be_stopped() -> None:
    told = values(BUTTONS.while_written(KEY, "token"))

    assert {action: BUTTONS.opinion(value, "C1") for action, value in told.items()} == {(STOP, "⏹"): Opinion.STOP}


def test_slack_takes_the_blocks() -> None:
    check_message_blocks([dict(block) for block in BUTTONS.below(KEY, "t" * 22)], 50)
    check_message_blocks([dict(block) for block in BUTTONS.while_written(KEY, "t" * 22)], 50)


@pytest.mark.parametrize(
    "value", ["", "g", "g.token", "g.token.", "g.token.AAAAAAAAAAAAAAAA", ".", "é.é.é", "x" * 3000]
)
def test_a_value_that_was_made_up_says_nothing(value: str) -> None:
    assert BUTTONS.opinion(value, "C1") is None


def test_a_button_of_another_channel_another_secret_or_changed_says_nothing() -> None:
    good = values(BUTTONS.below(KEY, "token"))[FEEDBACK, "👍"]

    assert BUTTONS.opinion(good, "C1") is Opinion.GOOD
    assert BUTTONS.opinion(good, "C2") is None
    assert Buttons(b"another").opinion(good, "C1") is None
    assert BUTTONS.opinion("b" + good[1:], "C1") is None
    assert BUTTONS.opinion(good.replace("token", "tokem"), "C1") is None
