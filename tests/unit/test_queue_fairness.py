"""Whose turn it is: shares, weights, priorities, and what is remembered of those who left."""

from collections import Counter
from itertools import combinations, count

from hypothesis import given
from hypothesis import strategies as st

from core.generation.queue import IDLE_LIMIT, LOWER_TURN, Queue, QueueLimits
from core.generation.request import Owner
from tests.unit.queued_requests import (
    ANNA,
    BEN,
    EXAMPLES,
    OWNERS,
    ROOMY,
    SLACK,
    TELEGRAM,
    Request,
    flood,
    ids,
    in_order,
    put,
    put_back,
    remembered,
    taken,
)


@EXAMPLES
@given(
    weights=st.fixed_dictionaries({name: st.sampled_from([0.5, 1.0, 1.0, 3.0]) for name in "abcd"}),
    arrivals=st.lists(st.tuples(st.sampled_from("abcd"), st.floats(1, 500)), min_size=30, max_size=150),
    takes=st.lists(st.booleans(), min_size=300, max_size=300),
)
def test_what_two_people_had_differs_by_two_of_the_largest_requests_at_most(
    weights: dict[str, float], arrivals: list[tuple[str, float]], takes: list[bool]
) -> None:
    """Over any time in which both have something waiting; people come and go, weights and costs differ."""
    queue = Queue[Request](QueueLimits(1000, 1000, {f"discord/guild/{name}": weights[name] for name in weights}))
    bound = 2 * max(cost / weights[name] for name, cost in arrivals) + 1e-6
    coming, waiting = iter(arrivals), Counter[str]()
    had = dict.fromkeys(weights, 0.0)
    gaps: dict[tuple[str, str], list[float]] = {pair: [] for pair in combinations(weights, 2)}
    for is_take in takes:
        if is_take and (request := queue.take()):
            had[request.owner.person] += request.cost / weights[request.owner.person]
            waiting[request.owner.person] -= 1
        elif arrival := next(coming, None):
            put(queue, Request(Owner("discord", "guild", arrival[0]), arrival[1]))
            waiting[arrival[0]] += 1
        for (one, other), seen in gaps.items():
            if waiting[one] and waiting[other]:
                seen.append(had[one] - had[other])
                assert max(seen) - min(seen) <= bound
            else:
                seen.clear()


@EXAMPLES
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["put", "put", "put", "take", "take some", "remove", "put back"]),
            st.sampled_from(OWNERS),
            st.sampled_from([1.0, 7.5, 100.0]),
            st.integers(-1, 1),
            st.sampled_from(["tiny", "large"]),
        ),
        max_size=150,
    )
)
def test_every_item_is_taken_or_removed_once_in_the_order_that_was_told(
    steps: list[tuple[str, Owner, float, int, str]],
) -> None:
    queue = Queue[Request](ROOMY)
    waiting, running = dict[int, Request](), list[Request]()
    for what, owner, cost, priority, model in steps:
        told = queue.positions()
        if what == "put":
            request = Request(owner, cost, priority, model)
            position = queue.put(request, owner, cost=cost, priority=priority)
            waiting[id(request)] = request
            assert queue.positions()[position][1] is request
        elif what == "put back" and running:
            waiting[id(running[-1])] = running[-1]
            put_back(queue, running.pop())
        elif what == "remove" and waiting:
            request = waiting.pop(next(iter(waiting)))
            assert queue.remove(request)
            assert in_order(queue).count(id(request)) == 0
        elif what.startswith("take") and told:
            admitted = {model} if what == "take some" else {"tiny", "large"}
            some = queue.take(lambda request, admitted=admitted: request.model in admitted)  # type: ignore[misc]
            if what == "take":
                assert some is told[0][1]
            if some is not None:
                running.append(waiting.pop(id(some)))
        assert sorted(in_order(queue)) == sorted(waiting)
        assert len(queue) == len(waiting)

    told = queue.positions()
    assert [position for position, _ in told] == list(range(len(waiting)))
    assert ids(taken(queue, 1000)) == [id(request) for _, request in told]


def test_a_share_follows_the_weight() -> None:
    limits = QueueLimits(1000, 1000, {"slack": 3, "discord/guild": 2, "discord/guild/anna": 4})
    queue = Queue[Request](limits)
    for owner in (SLACK, ANNA, BEN, OWNERS[3]):
        flood(queue, owner, 200)

    had = Counter(request.owner for request in taken(queue, 240))

    # Slack 3 of 4; of Discord's quarter the guild has two thirds; of the guild's 40 Anna has four fifths.
    expected = {SLACK: 180, ANNA: 32, BEN: 8, OWNERS[3]: 20}
    assert all(abs(had[owner] - number) <= 2 for owner, number in expected.items())


def test_many_people_of_one_platform_share_what_one_of_another_has() -> None:
    queue = Queue[Request](ROOMY)
    for number in range(10):
        flood(queue, Owner("discord", "guild", str(number)), 20)
    flood(queue, TELEGRAM, 20)

    had = Counter(request.owner.platform for request in taken(queue, 40))

    assert had == {"discord": 20, "telegram": 20}


def test_who_asks_for_much_is_asked_to_wait_longer() -> None:
    queue = Queue[Request](ROOMY)
    flood(queue, ANNA, 50, cost=400)
    flood(queue, BEN, 50, cost=40)

    had = Counter(request.owner for request in taken(queue, 44))

    assert had == {ANNA: 4, BEN: 40}


def test_nobody_gains_by_having_been_idle() -> None:
    queue = Queue[Request](ROOMY)
    flood(queue, ANNA, 100)
    taken(queue, 50)
    flood(queue, BEN, 100)

    assert Counter(request.owner for request in taken(queue, 20)) == {ANNA: 10, BEN: 10}


def test_who_had_the_engine_alone_owes_nothing_for_it() -> None:
    queue = Queue[Request](ROOMY)
    flood(queue, ANNA, 50, cost=4000)
    taken(queue, 50)
    anna, ben = flood(queue, ANNA, 1), flood(queue, BEN, 1)

    assert ids(taken(queue, 2)) == ids(anna + ben)


def test_to_ask_one_by_one_while_others_wait_gives_no_larger_share() -> None:
    queue = Queue[Request](ROOMY)
    flood(queue, BEN, 60)
    put(queue, Request(ANNA, cost=100))
    had = Counter[Owner]()
    for _ in range(44):
        (request,) = taken(queue, 1)
        had[request.owner] += 1
        if request.owner == ANNA:
            put(queue, Request(ANNA, cost=100))

    assert had == {BEN: 40, ANNA: 4}


def test_a_stream_of_newcomers_starves_nobody() -> None:
    queue = Queue[Request](ROOMY)
    flood(queue, ANNA, 2, cost=100)
    newcomers = (Request(Owner("discord", "guild", str(number))) for number in count())
    put(queue, next(newcomers), next(newcomers))
    had = []
    for _ in range(60):
        had += taken(queue, 1)
        put(queue, next(newcomers))

    assert [request.owner for request in had].count(ANNA) == 2


def test_a_higher_priority_goes_first() -> None:
    queue = Queue[Request](ROOMY)
    low, high = flood(queue, ANNA, 3, priority=-1), flood(queue, BEN, 3, priority=5)

    assert ids(taken(queue, 6)) == ids(high + low)


def test_a_lower_priority_is_not_starved() -> None:
    queue = Queue[Request](ROOMY)
    for priority in range(3):
        flood(queue, ANNA, 200, priority=priority)

    priorities = [request.priority for request in taken(queue, 160)]

    assert Counter(priorities) == {2: 140, 1: 10, 0: 10}
    for start in range(160 - 3 * LOWER_TURN):
        assert set(priorities[start : start + 3 * LOWER_TURN]) == {0, 1, 2}


def test_nobody_is_remembered_when_nothing_waits() -> None:
    queue = Queue[Request](ROOMY)
    for number in range(10_000):
        put(queue, Request(Owner("discord", str(number % 100), str(number)), priority=number % 3))
        if number % 5 == 4:
            taken(queue, 5)

    assert len(queue) == 0
    assert not queue._tickets
    assert not queue._priorities


def test_few_are_remembered_while_one_always_waits() -> None:
    queue = Queue[Request](ROOMY)
    flood(queue, ANNA, 1, cost=1e9)
    most = 0
    for number in range(10_000):
        put(queue, Request(Owner("discord", "guild", str(number))))
        queue.take(lambda request: request.owner != ANNA)
        most = max(most, remembered(queue._priorities[0][1]))

    assert most <= IDLE_LIMIT + 3
