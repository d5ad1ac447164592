"""What came in, as JSON in the inbox."""

from pydantic import TypeAdapter

from core.dialogue import Deletion, Edit, Feedback, Inbound, InboundMessage, Kind, Move

_ADAPTERS: dict[Kind, TypeAdapter[Inbound]] = {
    Kind.MESSAGE: TypeAdapter(InboundMessage),
    Kind.EDIT: TypeAdapter(Edit),
    Kind.DELETION: TypeAdapter(Deletion),
    Kind.FEEDBACK: TypeAdapter(Feedback),
    Kind.MOVE: TypeAdapter(Move),
}


def dump(inbound: Inbound) -> str:
    return _ADAPTERS[inbound.event_key.kind].dump_json(inbound).decode()


def load(kind: str, text: str) -> Inbound:
    """Raises ValueError where it was written by another version of this program."""
    return _ADAPTERS[Kind(kind)].validate_json(text)
