"""Requests that wait, the people whose they are, and a clock to be moved."""

from collections.abc import Iterable
from dataclasses import dataclass

from hypothesis import settings

from core.generation.queue import Queue, QueueLimits, _Siblings
from core.generation.request import Owner

EXAMPLES = settings(max_examples=60, deadline=None, derandomize=True)
ROOMY = QueueLimits(waiting=1000, waiting_per_person=1000)

ANNA, BEN, CARA = (Owner("discord", "guild", name) for name in ("anna", "ben", "cara"))
SLACK, TELEGRAM = Owner("slack", "T012", "dora"), Owner("telegram", "", "emil")
OWNERS = [ANNA, BEN, CARA, Owner("discord", "club", "anna"), SLACK, TELEGRAM]


@dataclass(frozen=True)
class Request:
    """Equal requests are still different ones: the queue tells them apart by identity."""

    owner: Owner
    cost: float = 10.0
    priority: int = 0
    model: str = "tiny"


@dataclass
class Clock:
    now: float = 1000.0

    def __call__(self) -> float:
        return self.now


def put(queue: Queue[Request], *requests: Request) -> None:
    for request in requests:
        queue.put(request, request.owner, cost=request.cost, priority=request.priority)


def put_back(queue: Queue[Request], request: Request) -> None:
    queue.put_back(request, request.owner, cost=request.cost, priority=request.priority)


def flood(queue: Queue[Request], owner: Owner, number: int, cost: float = 10.0, priority: int = 0) -> list[Request]:
    requests = [Request(owner, cost, priority) for _ in range(number)]
    put(queue, *requests)
    return requests


def taken(queue: Queue[Request], number: int) -> list[Request]:
    return [request for request in (queue.take() for _ in range(number)) if request is not None]


def in_order(queue: Queue[Request]) -> list[int]:
    return [id(request) for _, request in queue.positions()]


def ids(requests: Iterable[Request]) -> list[int]:
    return [id(request) for request in requests]


def remembered(siblings: _Siblings[Request]) -> int:
    inner = [flow.content for flow in siblings._flows.values()]
    return len(inner) + sum(remembered(content) for content in inner if isinstance(content, _Siblings))
