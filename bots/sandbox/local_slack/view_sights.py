"""Modals and App Home as people see them, and what the app did when somebody pressed something."""

from dataclasses import dataclass

from pydantic import TypeAdapter

from bots.sandbox.json_values import JsonObject, list_in, object_in
from bots.sandbox.local_slack.blocks import elements_of, labels_of


@dataclass(frozen=True, slots=True)
class AnswerSeen:
    """What the app did with an interaction."""

    #: Else the person sees an error.
    is_ack: bool
    reason: str = ""
    status: int = 0
    #: What came with the acknowledgement.
    response: JsonObject | None = None
    is_final: bool = False
    over: str = ""


@dataclass(frozen=True, slots=True)
class ViewSeen:
    """A modal, or App Home."""

    id: str
    hash: str
    view: JsonObject
    #: Each time that it was shown anew.
    times: tuple[float, ...]

    @property
    def blocks(self) -> list[JsonObject]:
        return [object_in(block) for block in list_in(self.view.get("blocks"))]

    @property
    def title(self) -> str:
        return str(object_in(self.view.get("title")).get("text", ""))

    @property
    def actions(self) -> list[str]:
        """The action ids of all that can be pressed or filled in."""
        return [str(element["action_id"]) for _, element in elements_of(self.blocks)]

    @property
    def labels(self) -> list[str]:
        return [label for _, element in elements_of(self.blocks) for label in labels_of(element)]

    @property
    def texts(self) -> list[str]:
        """What its blocks say."""
        told = [object_in(block.get("text")).get("text") for block in self.blocks]
        return [str(text) for text in told if text]


_ANSWER = TypeAdapter(AnswerSeen)
_VIEW = TypeAdapter(ViewSeen)


def answer_seen(told: object) -> AnswerSeen:
    return _ANSWER.validate_python(told)


def view_seen(told: object) -> ViewSeen:
    return _VIEW.validate_python(told)
