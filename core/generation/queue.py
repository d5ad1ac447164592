"""The requests that wait for the engine: bounded, first come first served.

It knows neither tokens nor tensors.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from core.errors import QueueFull
from core.generation.messages import Answer, Load, Score, Submit

#: The client's connection, and how that client calls its request.
JobKey = tuple[asyncio.StreamWriter, str]


@dataclass(slots=True)
class Control:
    """How a running job is reached by its owner, and how it is heard."""

    #: On `time.monotonic`'s clock.
    deadline: float
    #: Called with every token of a single hypothesis.
    emit: Callable[[int], None] = lambda _token_id: None
    #: Called with the fraction of the model that is loaded.
    loading: Callable[[float], None] = lambda _fraction: None
    cancelled: bool = False

    @property
    def expired(self) -> bool:
        return time.monotonic() >= self.deadline


@dataclass(eq=False, slots=True)
class Job:
    """A client's request on its way through the engine's process."""

    key: JobKey
    message: Load | Submit | Score
    answer: Callable[[Answer], None]
    control: Control
    #: Ends it at its deadline.
    expiry: asyncio.TimerHandle
    arrived_at: float = field(default_factory=time.monotonic)


class Queue:
    """Jobs that wait. One event loop owns it."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._jobs: deque[Job] = deque()
        self._arrived = asyncio.Event()

    def __len__(self) -> int:
        return len(self._jobs)

    def put(self, job: Job) -> None:
        """Raises QueueFull."""
        if len(self._jobs) >= self._limit:
            raise QueueFull(f"{len(self._jobs)} requests wait already; try again later")
        self._jobs.append(job)
        self._arrived.set()

    def remove(self, job: Job) -> bool:
        """False when it does not wait (any more)."""
        if job not in self._jobs:
            return False
        self._jobs.remove(job)
        return True

    async def next(self) -> Job:
        """The next job, as soon as there is one."""
        while not self._jobs:
            self._arrived.clear()
            await self._arrived.wait()
        return self._jobs.popleft()

    def positions(self) -> list[tuple[int, Job]]:
        """(requests before it, job) of all that wait; the one that runs is before all of them."""
        return list(enumerate(self._jobs, start=1))
