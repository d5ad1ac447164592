"""How many calls may begin now, by what Discord's answers said."""

import asyncio
from collections.abc import Callable

import discord
import pytest

from adapters.discord.buckets import Bucket
from adapters.discord.flow import Flow


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def time(self) -> float:
        return self.now


def headers(limit: int, remaining: int, reset_after_s: float) -> dict[str, str]:
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset-After": f"{reset_after_s:.3f}",
    }


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def new_bucket(clock: Clock) -> Callable[[], Bucket]:
    def new() -> Bucket:
        bucket = Bucket(30.0, Flow(asyncio.get_running_loop()))
        bucket._loop = clock  # type: ignore[assignment]
        return bucket

    return new


async def test_of_what_is_not_known_one_call_is_made(new_bucket: Callable[[], Bucket]) -> None:
    bucket = new_bucket()
    assert bucket.free == 1
    async with bucket:
        assert bucket.free == 0


async def test_what_an_answer_leaves_over_may_be_made_but_for_what_is_under_way(
    new_bucket: Callable[[], Bucket],
) -> None:
    bucket = new_bucket()
    async with bucket:
        bucket.read(headers(5, 4, 2.0))
    assert bucket.free == 4
    async with bucket, bucket:
        assert bucket.free == 2
        bucket.read(headers(5, 3, 1.9))  # of one of the two; the other one may not be counted in it
        assert bucket.free == 1


async def test_an_answer_that_was_overtaken_gives_nothing_back(new_bucket: Callable[[], Bucket]) -> None:
    bucket = new_bucket()
    bucket.read(headers(5, 2, 2.0))
    bucket.read(headers(5, 4, 2.0))
    assert bucket.free == 2


async def test_a_new_window_begins_full_but_for_what_is_under_way(
    new_bucket: Callable[[], Bucket], clock: Clock
) -> None:
    bucket = new_bucket()
    bucket.read(headers(5, 1, 2.0))
    async with bucket:
        assert bucket.free == 0
        assert bucket.left_s() == 2.0
        clock.now += 2.0
        assert bucket.free == 4
    assert bucket.free == 5
    bucket.read(headers(5, 4, 5.0))
    assert bucket.free == 4


async def test_a_window_that_began_earlier_than_thought_is_believed(new_bucket: Callable[[], Bucket]) -> None:
    bucket = new_bucket()
    bucket.read(headers(5, 0, 1.0))
    bucket.read(headers(5, 4, 5.0))
    assert bucket.free == 4
    assert bucket.window_s == 5.0


async def test_what_discord_says_goes_before_what_was_counted(new_bucket: Callable[[], Bucket], clock: Clock) -> None:
    bucket = new_bucket()
    bucket.read(headers(5, 4, 2.0))
    bucket.limited(7.0)
    assert bucket.free == 0
    assert bucket.left_s() == 7.0
    clock.now += 7.0
    assert bucket.free == 5


@pytest.mark.parametrize("spoilt", [{}, {"X-RateLimit-Limit": "x"}, headers(5, 4, 1.0) | {"X-RateLimit-Limit": ""}])
async def test_headers_that_say_nothing_change_nothing(
    new_bucket: Callable[[], Bucket], spoilt: dict[str, str]
) -> None:
    bucket = new_bucket()
    bucket.read(spoilt)
    assert bucket.free == 1


async def test_who_comes_next_waits_in_line_until_the_window_is_over() -> None:
    bucket = Bucket(30.0, Flow(asyncio.get_running_loop()))
    bucket.read(headers(2, 2, 0.05))
    begun: list[int] = []

    async def call(number: int) -> None:
        async with bucket:
            begun.append(number)
            bucket.read(headers(2, max(0, 2 - len(begun)), 0.05))

    async with asyncio.timeout(5):
        await asyncio.gather(*(call(number) for number in range(6)))
    assert begun == list(range(6))


async def test_an_answer_is_not_held_back_until_the_window_is_over() -> None:
    bucket = Bucket(30.0, Flow(asyncio.get_running_loop()))
    async with asyncio.timeout(1):
        async with bucket:
            bucket.read(headers(1, 0, 29.0))
    assert bucket.free == 0


async def test_what_would_take_too_long_is_not_waited_for() -> None:
    bucket = Bucket(30.0, Flow(asyncio.get_running_loop()))
    bucket.read(headers(1, 0, 31.0))
    with pytest.raises(discord.RateLimited) as raised:
        await bucket.acquire()
    assert 30 < raised.value.retry_after <= 31


async def test_it_is_forgotten_when_nobody_needs_it(new_bucket: Callable[[], Bucket], clock: Clock) -> None:
    bucket = new_bucket()
    bucket._last_request = clock.now
    assert not bucket.is_inactive()
    clock.now += 301
    assert bucket.is_inactive()
    async with bucket:
        clock.now += 301
        assert not bucket.is_inactive()
