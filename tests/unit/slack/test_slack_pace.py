"""No method is called more often than its tier allows, in any minute; what must be sent waits in its order."""

import asyncio
import random

import pytest

from adapters.slack.pace import LONGEST_TURN_S, TIERS, Pace
from core.errors import PlatformAway, RateLimited
from tests.unit.telegram.paper_time import PaperTime

START, STOP, APPEND, POST = "chat.startStream", "chat.stopStream", "chat.appendStream", "chat.postMessage"


@pytest.fixture
def time() -> PaperTime:
    return PaperTime()


@pytest.fixture
def pace(time: PaperTime) -> Pace:
    return Pace(time.clock, time.sleep)


async def call(
    pace: Pace, method: str, who: str = "reply", *, is_urgent: bool = True, workspace: str = "T1", channel: str = ""
) -> None:
    async with pace.turn(workspace, method, who, is_urgent=is_urgent, channel=channel):
        pass


async def again(
    pace: Pace, time: PaperTime, method: str, who: str, calls: list[tuple[float, str]], channel: str = ""
) -> None:
    """As the core does where it is told to come later; notes when it was its turn."""
    while True:
        try:
            async with pace.turn("T1", method, who, is_urgent=True, channel=channel):
                calls.append((time.now, who))
            return
        except RateLimited as limited:
            await time.sleep(limited.retry_after_s)


def most_in(times: list[float], window_s: float) -> int:
    return max(sum(0 <= later - first < window_s for later in times) for first in times)


async def test_so_many_calls_are_made_at_once_and_the_next_one_later(pace: Pace) -> None:
    for number in range(TIERS[START].calls):
        await call(pace, START, str(number))

    with pytest.raises(RateLimited) as limited:
        await call(pace, START, "one more")
    assert limited.value.retry_after_s == pytest.approx(60.25)


async def test_what_is_merely_shown_never_waits(pace: Pace, time: PaperTime) -> None:
    for number in range(TIERS[APPEND].calls):
        await call(pace, APPEND, str(number), is_urgent=False)

    with pytest.raises(PlatformAway):
        await call(pace, APPEND, is_urgent=False)
    time.now += 61
    await call(pace, APPEND, is_urgent=False)


async def test_methods_and_workspaces_do_not_count_for_each_other(pace: Pace) -> None:
    for number in range(20):
        await call(pace, START, str(number))

    await call(pace, STOP)
    await call(pace, START, workspace="T2")


async def test_no_minute_holds_too_many_however_long_calls_take(pace: Pace, time: PaperTime) -> None:
    arrivals: list[float] = []
    rng = random.Random(7)

    async def slow(who: str) -> None:
        while True:
            try:
                async with pace.turn("T1", START, who, is_urgent=True):
                    await time.sleep(rng.uniform(0, 9))
                    arrivals.append(time.now)
                    await time.sleep(rng.uniform(0, 3))
                return
            except RateLimited as limited:
                await time.sleep(limited.retry_after_s)

    await time.until(*(slow(str(number)) for number in range(70)))

    assert len(arrivals) == 70
    assert most_in(arrivals, 60.0) <= 20


async def test_who_came_first_is_first(pace: Pace, time: PaperTime) -> None:
    calls: list[tuple[float, str]] = []
    for number in range(20):
        await call(pace, STOP, f"before {number}")
    time.now += 30
    waiting = [again(pace, time, STOP, str(number), calls) for number in range(30)]
    await time.until(*waiting)

    assert [who for _, who in calls] == [str(number) for number in range(30)]


async def test_a_channel_takes_a_message_a_second(pace: Pace, time: PaperTime) -> None:
    calls: list[tuple[float, str]] = []
    await time.until(*(again(pace, time, POST, str(number), calls, channel="C1") for number in range(50)))
    times = [at for at, _ in calls]

    assert most_in(times, 1.0) == 1
    assert times[-1] - times[0] < 50 * 1.3
    await call(pace, POST, channel="C2")


async def test_a_short_wait_is_waited_for(pace: Pace, time: PaperTime) -> None:
    begun = time.now
    await call(pace, POST, "one", channel="C1")
    await time.until(call(pace, POST, "two", channel="C1"))

    assert 1.0 <= time.now - begun < LONGEST_TURN_S


async def test_slack_s_own_limit_is_kept_to(pace: Pace, time: PaperTime) -> None:
    with pytest.raises(RateLimited):
        async with pace.turn("T1", STOP, "reply", is_urgent=True):
            raise RateLimited("too much was sent", 90.0)

    assert pace.room("T1", STOP) == 0
    with pytest.raises(RateLimited) as limited:
        await call(pace, STOP)
    assert limited.value.retry_after_s == pytest.approx(90.0)
    time.now += 90
    await call(pace, STOP)


async def test_a_place_that_nobody_comes_for_is_given_up(pace: Pace, time: PaperTime) -> None:
    for number in range(20):
        await call(pace, STOP, str(number))
    for number in range(20):
        with pytest.raises(RateLimited):
            await call(pace, STOP, f"gone {number}")
    time.now += 60.25 + 3.1

    await call(pace, STOP, "later")


async def test_room_is_what_is_left_for_the_newest(pace: Pace, time: PaperTime) -> None:
    assert pace.room("T1", START) == 20
    async with pace.turn("T1", START, "on its way", is_urgent=False):
        assert pace.room("T1", START) == 19
    assert pace.room("T1", START) == 19
    time.now += 61
    assert pace.room("T1", START) == 20


async def test_a_call_that_fails_counts_all_the_same(pace: Pace) -> None:
    with pytest.raises(ValueError, match="anything"):
        async with pace.turn("T1", START, "reply", is_urgent=True):
            raise ValueError("anything")

    assert pace.room("T1", START) == 19


async def test_lines_that_nobody_needs_are_forgotten(pace: Pace, time: PaperTime) -> None:
    for number in range(1000):
        await call(pace, POST, channel=f"C{number}")
        time.now += 120

    assert pace.known_lines < 10


async def test_a_line_that_is_used_is_not_forgotten(pace: Pace) -> None:
    async with pace.turn("T1", START, "on its way", is_urgent=False):
        for number in range(50):
            await call(pace, "users.info", str(number))
        assert pace.room("T1", START) == 19


async def test_a_wait_that_is_given_up_leaves_nothing_behind(pace: Pace, time: PaperTime) -> None:
    await call(pace, POST, "one", channel="C1")
    waiting = asyncio.create_task(call(pace, POST, "two", channel="C1"))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    time.now += 5

    await call(pace, POST, "three", channel="C1")
