"""What there is to see of commands, buttons and modals."""

from dataclasses import dataclass, field

from pydantic import TypeAdapter

from bots.sandbox.json_values import JsonObject, list_in, object_in
from bots.sandbox.local_discord.forms import fields_of


@dataclass(frozen=True, slots=True)
class AnswerSeen:
    """How the app answered an interaction."""

    id: str
    token: str = field(repr=False)
    #: 4 a message, 5 a deferred one, 6 and 7 of the button's message, 8 choices, 9 a modal; 0: none came in time.
    type: int
    data: JsonObject
    #: Of @original; "" where there is none.
    message_id: str
    follow_up_ids: tuple[str, ...]
    #: `time.monotonic()`
    told_at: float
    answered_at: float
    #: 2 a command, 3 a button, 4 completion, 5 a modal.
    kind: int

    @property
    def is_answered(self) -> bool:
        return bool(self.type)

    @property
    def is_ephemeral(self) -> bool:
        return bool(int(str(self.data.get("flags") or 0)) & 1 << 6)

    @property
    def took_s(self) -> float:
        return self.answered_at - self.told_at

    @property
    def choices(self) -> dict[str, object]:
        """Name → value, of an option that is completed."""
        told = [object_in(one) for one in list_in(self.data.get("choices"))]
        return {str(one["name"]): one["value"] for one in told}


@dataclass(frozen=True, slots=True)
class ModalSeen:
    custom_id: str
    title: str
    components: tuple[JsonObject, ...]

    @property
    def fields(self) -> dict[str, JsonObject]:
        """Custom id → what can be filled in there."""
        return {str(inner["custom_id"]): inner for _, inner in fields_of({"components": list(self.components)})}

    @property
    def labels(self) -> list[str]:
        return [label for label, _ in fields_of({"components": list(self.components)})]

    def options(self, custom_id: str) -> dict[str, object]:
        """Label → value."""
        told = [object_in(one) for one in list_in(self.fields[custom_id].get("options"))]
        return {str(one["label"]): one["value"] for one in told}


_ANSWER = TypeAdapter(AnswerSeen)
_MODAL = TypeAdapter(ModalSeen)


def answer_seen(told: object) -> AnswerSeen:
    return _ANSWER.validate_python(told)


def modal_seen(told: object) -> ModalSeen:
    return _MODAL.validate_python(told)
