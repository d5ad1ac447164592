"""The buttons of a reply. What they send back is signed (`opinion_values`)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from adapters.opinion_values import OpinionValues
from core.dialogue import Opinion, SessionKey

FEEDBACK, REGENERATE, STOP = "banter_feedback", "banter_regenerate", "banter_stop"

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
        self._values = OpinionValues(secret)
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
        return self._values.opinion(value, channel)

    def _button(self, action: str, label: str, opinion: Opinion, key: SessionKey, token: str) -> Block:
        return {"type": "button", "action_id": action} | self._choice(label, opinion, key, token)

    def _choice(self, label: str, opinion: Opinion, key: SessionKey, token: str) -> dict[str, Any]:
        value = self._values.value(opinion, token, key.channel)
        return {"text": {"type": "plain_text", "text": label, "emoji": True}, "value": value}
