"""The buttons of a reply, and whether a press is of one that was made here.

What a button sends back can be made up by whoever speaks to Slack's servers, so it is signed, with the channel that it
was made for. The secret is the database's, so a button works for as long as the database is there.
"""

import base64
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from core.dialogue import Opinion, SessionKey

FEEDBACK, REGENERATE, STOP = "banter_feedback", "banter_regenerate", "banter_stop"

_SIGNATURE_BYTES = 12
_SEPARATOR = "."
#: They stand in buttons that are out in the world: none is ever given another meaning.
_CODES: Mapping[Opinion, str] = {
    Opinion.GOOD: "g",
    Opinion.BAD: "b",
    Opinion.REGENERATE: "r",
    Opinion.STOP: "s",
    Opinion.CONTINUE: "c",
}
_OPINIONS = {code: opinion for opinion, code in _CODES.items()}

Block = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ButtonLabels:
    """Signs that are read in every language; a word may stand beside them."""

    good: str = "👍"
    bad: str = "👎"
    regenerate: str = "🔄"
    stop: str = "⏹"


class Buttons:
    """Of one account."""

    def __init__(self, secret: bytes, labels: ButtonLabels = ButtonLabels()) -> None:
        self._secret = secret
        self._labels = labels

    def while_written(self, key: SessionKey, token: str) -> Sequence[Block]:
        """Below a message that is changed while the model writes it; a stream has a Stop of Slack's own."""
        return [{"type": "actions", "elements": [self._button(STOP, self._labels.stop, Opinion.STOP, key, token)]}]

    def below(self, key: SessionKey, token: str) -> Sequence[Block]:
        """Below a reply that is whole."""
        feedback = {
            "type": "feedback_buttons",
            "action_id": FEEDBACK,
            "positive_button": self._choice(self._labels.good, Opinion.GOOD, key, token),
            "negative_button": self._choice(self._labels.bad, Opinion.BAD, key, token),
        }
        again = self._button(REGENERATE, self._labels.regenerate, Opinion.REGENERATE, key, token)
        return [{"type": "context_actions", "elements": [feedback]}, {"type": "actions", "elements": [again]}]

    def opinion(self, value: str, channel: str) -> Opinion | None:
        """What a press says; None where the button was not made here, or for another channel."""
        code, _, rest = value.partition(_SEPARATOR)
        token, _, signature = rest.rpartition(_SEPARATOR)
        is_ours = hmac.compare_digest(
            self._signature(code, token, channel).encode(), signature.encode(errors="replace")
        )
        return _OPINIONS.get(code) if is_ours else None

    def _button(self, action: str, label: str, opinion: Opinion, key: SessionKey, token: str) -> Block:
        return {"type": "button", "action_id": action} | self._choice(label, opinion, key, token)

    def _choice(self, label: str, opinion: Opinion, key: SessionKey, token: str) -> dict[str, Any]:
        return {"text": {"type": "plain_text", "text": label, "emoji": True}, "value": self._value(opinion, key, token)}

    def _value(self, opinion: Opinion, key: SessionKey, token: str) -> str:
        code = _CODES[opinion]
        return _SEPARATOR.join((code, token, self._signature(code, token, key.channel)))

    def _signature(self, code: str, token: str, channel: str) -> str:
        told = "\0".join((code, token, channel)).encode(errors="replace")
        return base64.urlsafe_b64encode(hmac.digest(self._secret, told, sha256)[:_SIGNATURE_BYTES]).decode()
