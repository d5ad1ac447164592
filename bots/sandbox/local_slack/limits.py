"""How much Slack takes: of one call, of a stream, and of an app in a while.

Slack names tiers as "so many and more" a minute, per method and workspace; here they are kept to as strictly as they
can be read. Tests that measure set them as they need.
"""

import math
from collections import deque
from dataclasses import dataclass, field

from bots.sandbox.local_slack.refusals import TooOften


@dataclass(frozen=True, slots=True)
class Window:
    """At most so many in so long."""

    count: int
    seconds: float = 60.0


@dataclass(frozen=True, slots=True)
class Rates:
    tier1: Window = Window(1)
    tier2: Window = Window(20)
    tier3: Window = Window(50)
    tier4: Window = Window(100)
    #: Methods with a limit of their own that is far off.
    special: Window = Window(600)
    #: chat.postMessage: one a second and channel, with short bursts; and some hundreds a minute in a workspace.
    post_in_channel: Window = Window(10, 10.0)
    post_in_workspace: Window = Window(300)
    #: By method, where one has to be otherwise.
    methods: dict[str, Window] = field(default_factory=dict)
    #: The same without an end.
    is_unlimited: bool = False


NO_RATES = Rates(is_unlimited=True)


@dataclass(frozen=True, slots=True)
class Limits:
    #: Of `text` in a post; longer ones are cut.
    text_chars: int = 40_000
    #: Of `text` in an update.
    update_chars: int = 4_000
    #: Of `markdown_text` in one call, and of all that a stream takes.
    markdown_chars: int = 12_000
    stream_chars: int = 12_000
    #: After this a stream is over, whatever was appended.
    stream_age_s: float = 300.0
    blocks: int = 50
    view_blocks: int = 100
    view_bytes: int = 250_000
    metadata_bytes: int = 8_000
    trigger_age_s: float = 3.0
    #: Within which an event or an interaction has to be acknowledged.
    ack_s: float = 3.0
    response_url_age_s: float = 1800.0
    response_url_uses: int = 5
    ticket_age_s: float = 30.0
    sockets: int = 10


class Tallies:
    """What was called lately, by whatever it is counted by."""

    def __init__(self) -> None:
        self._times: dict[tuple[str, ...], deque[float]] = {}

    def count(self, windows: dict[tuple[str, ...], Window], now: float) -> None:
        """Raises TooOften where it would be too much for one of them; then nothing is counted."""
        wait_s = max((self._wait_s(key, window, now) for key, window in windows.items()), default=0.0)
        if wait_s > 0:
            raise TooOften(math.ceil(wait_s))
        for key in windows:
            self._times[key].append(now)

    def _wait_s(self, key: tuple[str, ...], window: Window, now: float) -> float:
        times = self._times.setdefault(key, deque())
        while times and times[0] <= now - window.seconds:
            times.popleft()
        if len(times) < window.count:
            return 0.0
        return times[-window.count] + window.seconds - now
