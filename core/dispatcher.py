"""Waiting messages → one at a time per place, many places at once.

It knows leases and tasks. What is done with a message is its `Handler`'s business, who reports back for every place.
"""

import asyncio
import contextlib
import logging
import time
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from core.errors import LeaseLost, StorageError
from core.memory.leased import Lease, WaitingMessage, Work
from core.memory.leases import Leases

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class DispatchLimits:
    #: Places at which one process answers at once.
    places: int = 64
    #: How often it looks for what nobody woke it for: expired leases, second tries, other processes' messages.
    poll_s: float = 1.0
    #: After SIGTERM, replies that are being written may go on for so long.
    drain_s: float = 20.0


class Holding:
    """A leased place, for as long as this process has it."""

    def __init__(self, lease: Lease, leases: Leases) -> None:
        self.lease = lease
        self._leases = leases

    async def keep(self, for_s: float) -> None:
        """Returns with at least `for_s` of the lease left. Raises LeaseLost; then nothing more may be sent."""
        if self.lease.left_s >= for_s:
            return
        renewed = await self._leases.renew([self.lease])
        if not renewed or renewed[0].left_s < for_s:
            raise LeaseLost("the lease ends before the send would; another process goes on")
        self.lease = renewed[0]


class Handler(Protocol):
    """What is done with messages."""

    async def serve(self, holding: Holding, work: Work) -> None:
        """Answers what waits at a place until nothing does, and gives the lease back."""
        ...

    async def interrupt(self, holding: Holding, message: WaitingMessage) -> None:
        """Takes care of an event that does not wait for the reply at its place."""
        ...


class Dispatcher:
    """One for each process."""

    def __init__(self, leases: Leases, handler: Handler, limits: DispatchLimits) -> None:
        self._leases = leases
        self._handler = handler
        self._limits = limits
        self._woken = asyncio.Event()
        self._ending = asyncio.Event()
        #: Nothing runs here.
        self._at_rest = asyncio.Event()
        self._at_rest.set()
        #: By `time.monotonic`: when it is looked for urgent events again.
        self._urgent_at = 0.0
        self._held: dict[str, Holding] = {}
        self._serving: dict[str, asyncio.Task[None]] = {}
        #: Events that are being taken care of, by their row.
        self._interrupting: dict[int, asyncio.Task[None]] = {}
        #: All of both; a place can be taken again while the task that gave it back still ends.
        self._tasks: set[asyncio.Task[None]] = set()

    def wake(self, *, urgent: bool = False) -> None:
        """Something is in the inbox; `urgent` where it may be about a reply that is being written."""
        if urgent:
            self._urgent_at = 0.0
        self._woken.set()

    @property
    def places(self) -> int:
        """At which replies are written now."""
        return len(self._serving)

    async def run(self) -> None:
        """Until `drain` has been called and is done."""
        self._at_rest.clear()
        renewing = asyncio.create_task(self._keep_leases())
        try:
            while not self._ending.is_set():
                await self._look()
                await self._pause(self._limits.poll_s)
            await self._finish()
        finally:
            await self._give_up()
            renewing.cancel()
            await asyncio.gather(renewing, return_exceptions=True)
            self._at_rest.set()

    async def drain(self) -> None:
        """Leases nothing more, lets replies go on for `drain_s`, then hands the rest back as it is."""
        self._ending.set()
        self._woken.set()
        await self._at_rest.wait()

    async def _finish(self) -> None:
        """What is urgent is still looked for: a reply can be stopped while it is waited for."""
        give_up_at = time.monotonic() + self._limits.drain_s
        while self._serving and (left_s := give_up_at - time.monotonic()) > 0:
            await self._look()
            await self._pause(min(left_s, self._limits.poll_s))

    async def _give_up(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _look(self) -> None:
        """A database that is away is looked at again a little later."""
        self._woken.clear()
        try:
            if time.monotonic() >= self._urgent_at:
                await self._interrupt()
            room = 0 if self._ending.is_set() else self._limits.places - len(self._serving)
            for work in await self._leases.take(room, self._serving) if room > 0 else ():
                self._serve(work)
        except StorageError as error:
            logger.warning("nothing could be leased: %s", error, extra={"action": "lease"})
        except Exception:  # the loop goes on: a fault here would leave everybody unanswered
            logger.exception("nothing could be leased", extra={"action": "lease"})

    async def _pause(self, longest_s: float) -> None:
        with contextlib.suppress(TimeoutError):  # another process may have accepted something
            async with asyncio.timeout(longest_s):
                await self._woken.wait()

    def _serve(self, work: Work) -> None:
        place = work.lease.place
        if (earlier := self._serving.get(place)) is not None:  # its lease was given back just now, or went elsewhere
            earlier.cancel()
        holding = self._held[place] = Holding(work.lease, self._leases)
        task = self._serving[place] = asyncio.create_task(self._supervised(holding, work))
        self._tasks.add(task)
        task.add_done_callback(partial(self._forget, place))

    def _forget(self, place: str, task: asyncio.Task[None]) -> None:
        """What came while the lease was being given back waits for another look."""
        self._tasks.discard(task)
        if self._serving.get(place) is task:
            del self._serving[place], self._held[place]
        self._woken.set()

    async def _supervised(self, holding: Holding, work: Work) -> None:
        """A place whose handler failed is left to whoever takes the lease when it has expired."""
        try:
            await self._handler.serve(holding, work)
        except LeaseLost as lost:
            logger.warning("a lease was lost: %s", lost, extra={"action": "lease"})
            if not self._interrupting:  # one of them may still send something there
                await self._hand_back(holding)
        except asyncio.CancelledError:
            await self._hand_back(holding)
            raise
        except Exception:  # the other places go on; this one is taken again
            logger.exception("a message could not be answered", extra={"action": "serve"})

    async def _hand_back(self, holding: Holding) -> None:
        try:
            await self._leases.release(holding.lease)
        except StorageError as error:
            logger.warning("a lease was not given back: %s", error, extra={"action": "lease"})

    async def _interrupt(self) -> None:
        """Other processes accept events as well, so it is looked for them now and then however busy this one is."""
        self._urgent_at = time.monotonic() + self._limits.poll_s
        leases = [holding.lease for holding in self._held.values()]
        for place, message in await self._leases.urgent(leases):
            holding = self._held.get(place)
            if holding is not None and message.id not in self._interrupting:
                task = asyncio.create_task(self._interrupt_one(holding, message))
                self._interrupting[message.id] = task
                self._tasks.add(task)
                task.add_done_callback(partial(self._interrupted, message.id))

    def _interrupted(self, row: int, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        del self._interrupting[row]

    async def _interrupt_one(self, holding: Holding, message: WaitingMessage) -> None:
        try:
            await self._handler.interrupt(holding, message)
        except LeaseLost:
            pass  # whoever holds it now takes care of the event
        except Exception:  # the reply at that place goes on
            logger.exception("an event could not be taken care of", extra={"action": "interrupt"})

    async def _keep_leases(self) -> None:
        """Renews them three times before they expire; a reply whose lease is gone is stopped."""
        while True:
            await asyncio.sleep(self._leases.lease_s / 3)
            held = dict(self._held)
            try:
                renewed = await self._leases.renew([holding.lease for holding in held.values()])
            except StorageError as error:
                logger.warning("leases were not renewed: %s", error, extra={"action": "lease"})
                continue
            kept = {lease.place: lease for lease in renewed}
            for place, holding in held.items():
                if place in kept:
                    holding.lease = kept[place]
                elif self._held.get(place) is holding:  # it may be another one by now
                    self._serving[place].cancel()
