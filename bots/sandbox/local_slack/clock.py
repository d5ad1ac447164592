"""Slack's own time, which also names its messages."""

from bots.sandbox import clock


class Clock(clock.Clock):
    def __init__(self) -> None:
        super().__init__()
        self._last_micros = 0

    def next_ts(self) -> str:
        """Of a message: a time that no other one has."""
        self._last_micros = max(int(self.now() * 1_000_000), self._last_micros + 1)
        return f"{self._last_micros // 1_000_000}.{self._last_micros % 1_000_000:06d}"
