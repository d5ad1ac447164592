"""What JSON says, held to what it should be."""

from collections.abc import Mapping, Sequence

from adapters.payloads import NotUnderstood, found_in
from core.clean_text import is_storable

#: The platforms' ids have one or two dozen.
_ID_CHARS = 255


def word(value: object) -> str:
    """An id, or what is like one: it is kept as it is, and never changed. Raises NotUnderstood."""
    found = text(value)
    if not found or len(found) > _ID_CHARS or not is_storable(found):
        raise NotUnderstood("what should be an id is none")
    return found


def word_or_none(value: object) -> str:
    """ "" where it is not told. Raises NotUnderstood."""
    return "" if value is None or value == "" else word(value)


def text(value: object) -> str:
    """Raises NotUnderstood."""
    if not isinstance(value, str):
        raise NotUnderstood("what should be a text is none")
    return value


def fields(value: object) -> Mapping[str, object]:
    """Raises NotUnderstood."""
    if not isinstance(value, Mapping):
        raise NotUnderstood("what should be an object is none")
    return value


def objects(value: object) -> Sequence[Mapping[str, object]]:
    """None of them where it is not told. Raises NotUnderstood."""
    if value is None:
        return ()
    if not isinstance(value, list):
        raise NotUnderstood("what should be a list is none")
    return [fields(one) for one in value]


def word_in(payload: object, *path: str) -> str:
    """Raises NotUnderstood."""
    return word(found_in(payload, *path))
