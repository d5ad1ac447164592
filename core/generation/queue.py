"""The requests that wait for the engine: bounded, by priority, and fair between platforms, workspaces and people.

It knows neither tokens nor tensors nor the socket; one event loop owns it. To take or remove is O(log n) for n that
wait; to refuse counts them, and to tell a position walks their order once.
"""

import math
import time
from bisect import bisect_left, insort
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from heapq import merge
from itertools import accumulate, chain, count
from operator import attrgetter
from typing import Generic, TypeVar

from core.errors import QueueFull
from core.generation.request import Owner

#: Every so many takes, one goes to the priority whose last one is the longest ago.
LOWER_TURN = 8
#: Of siblings with nothing waiting so many are remembered, with what they had in advance.
IDLE_LIMIT = 1024
#: After so many seconds a measured speed counts for a third of a new one.
SMOOTHING_S = 120.0

Item = TypeVar("Item")
#: What orders siblings: (virtual start, whether it had a turn before, number of the ticket that it came with).
_Place = tuple[float, bool, int]
_place = attrgetter("place")
_path = attrgetter("platform", "workspace", "person")


@dataclass(frozen=True, slots=True)
class QueueLimits:
    #: Requests that may wait; one more is refused.
    waiting: int = 256
    #: 0: a quarter of `waiting`, at least 1, so that one person's flood does not make others be refused.
    waiting_per_person: int = 0
    #: "discord", "slack/T012", "slack/T012/U7" → share relative to siblings, above 0; 1 where nothing is said.
    weights: Mapping[str, float] = field(default_factory=dict, hash=False)


@dataclass(eq=False, slots=True)
class _Ticket(Generic[Item]):
    item: Item
    owner: Owner
    cost: float
    priority: int
    number: int
    #: It was taken and put back.
    returned: bool
    #: What its leaving costs its owner; nothing unless it is taken.
    charge: float = 0.0


@dataclass(eq=False, slots=True)
class _Flow(Generic[Item]):
    """A platform, a workspace or a person among its siblings."""

    name: str
    weight: float
    place: _Place
    #: Those within it, or a person's own tickets: first come, first served.
    content: "_Siblings[Item] | deque[_Ticket[Item]]"

    def turns(self) -> Iterator[tuple[_Place, _Ticket[Item]]]:
        place = self.place
        for ticket in self.content.turns() if isinstance(self.content, _Siblings) else self.content:
            yield place, ticket
            place = place[0] + ticket.cost / self.weight, True, place[2]


class _Siblings(Generic[Item]):
    """Start-time fair queueing (Goyal, Vin, Cheng, SIGCOMM 1996), one level inside another.

    The earliest virtual start is next; the next time it starts cost / weight later. Virtual time is the weighted mean
    of all starts, as in EEVDF (Stoica, Abdel-Wahab, 1995): a newcomer starts there, so that nobody gains by having been
    idle or waits for what others had before, and a stream of newcomers can't starve those who wait.
    Who has nothing waiting is remembered until virtual time passes its start; nobody is, once nothing waits at all.
    While takes admit all, starts and virtual time keep within max(cost / weight) of the earliest one that waits: over
    any time in which two siblings have something waiting, what they had (cost / weight) differs by at most twice that.
    """

    def __init__(self, level: int, weights: Mapping[str, float]) -> None:
        self._level = level
        self._weights = weights
        self._flows: dict[str, _Flow[Item]] = {}
        #: In the order of their places; every flow is in one of them.
        self._waiting: list[_Flow[Item]] = []
        self._idle: list[_Flow[Item]] = []
        self._weight_sum = 0.0
        #: Of start times weight.
        self._start_sum = 0.0

    def __len__(self) -> int:
        return len(self._waiting)

    def __iter__(self) -> Iterator[_Ticket[Item]]:
        """The next ticket, then what would be next if those before were not there."""
        return chain.from_iterable(flow.content for flow in self._waiting)

    def turns(self) -> Iterator[_Ticket[Item]]:
        """All tickets in the order in which they will be taken."""
        return (ticket for _, ticket in merge(*(flow.turns() for flow in self._waiting)))

    def append(self, ticket: _Ticket[Item]) -> None:
        flow = self._flows.get(_path(ticket.owner)[self._level])
        if flow is None:
            flow = self._join(ticket)
        elif not flow.content:
            self._idle.remove(flow)
        if not flow.content:
            insort(self._waiting, flow, key=_place)
        flow.content.append(ticket)

    def remove(self, ticket: _Ticket[Item]) -> None:
        flow = self._flows[_path(ticket.owner)[self._level]]
        del self._waiting[bisect_left(self._waiting, flow.place, key=_place)]
        flow.content.remove(ticket)
        if ticket.charge:
            flow.place = flow.place[0] + ticket.charge / flow.weight, True, flow.place[2]
            self._start_sum += ticket.charge
        insort(self._waiting if flow.content else self._idle, flow, key=_place)
        self._forget()

    def _virtual_time(self) -> float:
        return self._start_sum / self._weight_sum if self._flows else 0.0

    def _join(self, ticket: _Ticket[Item]) -> _Flow[Item]:
        names = _path(ticket.owner)[: self._level + 1]
        weight, start = self._weights.get("/".join(names), 1.0), self._virtual_time()
        content = _Siblings[Item](len(names), self._weights) if len(names) < 3 else deque[_Ticket[Item]]()
        flow = self._flows[names[-1]] = _Flow(names[-1], weight, (start, False, ticket.number), content)
        self._weight_sum += weight
        self._start_sum += weight * start
        return flow

    def _forget(self) -> None:
        limit = IDLE_LIMIT if self._waiting else 0
        while self._idle and (len(self._idle) > limit or self._idle[0].place[0] <= self._virtual_time()):
            flow = self._idle.pop(0)
            del self._flows[flow.name]
            self._weight_sum -= flow.weight
            self._start_sum -= flow.weight * flow.place[0]
        if not self._flows:
            self._weight_sum = self._start_sum = 0.0


class _Speed:
    """Cost per second, smoothed over the time in which it was measured."""

    def __init__(self) -> None:
        self.ended = 0
        self._cost = self._seconds = 0.0

    def add(self, cost: float, seconds: float) -> None:
        kept = math.exp(-seconds / SMOOTHING_S)
        self._cost = self._cost * kept + cost
        self._seconds = self._seconds * kept + seconds
        self.ended += 1

    def seconds_for(self, cost: float) -> float:
        return cost * self._seconds / self._cost if self._cost else 0.0


class Queue(Generic[Item]):
    """Items that wait, told apart by identity. One that was taken ends with `served` or comes back with `put_back`.

    Higher priorities go first, but for every LOWER_TURN-th take: each of p that wait has one in LOWER_TURN * p takes.
    """

    def __init__(self, limits: QueueLimits, clock: Callable[[], float] = time.monotonic) -> None:
        if not all(0 < weight < math.inf for weight in limits.weights.values()):
            raise ValueError("a weight in the queue's limits is not above 0")
        self._limits = limits
        self._per_person = limits.waiting_per_person or max(1, limits.waiting // 4)
        self._clock = clock
        self._numbers = count()
        self._tickets: dict[int, _Ticket[Item]] = {}
        #: Of each priority those that were put back, then all others; the one whose turn is the longest ago is first.
        self._priorities: dict[int, tuple[deque[_Ticket[Item]], _Siblings[Item]]] = {}
        self._taken = 0
        #: All items in their order and the cost before each; None when something changed.
        self._order: tuple[list[Item], list[float]] | None = None
        self._running = 0
        self._measured_at = 0.0
        #: Whether something waited ever since.
        self._was_full = False
        self._busy, self._full = _Speed(), _Speed()

    def __len__(self) -> int:
        return len(self._tickets)

    def put(self, item: Item, owner: Owner, *, cost: float, priority: int = 0) -> int:
        """Returns its position. `cost`: what it is expected to take, in tokens, at least 1. Raises QueueFull."""
        waiting, own = len(self), sum(ticket.owner == owner for ticket in self._tickets.values())
        if waiting >= self._limits.waiting or own >= self._per_person:
            whose = f"{own} of your" if waiting < self._limits.waiting else waiting
            raise QueueFull(f"{whose} requests wait already; try again later", waiting, self.expected_wait_s(waiting))
        new = self._enter(item, owner, cost, priority, returned=False)
        return next(position for position, ticket in enumerate(self._turns()) if ticket is new)

    def put_back(self, item: Item, owner: Owner, *, cost: float, priority: int = 0) -> None:
        """A taken item waits again, before all of its priority, the last one first; never refused or charged again."""
        self._enter(item, owner, cost, priority, returned=True)
        self._running = max(0, self._running - 1)

    def take(self, admits: Callable[[Item], bool] = lambda _: True) -> Item | None:
        """The next item that is admitted; those before it keep their places. None when there is none."""
        lines = (line for priority in _by_turn(self._priorities, self._taken) for line in self._priorities[priority])
        ticket = next((ticket for line in lines for ticket in line if admits(ticket.item)), None)
        if ticket is None:
            return None
        if not self._running:
            self._measured_at, self._was_full = self._clock(), True
        self._running += 1
        self._taken += 1
        self._priorities[ticket.priority] = self._priorities.pop(ticket.priority)
        ticket.charge = ticket.cost
        self._leave(ticket)
        return ticket.item

    def remove(self, item: Item) -> bool:
        """False when it does not wait (any more)."""
        ticket = self._tickets.get(id(item))
        if ticket is not None:
            self._leave(ticket)
        return ticket is not None

    def served(self, cost: float) -> None:
        """A taken item ended, in whatever way, and took this; 0 where nothing came of it."""
        now = self._clock()
        for speed in (self._busy, self._full) if self._was_full else (self._busy,):
            speed.add(cost, now - self._measured_at)
        self._measured_at, self._was_full = now, bool(self._tickets)
        self._running = max(0, self._running - 1)

    def positions(self) -> list[tuple[int, Item]]:
        """(requests before it, item), in the order in which they are taken if nothing else comes."""
        return list(enumerate(self._ordered()[0]))

    def expected_wait_s(self, position: int) -> float:
        """How long what waits before this position will take; 0 where that can't be told."""
        if position < len(self):
            cost = self._ordered()[1][position]
        else:
            cost = sum(ticket.cost for ticket in self._tickets.values())
        # Of many that run at once the first to end say little of how fast they all are.
        known = (speed for speed in (self._full, self._busy) if speed.ended >= max(1, self._running))
        return next((speed.seconds_for(cost) for speed in known), 0.0)

    def _enter(self, item: Item, owner: Owner, cost: float, priority: int, *, returned: bool) -> _Ticket[Item]:
        ticket = _Ticket(item, owner, max(1.0, cost), priority, next(self._numbers), returned)
        if self._tickets.setdefault(id(item), ticket) is not ticket:
            raise ValueError("it waits already")
        self._order = None
        first, others = self._priorities.setdefault(priority, (deque(), _Siblings(0, self._limits.weights)))
        if returned:
            first.appendleft(ticket)
        else:
            others.append(ticket)
        return ticket

    def _leave(self, ticket: _Ticket[Item]) -> None:
        self._order = None
        del self._tickets[id(ticket.item)]
        self._was_full = self._was_full and bool(self._tickets)
        first, others = self._priorities[ticket.priority]
        (first if ticket.returned else others).remove(ticket)
        if not first and not others:
            del self._priorities[ticket.priority]

    def _turns(self) -> Iterator[_Ticket[Item]]:
        """All tickets in the order in which they will be taken."""
        turns = {priority: chain(first, others.turns()) for priority, (first, others) in self._priorities.items()}
        taken = self._taken
        while turns:
            priority = _by_turn(turns, taken)[0]
            line = turns.pop(priority)
            ticket = next(line, None)
            if ticket is not None:
                turns[priority] = line
                taken += 1
                yield ticket

    def _ordered(self) -> tuple[list[Item], list[float]]:
        if self._order is None:
            tickets = list(self._turns())
            costs = accumulate((ticket.cost for ticket in tickets), initial=0.0)
            self._order = [ticket.item for ticket in tickets], list(costs)
        return self._order


def _by_turn(priorities: Iterable[int], taken: int) -> list[int]:
    return list(priorities) if taken % LOWER_TURN == LOWER_TURN - 1 else sorted(priorities, reverse=True)
