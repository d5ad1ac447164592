"""The buttons of a reply, and whether a press is of one that was made here.

What a button sends back can be made up by anybody who speaks to Telegram's servers, so it is signed, with the chat that
it was made for. The secret is the database's, so a button works for as long as the database is there.
"""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from telegram import InlineKeyboardButton, InlineKeyboardMarkup

from core.dialogue import Opinion, SessionKey

_SIGNATURE_BYTES = 12
_SEPARATOR = "."
_LIMIT_BYTES = 64
#: They stand in buttons that are out in the world: none is ever given another meaning.
_CODES: Mapping[Opinion, str] = {
    Opinion.GOOD: "g",
    Opinion.BAD: "b",
    Opinion.REGENERATE: "r",
    Opinion.STOP: "s",
    Opinion.CONTINUE: "c",
}
_OPINIONS = {code: opinion for opinion, code in _CODES.items()}


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
        self._secret = secret
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
        code, _, rest = data.partition(_SEPARATOR)
        token, _, signature = rest.rpartition(_SEPARATOR)
        is_ours = hmac.compare_digest(
            self._signature(code, token, chat_id).encode(), signature.encode(errors="replace")
        )
        return _OPINIONS.get(code) if is_ours else None

    def _button(self, label: str, opinion: Opinion, key: SessionKey, token: str) -> InlineKeyboardButton:
        code = _CODES[opinion]
        data = _SEPARATOR.join((code, token, self._signature(code, token, key.channel)))
        if len(data.encode()) > _LIMIT_BYTES:
            raise ValueError("the reply's token is too long for a button")
        return InlineKeyboardButton(label, callback_data=data)

    def _signature(self, code: str, token: str, chat_id: str) -> str:
        told = "\0".join((code, token, chat_id)).encode(errors="replace")
        digest = hmac.digest(self._secret, told, sha256)[:_SIGNATURE_BYTES]
        return base64.urlsafe_b64encode(digest).decode()
