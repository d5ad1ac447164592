"""The buttons of a reply. What they send back is signed (`opinion_values`), and names the part above them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adapters.opinion_values import OpinionValues
from core.dialogue import Opinion
from core.ports import Outgoing

Component = Mapping[str, object]

_ROW, _BUTTON, _GREY = 1, 2, 2


@dataclass(frozen=True, slots=True)
class ButtonLabels:
    """Signs that are read in every language; a word may stand beside them."""

    good: str = "👍"
    bad: str = "👎"
    regenerate: str = "🔄"
    stop: str = "⏹"


class Buttons:
    """Of one account."""

    def __init__(self, values: OpinionValues, labels: ButtonLabels = ButtonLabels()) -> None:
        self._values = values
        self._labels = labels

    def below(self, part: Outgoing, channel: str) -> Sequence[Component]:
        """Those of a part that has a successor go away. `channel`: where its message stands, a thread's own id."""
        if not part.is_drawn or (part.is_closed and not part.is_last):
            return []
        labels = self._labels
        if not part.is_closed:
            return [self._row(part, channel, {Opinion.STOP: labels.stop})]
        ends = {Opinion.REGENERATE: labels.regenerate, Opinion.GOOD: labels.good, Opinion.BAD: labels.bad}
        return [self._row(part, channel, ends)]

    def names(self, custom_id: str, part: Outgoing, channel: str) -> bool:
        """Whether the button stands below that part, however the part stood then."""
        return any(custom_id == self._values.value(opinion, part.nonce, channel) for opinion in Opinion)

    def _row(self, part: Outgoing, channel: str, labels: Mapping[Opinion, str]) -> Component:
        buttons = [
            {
                "type": _BUTTON,
                "style": _GREY,
                "label": label,
                "custom_id": self._values.value(opinion, part.nonce, channel),
            }
            for opinion, label in labels.items()
        ]
        return {"type": _ROW, "components": buttons}
