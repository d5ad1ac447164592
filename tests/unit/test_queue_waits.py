"""How long it takes, as far as that can be told."""

import pytest

from core.errors import QueueFull
from core.generation.queue import Queue, QueueLimits
from tests.unit.queued_requests import (
    ANNA,
    BEN,
    CARA,
    ROOMY,
    Clock,
    Request,
    flood,
    put,
    taken,
)


@pytest.fixture
def clock() -> Clock:
    return Clock()


def serve(queue: Queue[Request], clock: Clock, number: int, seconds_each: float = 2.0) -> None:
    """One after another."""
    for _ in range(number):
        (request,) = taken(queue, 1)
        clock.now += seconds_each
        queue.served(request.cost)


def test_the_wait_can_not_be_told_before_anything_ended(clock: Clock) -> None:
    queue = Queue[Request](ROOMY, clock)
    flood(queue, ANNA, 3)
    taken(queue, 1)
    clock.now += 60

    assert queue.expected_wait_s(2) == 0.0


def test_the_wait_follows_from_the_cost_before_it(clock: Clock) -> None:
    queue = Queue[Request](QueueLimits(3, 3), clock)
    flood(queue, ANNA, 3)
    serve(queue, clock, 2)  # 5 a second
    put(queue, Request(ANNA, cost=40), Request(BEN, cost=5))

    assert [request.cost for _, request in queue.positions()] == [5, 10, 40]
    assert [queue.expected_wait_s(position) for position in range(4)] == pytest.approx([0, 1, 3, 11])
    with pytest.raises(QueueFull) as refusal:
        put(queue, Request(CARA))
    assert refusal.value.expected_wait_s == pytest.approx(11)


def test_an_idle_hour_makes_no_wait_longer(clock: Clock) -> None:
    queue = Queue[Request](ROOMY, clock)
    flood(queue, ANNA, 5)
    serve(queue, clock, 5)
    clock.now += 3600
    flood(queue, ANNA, 5)
    serve(queue, clock, 2)

    assert queue.expected_wait_s(3) == pytest.approx(6)


def test_idle_hours_between_single_requests_make_no_wait_longer(clock: Clock) -> None:
    queue = Queue[Request](ROOMY, clock)
    for _ in range(5):
        clock.now += 3600
        flood(queue, ANNA, 1)
        serve(queue, clock, 1)

    assert queue.expected_wait_s(0) == 0.0
    flood(queue, ANNA, 3)
    assert queue.expected_wait_s(3) == pytest.approx(6)


def test_an_engine_that_became_slower_is_noticed(clock: Clock) -> None:
    queue = Queue[Request](ROOMY, clock)
    flood(queue, ANNA, 100)
    serve(queue, clock, 50, seconds_each=1)
    serve(queue, clock, 40, seconds_each=10)

    assert queue.expected_wait_s(10) == pytest.approx(100, rel=0.15)


def test_the_first_of_many_that_run_at_once_says_nothing_yet(clock: Clock) -> None:
    queue = Queue[Request](ROOMY, clock)
    flood(queue, ANNA, 20)
    taken(queue, 8)
    clock.now += 4
    queue.served(10)
    assert queue.expected_wait_s(12) == 0.0

    for _ in range(7):
        queue.served(10)
    assert queue.expected_wait_s(12) == pytest.approx(6)  # 80 in 4 seconds


def test_a_quiet_day_does_not_make_the_full_engine_look_slow(clock: Clock) -> None:
    queue = Queue[Request](ROOMY, clock)
    flood(queue, ANNA, 15)
    for _ in range(2):
        taken(queue, 7)
        clock.now += 2
        for _ in range(7):
            queue.served(10)
    serve(queue, clock, 1)
    for _ in range(100):
        flood(queue, BEN, 1)
        serve(queue, clock, 1)
    flood(queue, CARA, 8)

    assert queue.expected_wait_s(7) == pytest.approx(2)  # 35 a second, not 5
