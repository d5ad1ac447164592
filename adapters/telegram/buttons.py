"""The buttons of a reply. What they send back is signed (`opinion_values`), and as long as Telegram allows at most."""

from dataclasses import dataclass

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from adapters.opinion_values import OpinionValues
from core.dialogue import Opinion, SessionKey

_LIMIT_BYTES = 64


@dataclass(frozen=True, slots=True)
class ButtonLabels:
    """Signs that are read in every language; a word may stand beside them."""

    stop: str = "⏹"
    good: str = "👍"
    bad: str = "👎"
    regenerate: str = "🔄"


class Buttons:
    """Of one account."""

    def __init__(self, secret: bytes, labels: ButtonLabels = ButtonLabels()) -> None:
        self._values = OpinionValues(secret)
        self._labels = labels

    def while_written(self, key: SessionKey, token: str) -> InlineKeyboardMarkup:
        """Below a reply that the model still writes."""
        return InlineKeyboardMarkup([[self._button(self._labels.stop, Opinion.STOP, key, token)]])

    def below(self, key: SessionKey, token: str) -> InlineKeyboardMarkup:
        """Below a reply that is whole."""
        row = [
            self._button(self._labels.good, Opinion.GOOD, key, token),
            self._button(self._labels.bad, Opinion.BAD, key, token),
            self._button(self._labels.regenerate, Opinion.REGENERATE, key, token),
        ]
        return InlineKeyboardMarkup([row])

    def opinion(self, data: str, chat_id: str) -> Opinion | None:
        """What a press says; None where the button was not made here, or for another chat."""
        return self._values.opinion(data, chat_id)

    def _button(self, label: str, opinion: Opinion, key: SessionKey, token: str) -> InlineKeyboardButton:
        data = self._values.value(opinion, token, key.channel)
        if len(data.encode()) > _LIMIT_BYTES:
            raise ValueError("the reply's token is too long for a button")
        return InlineKeyboardButton(label, callback_data=data)
