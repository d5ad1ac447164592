"""What JSON says, held to what it should be."""

import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from adapters.slack.payloads import NotUnderstood, found_in
from core.clean_text import is_storable

#: Slack's ids have about a dozen.
_ID_CHARS = 255
#: Seconds, and what tells the messages of one second apart.
_TS = re.compile(r"\d{1,10}\.\d{1,6}", re.ASCII)


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


def ts(value: object) -> str:
    """A message's, which is its id within its channel. Raises NotUnderstood."""
    found = text(value)
    if not _TS.fullmatch(found):
        raise NotUnderstood("what should be a message's time is none")
    return found


def moment(told: str) -> datetime:
    """Of a `ts`."""
    return datetime.fromtimestamp(float(told), UTC)


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
    """Raises NotUnderstood, as the two below do."""
    return word(found_in(payload, *path))


def ts_in(payload: object, *path: str) -> str:
    """A message's."""
    return ts(found_in(payload, *path))


def first_ts_in(payload: object, *paths: tuple[str, ...]) -> str:
    """The first that is told."""
    for path in paths:
        if found_in(payload, *path) is not None:
            return ts_in(payload, *path)
    raise NotUnderstood("no message is told")
