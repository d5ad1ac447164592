"""Discord's ids: numbers that grow with the time that they were made at, told as strings."""

from datetime import UTC, datetime

from adapters.payloads import NotUnderstood, found_in
from adapters.told import text

#: 2015-01-01, in milliseconds.
_EPOCH_MS = 1_420_070_400_000
_TIME_BITS = 22
_LIMIT = 1 << 63


def snowflake(value: object) -> str:
    """Raises NotUnderstood."""
    found = text(value)
    if not (found.isascii() and found.isdecimal() and len(found) <= 20 and 0 < int(found) < _LIMIT):
        raise NotUnderstood("what should be an id is none")
    if found[0] == "0":
        raise NotUnderstood("an id begins with 0")
    return found


def snowflake_or_none(value: object) -> str:
    """ "" where it is not told. Raises NotUnderstood."""
    return "" if value is None else snowflake(value)


def snowflake_in(payload: object, *path: str) -> str:
    """Raises NotUnderstood."""
    return snowflake(found_in(payload, *path))


def number_in(payload: object, *path: str) -> int:
    """0 where there is none."""
    try:
        return int(snowflake_in(payload, *path))
    except NotUnderstood:
        return 0


def moment(snowflake: str | int) -> datetime:
    """When it was made."""
    return datetime.fromtimestamp(((int(snowflake) >> _TIME_BITS) + _EPOCH_MS) / 1000, UTC)


def first_at(moment: datetime) -> int:
    """None that was made before that moment is greater."""
    return max(0, int(moment.timestamp() * 1000) - _EPOCH_MS) << _TIME_BITS
