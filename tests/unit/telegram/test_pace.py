"""How often a chat is spoken to, and who goes first. The clock is made of paper."""

import random
from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.telegram.capabilities import GROUP_INTERVAL_S, LONGEST_TURN_S, PRIVATE_INTERVAL_S, SENDS_PER_SECOND
from adapters.telegram.pace import Pace
from core.errors import PlatformAway, RateLimited
from tests.unit.telegram.paper_time import PaperTime

PRIVATE, GROUP = "500", "-100500"
#: Sums of floats.
TINY_S = 1e-6


class Stage:
    """Replies that speak in chats, and when each call began."""

    def __init__(self) -> None:
        self.time = PaperTime()
        self.pace = Pace(self.time.clock, self.time.sleep)
        #: Chat → when, whose, in order.
        self.calls: dict[str, list[tuple[float, str]]] = defaultdict(list)

    async def speak(
        self,
        chat: str,
        who: str = "a",
        *,
        is_urgent: bool = True,
        takes_s: float = 0.05,
        error: Exception | None = None,
    ) -> None:
        async with self.pace.turn(chat, who, is_urgent=is_urgent):
            self.calls[chat].append((self.time.now, who))
            await self.time.sleep(takes_s)
            if error is not None:
                raise error

    async def show_all(self, chat: str, who: str, seconds: float) -> None:
        """As the core shows a growing reply: it waits as long as it is told, and at least the chat's interval."""
        interval = GROUP_INTERVAL_S if chat.startswith("-") else PRIVATE_INTERVAL_S
        end = self.time.now + seconds
        while self.time.now < end:
            pause_s = interval
            try:
                await self.speak(chat, who, is_urgent=False)
            except RateLimited as limited:
                pause_s = max(limited.retry_after_s, interval)
            await self.time.sleep(pause_s)

    def starts(self, chat: str) -> list[float]:
        return [at for at, _ in self.calls[chat]]

    def speakers(self, chat: str) -> list[str]:
        return [who for _, who in self.calls[chat]]


@pytest.fixture
def stage() -> Stage:
    return Stage()


def gaps(starts: Sequence[float]) -> list[float]:
    return [later - earlier for earlier, later in pairwise(starts)]


@pytest.mark.parametrize(("chat", "interval"), [(PRIVATE, PRIVATE_INTERVAL_S), (GROUP, GROUP_INTERVAL_S)])
async def test_calls_in_a_chat_keep_their_distance(stage: Stage, chat: str, interval: float) -> None:
    await stage.time.until(*(stage.speak(chat, str(number)) for number in range(4)))

    assert stage.speakers(chat) == ["0", "1", "2", "3"]
    assert all(gap >= interval - TINY_S for gap in gaps(stage.starts(chat)))
    assert max(gaps(stage.starts(chat))) < interval + 0.2


async def test_the_distance_is_kept_from_the_end_of_a_slow_call(stage: Stage) -> None:
    await stage.time.until(stage.speak(PRIVATE, "slow", takes_s=5.0), stage.speak(PRIVATE, "next"))

    [gap] = gaps(stage.starts(PRIVATE))
    assert gap >= 5.0 + PRIVATE_INTERVAL_S - TINY_S


async def test_chats_do_not_wait_for_each_other(stage: Stage) -> None:
    await stage.time.until(stage.speak("1", takes_s=9.0), stage.speak("2"), stage.speak("-3"))

    starts = [stage.starts(chat)[0] for chat in ("1", "2", "-3")]
    assert max(starts) - min(starts) < 0.1


async def test_what_is_merely_shown_does_not_wait(stage: Stage) -> None:
    await stage.time.until(stage.speak(PRIVATE))
    began = stage.time.now

    [error] = await stage.time.until(stage.speak(PRIVATE, is_urgent=False))

    assert isinstance(error, RateLimited)
    assert error.retry_after_s == pytest.approx(PRIVATE_INTERVAL_S)
    assert stage.time.now == began


async def test_what_comes_a_little_early_is_waited_for(stage: Stage) -> None:
    await stage.time.until(stage.speak(PRIVATE))
    await stage.time.until(stage.time.sleep(PRIVATE_INTERVAL_S - 0.1))

    await stage.time.until(stage.speak(PRIVATE, is_urgent=False))

    assert gaps(stage.starts(PRIVATE))[0] >= PRIVATE_INTERVAL_S - TINY_S


async def test_what_is_for_good_goes_before_what_is_merely_shown(stage: Stage) -> None:
    await stage.time.until(stage.speak(GROUP, "first"))
    await stage.time.until(stage.speak(GROUP, "shown", is_urgent=False))

    async def show_when_told() -> None:
        await stage.time.sleep(GROUP_INTERVAL_S)
        await stage.speak(GROUP, "shown", is_urgent=False)

    _, told = await stage.time.until(stage.speak(GROUP, "closed"), show_when_told())

    assert stage.speakers(GROUP) == ["first", "closed"]
    assert isinstance(told, RateLimited)


async def test_topics_of_a_forum_take_turns(stage: Stage) -> None:
    await stage.time.until(*(stage.show_all(GROUP, topic, 120.0) for topic in ("a", "b", "c")))

    counts = {topic: stage.speakers(GROUP).count(topic) for topic in ("a", "b", "c")}
    assert min(counts.values()) >= max(counts.values()) - 2
    assert sum(counts.values()) >= 30  # a slot that somebody could use is not left empty for long
    assert all(gap >= GROUP_INTERVAL_S - TINY_S for gap in gaps(stage.starts(GROUP)))


async def test_everybody_who_was_told_to_come_again_is_served_in_the_end(stage: Stage) -> None:
    """Far more than fit into what a call may wait."""

    async def insist(who: str) -> int:
        tries = 1
        while True:
            try:
                await stage.speak(GROUP, who)
            except RateLimited as limited:
                tries += 1
                await stage.time.sleep(limited.retry_after_s)
            else:
                return tries

    tries = await stage.time.until(*(insist(str(number)) for number in range(40)))

    assert len(stage.speakers(GROUP)) == 40
    assert max(int(str(count)) for count in tries) <= 3
    assert max(gaps(stage.starts(GROUP))) < GROUP_INTERVAL_S + 0.5


async def test_what_is_for_good_waits_no_longer_than_a_call_may_take(stage: Stage) -> None:
    outcomes = await stage.time.until(*(stage.speak(GROUP, str(number)) for number in range(10)))

    refused = [outcome for outcome in outcomes if isinstance(outcome, RateLimited)]
    assert refused
    assert all(limited.retry_after_s > LONGEST_TURN_S for limited in refused)


async def test_a_chat_that_wants_to_be_left_alone_is_and_the_others_are_not(stage: Stage) -> None:
    await stage.time.until(stage.speak(PRIVATE, error=RateLimited("too much", 40.0)))
    began = stage.time.now

    [told] = await stage.time.until(stage.speak(PRIVATE))
    assert isinstance(told, RateLimited)
    assert told.retry_after_s == pytest.approx(40.0)
    assert stage.pace.rests(PRIVATE)
    assert not stage.pace.rests("501")

    await stage.time.until(stage.speak("501"))
    assert stage.starts("501")[0] - began < 0.1

    await stage.time.until(stage.time.sleep(40.0))
    await stage.time.until(stage.speak(PRIVATE))
    assert gaps(stage.starts(PRIVATE))[0] >= 40.0


async def test_a_call_that_failed_ends_its_turn(stage: Stage) -> None:
    await stage.time.until(stage.speak(PRIVATE, error=PlatformAway("away")))

    await stage.time.until(stage.speak(PRIVATE))

    assert len(stage.starts(PRIVATE)) == 2


async def test_a_place_that_nobody_comes_for_is_given_up(stage: Stage) -> None:
    await stage.time.until(stage.speak(GROUP, "first"))
    await stage.time.until(stage.speak(GROUP, "gone", is_urgent=False))
    await stage.time.until(stage.time.sleep(GROUP_INTERVAL_S + 3.0))

    await stage.time.until(stage.speak(GROUP, "other", is_urgent=False))

    assert stage.speakers(GROUP) == ["first", "other"]


async def test_not_too_much_is_said_over_all(stage: Stage) -> None:
    await stage.time.until(*(stage.speak(str(number)) for number in range(100)))

    starts = sorted(at for calls in stage.calls.values() for at, _ in calls)
    assert len(starts) == 100
    assert all(later - earlier >= 1.0 for earlier, later in zip(starts, starts[30:], strict=False))
    assert starts[-1] - starts[0] < 100 / SENDS_PER_SECOND + 0.5


async def test_nobody_is_left_out_where_there_is_too_much_over_all(stage: Stage) -> None:
    chats = [str(number) for number in range(1, 51)]

    await stage.time.until(*(stage.show_all(chat, "a", 60.0) for chat in chats))

    counts = [len(stage.starts(chat)) for chat in chats]
    assert sum(counts) > 0.8 * 60 * SENDS_PER_SECOND
    assert min(counts) > 0.5 * sum(counts) / len(counts)


async def test_idle_chats_are_forgotten(stage: Stage) -> None:
    for number in range(1, 500):
        await stage.time.until(stage.speak(str(number)))

    assert stage.pace.known_chats < 50


@given(st.integers(0, 2**32), st.integers(1, 12))
@settings(max_examples=30, deadline=None, derandomize=True)
async def test_the_distance_is_kept_whatever_happens(seed: int, replies: int) -> None:
    stage, dice = Stage(), random.Random(seed)
    chats = (PRIVATE, GROUP)

    async def reply(who: str) -> None:
        for _ in range(5):
            await stage.time.sleep(dice.random() * 4)
            chat, is_urgent = dice.choice(chats), dice.random() < 0.4
            error = dice.choice([None, None, PlatformAway("away"), RateLimited("too much", 7.0)])
            try:
                await stage.speak(chat, who, is_urgent=is_urgent, takes_s=dice.random() * 2, error=error)
            except (RateLimited, PlatformAway):
                continue

    await stage.time.until(*(reply(str(number)) for number in range(replies)))

    for chat, interval in ((PRIVATE, PRIVATE_INTERVAL_S), (GROUP, GROUP_INTERVAL_S)):
        assert all(gap >= interval - TINY_S for gap in gaps(stage.starts(chat)))


async def test_what_is_on_its_way_counts_over_all_chats(stage: Stage) -> None:
    """A line that stalls delivers all at once, when it goes on."""
    stalls = [stage.speak(str(number), takes_s=0.6) for number in range(12)]
    await stage.time.until(*stalls, *(stage.speak(str(number)) for number in range(100, 160)))

    arrivals = sorted(at + (0.6 if int(chat) < 100 else 0.0) for chat, calls in stage.calls.items() for at, _ in calls)
    assert len(arrivals) == 72
    assert all(later - earlier >= 1.0 for earlier, later in zip(arrivals, arrivals[30:], strict=False))
