"""The times that Slack tells messages by."""

import re
from datetime import UTC, datetime

from adapters.payloads import NotUnderstood, found_in
from adapters.told import text

#: Seconds, and what tells the messages of one second apart.
_TS = re.compile(r"\d{1,10}\.\d{1,6}", re.ASCII)


def ts(value: object) -> str:
    """A message's, which is its id within its channel. Raises NotUnderstood."""
    found = text(value)
    if not _TS.fullmatch(found):
        raise NotUnderstood("what should be a message's time is none")
    return found


def moment(told: str) -> datetime:
    """Of a `ts`."""
    return datetime.fromtimestamp(float(told), UTC)


def ts_in(payload: object, *path: str) -> str:
    """A message's. Raises NotUnderstood, as the one below does."""
    return ts(found_in(payload, *path))


def first_ts_in(payload: object, *paths: tuple[str, ...]) -> str:
    """The first that is told."""
    for path in paths:
        if found_in(payload, *path) is not None:
            return ts_in(payload, *path)
    raise NotUnderstood("no message is told")
