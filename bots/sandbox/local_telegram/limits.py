"""How much Telegram takes: of one message, and of a bot in a while.

The sizes are Telegram's. It tells nobody its rates; these are the ones that its FAQ names, as strict as they can be
read. Tests that measure set them as they need.
"""

import math
from collections import deque
from dataclasses import dataclass

from bots.sandbox.local_telegram.refusals import too_many_requests


@dataclass(frozen=True, slots=True)
class Window:
    """At most so many in so long."""

    count: int
    seconds: float


@dataclass(frozen=True, slots=True)
class Rates:
    """Messages that are sent or edited."""

    private: Window = Window(1, 1.0)
    group: Window = Window(20, 60.0)
    overall: Window = Window(30, 1.0)


@dataclass(frozen=True, slots=True)
class Limits:
    """Of one call."""

    #: UTF-16 units.
    text_units: int = 4096
    caption_units: int = 1024
    #: Further ones are dropped without a word.
    entities: int = 100
    #: Of all entities with their links; about this much was measured by others (telegram-bot-api issue 165).
    entity_bytes: int = 9500
    callback_data_bytes: int = 64
    upload_bytes: int = 50 << 20
    download_bytes: int = 20 << 20
    commands: int = 100


class Tallies:
    """What was sent lately, by place."""

    def __init__(self, rates: Rates) -> None:
        self._rates = rates
        self._overall: deque[float] = deque()
        self._places: dict[tuple[str, int], deque[float]] = {}

    def count(self, place: tuple[str, int], now: float, *, is_private: bool) -> None:
        """Raises Refused (429) where it would be too much; then nothing is counted."""
        window = self._rates.private if is_private else self._rates.group
        of_place = self._places.setdefault(place, deque())
        wait_s = max(_wait_s(of_place, window, now), _wait_s(self._overall, self._rates.overall, now))
        if wait_s > 0:
            raise too_many_requests(math.ceil(wait_s))
        of_place.append(now)
        self._overall.append(now)


def _wait_s(times: deque[float], window: Window, now: float) -> float:
    while times and times[0] <= now - window.seconds:
        times.popleft()
    if len(times) < window.count:
        return 0.0
    return times[-window.count] + window.seconds - now
