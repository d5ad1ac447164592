"""What comes waits here until it is kept: the messages of a channel in their order, those of others beside them.

The websocket is read on whatever happens here, so nothing waits without a bound. Where a lane is full, a new message is
turned away, and fetched later; what can't be fetched (edits, deletions, reactions) has as much room again.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

MESSAGE = "MESSAGE_CREATE"


@dataclass(frozen=True, slots=True)
class Event:
    """As the gateway told it."""

    kind: str
    data: Mapping[str, object]
    #: See `Happening`.
    stamp: str = ""

    @property
    def can_be_fetched(self) -> bool:
        return self.kind == MESSAGE


@dataclass(frozen=True, slots=True)
class LaneLimits:
    #: Of one channel.
    events: int = 500
    #: Of all channels together.
    all_events: int = 5000
    #: Kept together.
    batch: int = 50
    #: Channels that are kept at once.
    at_once: int = 32


class Lanes:
    def __init__(
        self, carry: Callable[[str, Sequence[Event]], Awaitable[None]], limits: LaneLimits = LaneLimits()
    ) -> None:
        """`carry` keeps a channel's events, however long that takes; it raises nothing."""
        self._carry = carry
        self._limits = limits
        self._waiting: dict[str, deque[Event]] = {}
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._room = asyncio.Semaphore(limits.at_once)
        self._count = 0

    @property
    def count(self) -> int:
        """How many wait."""
        return self._count

    def put(self, channel: str, event: Event) -> bool:
        """Whether there was room."""
        lane = self._waiting.get(channel)
        times = 1 if event.can_be_fetched else 2
        is_full = lane is not None and len(lane) >= times * self._limits.events
        if is_full or self._count >= times * self._limits.all_events:
            return False
        if lane is None:
            lane = self._waiting[channel] = deque()
            self._tasks[channel] = asyncio.create_task(self._run(channel, lane))
        lane.append(event)
        self._count += 1
        return True

    async def aclose(self) -> None:
        """What waits still is not kept: no mark has moved past it."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._waiting.clear()
        self._tasks.clear()
        self._count = 0

    async def _run(self, channel: str, lane: deque[Event]) -> None:
        try:
            while lane:
                async with self._room:
                    batch = [lane.popleft() for _ in range(min(len(lane), self._limits.batch))]
                    self._count -= len(batch)
                    await self._carry(channel, batch)
        finally:
            self._count -= len(lane)
            self._waiting.pop(channel, None)
            self._tasks.pop(channel, None)
