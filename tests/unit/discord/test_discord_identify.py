"""When sessions begin: a bot that crashes all day must not have its token reset."""

import asyncio

import pytest

from adapters.discord.identify import StartLimit, Starts, pause_before, read_limit
from core.errors import PlatformAway

DAY_S = 86_400.0


def told(remaining: int = 1000, reset_ms: int = 86_400_000, at_once: int = 1) -> dict[str, object]:
    limit = {"total": 1000, "remaining": remaining, "reset_after": reset_ms, "max_concurrency": at_once}
    return {"url": "wss://gateway.discord.gg", "shards": 2, "session_start_limit": limit}


class Gateway:
    """Implements `Asking`: GET /gateway/bot, on a clock that is moved by whoever sleeps."""

    def __init__(self, *answers: object) -> None:
        self.answers = list(answers)
        self.now = 100.0
        self.slept: list[float] = []

    async def request(self, route: object, *, params: object = None) -> object:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    async def sleep(self, pause_s: float) -> None:
        self.slept.append(pause_s)
        self.now += pause_s
        await asyncio.sleep(0)

    def starts(self) -> Starts:
        return Starts(self, 5.1, self.sleep, lambda: self.now)


def test_nobody_waits_while_more_than_half_are_left() -> None:
    assert pause_before(read_limit(told(500))) == 0.0


def test_the_fewer_are_left_the_longer_each_one_waits() -> None:
    pauses = [pause_before(read_limit(told(remaining))) for remaining in (499, 400, 250, 100, 11)]

    assert pauses == sorted(pauses)
    assert pauses[0] < 1.0 < pauses[1]
    assert 150.0 < pauses[2] < 200.0


@pytest.mark.parametrize("total", [1000, 2000])
def test_a_crash_loop_does_not_use_a_day_up(total: int) -> None:
    """Each start takes two seconds; ten are left when the day is over."""
    now, remaining = 0.0, total
    while now < DAY_S:
        pause_s = pause_before(StartLimit("url", 1, total, remaining, DAY_S - now))
        now += pause_s + 2.0
        if now < DAY_S:
            remaining -= 1

    assert remaining >= 10


def test_the_last_ten_wait_for_the_next_day() -> None:
    assert pause_before(read_limit(told(10))) == DAY_S
    assert pause_before(read_limit(told(0))) == DAY_S


@pytest.mark.parametrize(
    "spoilt",
    [
        None,
        {},
        {**told(), "url": ""},
        {**told(), "shards": 0},
        {**told(), "shards": "2"},
        {**told(), "session_start_limit": None},
        told(at_once=0),
        told(remaining=-1),
    ],
)
def test_an_answer_that_can_t_be_read_is_asked_for_again(spoilt: object) -> None:
    with pytest.raises(PlatformAway):
        read_limit(spoilt)


async def test_sessions_of_one_bucket_begin_five_seconds_apart_and_others_at_once() -> None:
    gateway = Gateway(told(at_once=2))
    starts = gateway.starts()
    begun: list[tuple[int, float]] = []
    for shard in (0, 1, 2, 3):
        async with starts.turn(shard) as url:
            begun.append((shard, gateway.now))
            assert url == "wss://gateway.discord.gg"

    assert begun == [(0, 100.0), (1, 100.0), (2, pytest.approx(105.1)), (3, pytest.approx(105.1))]


async def test_no_two_sessions_of_a_bucket_begin_beside_each_other() -> None:
    gateway = Gateway(told())
    starts = gateway.starts()
    at_once = most = 0

    async def begin(shard: int) -> None:
        nonlocal at_once, most
        async with starts.turn(shard):
            at_once += 1
            most = max(most, at_once)
            await asyncio.sleep(0)
            at_once -= 1

    await asyncio.gather(*map(begin, range(4)))
    assert most == 1
    assert gateway.now == pytest.approx(100 + 3 * 5.1)


async def test_one_that_failed_to_begin_counts_as_well() -> None:
    gateway = Gateway(told())
    starts = gateway.starts()
    with pytest.raises(PlatformAway):
        async with starts.turn(0):
            raise PlatformAway("the connection ended")
    async with starts.turn(0):
        assert gateway.now == pytest.approx(105.1)


async def test_it_waits_for_the_reset_and_asks_now_and_then_and_says_so_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    gateway = Gateway(told(), told(7, 700_000), told(7, 400_000), told(7, 100_000), told(1000) | {"url": "wss://today"})
    async with gateway.starts().turn(0) as url:
        assert url == "wss://today"  # it was asked once more after the reset
        assert gateway.slept[:3] == [300.0, 300.0, 100.0]

    assert [record.getMessage() for record in caplog.records] == [
        "only 7 of 1000 sessions are left for today: the next one begins in 700 s"
    ]
