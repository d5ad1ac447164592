"""Ids as Discord makes them: the time in milliseconds, and a count below."""

from datetime import UTC, datetime

from bots.sandbox.clock import Clock

#: The first second of 2015, in milliseconds.
EPOCH_MS = 1_420_070_400_000
_COUNT_BITS = 22


class Snowflakes:
    """Each is greater than the one before."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._last = 0

    def next(self) -> str:
        now = int(self._clock.now() * 1000) - EPOCH_MS
        self._last = max(now << _COUNT_BITS, self._last + 1)
        return str(self._last)


def time_of(snowflake: str) -> float:
    """Unix seconds."""
    return ((int(snowflake) >> _COUNT_BITS) + EPOCH_MS) / 1000


def as_time(moment: float) -> str:
    """Unix seconds as Discord writes them."""
    return datetime.fromtimestamp(moment, UTC).isoformat(timespec="microseconds")
