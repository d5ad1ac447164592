"""Buttons work in the chat that they were made for, and only those that were made here."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from telegram import InlineKeyboardMarkup

from adapters.telegram.buttons import ButtonLabels, Buttons
from core.dialogue import Opinion, Platform, SessionKey

SECRET = b"the database's own"
KEY = SessionKey(Platform.TELEGRAM, "7", "", "-1002000000001", "5")
TOKEN = "0123456789abcdef0123"


def data_of(markup: InlineKeyboardMarkup) -> list[str]:
    return [str(button.callback_data) for row in markup.inline_keyboard for button in row]


def labels_of(markup: InlineKeyboardMarkup) -> list[str]:
    return [button.text for row in markup.inline_keyboard for button in row]


@pytest.fixture
def buttons() -> Buttons:
    return Buttons(SECRET)


def test_a_reply_that_is_written_can_be_stopped(buttons: Buttons) -> None:
    markup = buttons.while_written(KEY, TOKEN)

    assert labels_of(markup) == ["⏹"]
    assert [buttons.opinion(data, KEY.channel) for data in data_of(markup)] == [Opinion.STOP]


def test_a_whole_reply_can_be_judged_and_drawn_again(buttons: Buttons) -> None:
    markup = buttons.below(KEY, TOKEN)

    assert labels_of(markup) == ["👍", "👎", "🔄"]
    expected = [Opinion.GOOD, Opinion.BAD, Opinion.REGENERATE]
    assert [buttons.opinion(data, KEY.channel) for data in data_of(markup)] == expected


def test_labels_can_be_words() -> None:
    buttons = Buttons(SECRET, ButtonLabels(stop="⏹ Anhalten"))

    assert labels_of(buttons.while_written(KEY, TOKEN)) == ["⏹ Anhalten"]


def test_a_button_works_after_a_restart(buttons: Buttons) -> None:
    [data] = data_of(buttons.while_written(KEY, TOKEN))

    assert Buttons(SECRET).opinion(data, KEY.channel) is Opinion.STOP


def test_a_button_of_another_database_does_nothing(buttons: Buttons) -> None:
    [data] = data_of(buttons.while_written(KEY, TOKEN))

    assert Buttons(b"another").opinion(data, KEY.channel) is None


def test_a_button_does_nothing_in_another_chat(buttons: Buttons) -> None:
    [data] = data_of(buttons.while_written(KEY, TOKEN))

    assert buttons.opinion(data, "500001") is None


def test_a_button_can_not_be_made_into_another_one(buttons: Buttons) -> None:
    good, bad, _ = data_of(buttons.below(KEY, TOKEN))
    forged = good[0] + bad[1:]

    assert buttons.opinion(forged, KEY.channel) is None
    assert buttons.opinion(good.replace(TOKEN, "ffffffffffffffffffff"), KEY.channel) is None


@given(st.text(max_size=80))
@settings(max_examples=200, deadline=None)
def test_what_was_made_up_does_nothing(data: str) -> None:
    assert Buttons(SECRET).opinion(data, KEY.channel) is None


def test_telegram_takes_the_data(buttons: Buttons) -> None:
    for data in data_of(buttons.below(KEY, TOKEN)):
        assert len(data.encode()) <= 64


def test_a_token_that_does_not_fit_a_button_is_a_fault_of_the_program(buttons: Buttons) -> None:
    with pytest.raises(ValueError, match="too long"):
        buttons.below(KEY, "x" * 60)
