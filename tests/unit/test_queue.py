"""Who may wait, in which order they leave, and what is put back."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.errors import QueueFull
from core.generation.queue import Queue, QueueLimits
from core.generation.request import Owner
from tests.unit.queued_requests import (
    ANNA,
    BEN,
    CARA,
    EXAMPLES,
    OWNERS,
    ROOMY,
    Request,
    flood,
    ids,
    in_order,
    put,
    put_back,
    remembered,
    taken,
)


def test_an_empty_queue_gives_nothing() -> None:
    queue = Queue[Request](QueueLimits())

    assert queue.take() is None
    assert queue.positions() == []
    assert len(queue) == 0


def test_one_persons_requests_keep_their_order() -> None:
    queue = Queue[Request](ROOMY)
    requests = flood(queue, ANNA, 20)

    assert ids(taken(queue, 20)) == ids(requests)


def test_a_single_request_is_second_to_a_flood() -> None:
    queue = Queue[Request](ROOMY)
    flood(queue, ANNA, 200)
    single = Request(BEN)

    assert queue.put(single, BEN, cost=single.cost) == 1
    assert taken(queue, 2)[1] is single


@EXAMPLES
@given(st.lists(st.floats(1, 4000), min_size=30, max_size=30), st.integers(1, 29), st.sampled_from([BEN, *OWNERS[3:]]))
def test_a_single_request_is_next_when_a_flood_is_under_way(costs: list[float], before: int, other: Owner) -> None:
    queue = Queue[Request](ROOMY)
    put(queue, *(Request(ANNA, cost) for cost in costs))
    taken(queue, before)
    single = Request(other, cost=1000)

    assert queue.put(single, other, cost=single.cost) <= 1
    assert any(request is single for request in taken(queue, 2))


def test_who_had_no_turn_yet_is_before_those_who_had_one() -> None:
    queue = Queue[Request](ROOMY)
    flood(queue, ANNA, 2, cost=10)
    flood(queue, BEN, 2, cost=5)
    taken(queue, 1)
    flood(queue, CARA, 1)  # starts at 5, as Ben's second does
    told = in_order(queue)

    rest = taken(queue, 4)

    assert [request.owner for request in rest] == [BEN, CARA, BEN, ANNA]
    assert ids(rest) == told


def test_people_who_came_together_go_in_the_order_in_which_they_came() -> None:
    queue = Queue[Request](ROOMY)
    people = [Request(Owner("discord", "guild", str(number))) for number in range(20)]
    put(queue, *people)

    assert ids(taken(queue, 20)) == ids(people)


def test_nothing_grows_when_a_request_is_refused() -> None:
    queue = Queue[Request](QueueLimits(waiting=3, waiting_per_person=3))
    flood(queue, ANNA, 3)
    before = in_order(queue)

    for _ in range(100):
        with pytest.raises(QueueFull, match="3 requests wait already; try again later") as refusal:
            put(queue, Request(BEN))
        assert refusal.value.waiting == 3

    assert in_order(queue) == before
    assert remembered(queue._priorities[0][1]) == 3  # Anna, her guild, her platform


def test_a_place_that_is_left_can_be_had() -> None:
    queue = Queue[Request](QueueLimits(waiting=3, waiting_per_person=3))
    first, *_ = flood(queue, ANNA, 3)
    queue.remove(first)

    put(queue, Request(BEN))
    assert len(queue) == 3


def test_one_person_has_a_quarter_of_the_places() -> None:
    queue = Queue[Request](QueueLimits(waiting=20))
    flood(queue, ANNA, 5)

    with pytest.raises(QueueFull, match="5 of your requests wait already") as refusal:
        put(queue, Request(ANNA))

    assert refusal.value.waiting == 5
    put(queue, Request(BEN), Request(Owner("discord", "club", "anna")))
    assert len(queue) == 7


def test_a_small_queue_has_a_place_for_everyone() -> None:
    queue = Queue[Request](QueueLimits(waiting=2))

    put(queue, Request(ANNA), Request(BEN))

    assert len(queue) == 2


def test_an_item_waits_once() -> None:
    queue = Queue[Request](ROOMY)
    request = Request(ANNA)
    put(queue, request)

    with pytest.raises(ValueError, match="waits already"):
        put(queue, request)

    assert len(queue) == 1
    assert taken(queue, 2) == [request]


def test_a_weight_is_above_zero() -> None:
    with pytest.raises(ValueError, match="not above 0"):
        Queue[Request](QueueLimits(weights={"discord": 0.0}))


def test_limits_are_values() -> None:
    assert hash(QueueLimits()) == hash(QueueLimits())


def test_removed_items_are_gone_and_the_others_move_up() -> None:
    queue = Queue[Request](ROOMY)
    a, b = flood(queue, ANNA, 2)
    c = Request(BEN)
    put(queue, c)

    assert queue.remove(a)

    assert [(position, id(request)) for position, request in queue.positions()] == [(0, id(b)), (1, id(c))]
    assert not queue.remove(a)
    assert queue.take() is b
    assert not queue.remove(b)


def test_to_be_removed_costs_nothing() -> None:
    queue = Queue[Request](ROOMY)
    flood(queue, ANNA, 3)
    cancelled = flood(queue, BEN, 10, cost=1000)
    for request in cancelled[:9]:
        queue.remove(request)

    assert [request.owner for request in taken(queue, 2)] == [ANNA, BEN]


def test_those_who_are_not_admitted_keep_their_places() -> None:
    queue = Queue[Request](ROOMY)
    blocked = [Request(owner, model="large") for owner in (ANNA, BEN)]
    put(queue, *blocked, Request(ANNA), Request(CARA))

    admitted = [queue.take(lambda request: request.model == "tiny") for _ in range(3)]

    assert [request and request.owner for request in admitted] == [ANNA, CARA, None]
    assert sorted(in_order(queue)) == sorted(ids(blocked))


def test_what_is_put_back_comes_before_the_others_in_its_old_order() -> None:
    queue = Queue[Request](QueueLimits(waiting=6, waiting_per_person=6))
    flood(queue, ANNA, 3)
    flood(queue, BEN, 3)
    order = in_order(queue)
    started = taken(queue, 3)
    flood(queue, CARA, 3)

    for request in reversed(started):  # the queue is full: it is not refused
        put_back(queue, request)

    assert in_order(queue)[:3] == order[:3]
    assert len(queue) == 9
    assert queue.remove(started[0])
    assert ids(taken(queue, 2)) == order[1:3]


def test_what_is_put_back_is_paid_for_once() -> None:
    queue = Queue[Request](ROOMY)
    flood(queue, ANNA, 20)
    flood(queue, BEN, 20)
    for _ in range(5):
        put_back(queue, taken(queue, 1)[0])

    assert Counter(request.owner for request in taken(queue, 20)) == {ANNA: 10, BEN: 10}


def test_what_is_put_back_is_behind_a_higher_priority() -> None:
    queue = Queue[Request](ROOMY)
    flood(queue, ANNA, 2)
    started = taken(queue, 1)
    high = flood(queue, BEN, 1, priority=1)
    put_back(queue, started[0])

    assert ids(taken(queue, 2)) == ids(high + started)
