"""So many requests are elsewhere at once; the others wait for a place there, in the queue's order."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass, field

from core.generation.queue import Queue, QueueLimits
from core.generation.request import Owner, Waiting


@dataclass(eq=False, slots=True)
class Place:
    taken: bool = False
    moved: asyncio.Event = field(default_factory=asyncio.Event)


class Places:
    def __init__(self, places: int, limits: QueueLimits) -> None:
        self._free = places
        self._queue: Queue[Place] = Queue(limits)

    def ask(self, owner: Owner, *, cost: float, priority: int = 0) -> Place:
        """`leave` must follow, whether it was taken or not. Raises QueueFull."""
        place = Place()
        self._queue.put(place, owner, cost=cost, priority=priority)
        self._fill()
        return place

    async def entered(self, place: Place) -> AsyncGenerator[Waiting, None]:
        """Ends when the place is taken; tells each new position until then."""
        told = None
        while not place.taken:
            place.moved.clear()
            position = next(number for number, other in self._queue.positions() if other is place)
            if position != told:
                told = position
                yield Waiting(position=position, expected_wait_s=self._queue.expected_wait_s(position))
            else:
                await place.moved.wait()

    def leave(self, place: Place, *, cost: float) -> None:
        """`cost`: what it took, in tokens."""
        if place.taken:
            self._free += 1
            self._queue.served(cost)
        else:
            self._queue.remove(place)
        self._fill()

    def _fill(self) -> None:
        while self._free and (place := self._queue.take()) is not None:
            self._free -= 1
            place.taken = True
            place.moved.set()
        for _, place in self._queue.positions():
            place.moved.set()
