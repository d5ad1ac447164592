"""Who is next, who is refused, and how long it takes."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations, count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.errors import QueueFull
from core.generation.queue import IDLE_LIMIT, LOWER_TURN, Queue, QueueLimits, _Siblings
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
