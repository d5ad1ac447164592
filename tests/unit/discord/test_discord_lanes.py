"""What waits for the database: in order, beside each other, and bounded."""

import asyncio
from collections.abc import Sequence

from adapters.discord.lanes import MESSAGE, Event, LaneLimits, Lanes
from adapters.discord.ledger import Ledger, direct_marks
from adapters.discord.places import DIRECT, TEXT, Place


class Slow:
    """It keeps nothing until it is let."""

    def __init__(self) -> None:
        self.carried: list[tuple[str, list[str]]] = []
        self.opened = asyncio.Event()

    async def __call__(self, channel: str, events: Sequence[Event]) -> None:
        await self.opened.wait()
        self.carried.append((channel, [event.stamp for event in events]))


def said(number: int, kind: str = MESSAGE) -> Event:
    return Event(kind, {}, str(number))


async def settled(lanes: Lanes) -> None:
    while lanes.count:  # noqa: ASYNC110 - each turn of the loop is one step
        await asyncio.sleep(0)
    await asyncio.sleep(0)


async def test_the_events_of_a_channel_are_kept_in_their_order_and_together() -> None:
    slow = Slow()
    lanes = Lanes(slow, LaneLimits(batch=3))
    assert all(lanes.put("a", said(number)) for number in range(5))
    slow.opened.set()
    await settled(lanes)

    assert slow.carried == [("a", ["0", "1", "2"]), ("a", ["3", "4"])]


async def test_a_channel_that_is_slow_keeps_no_other_one_waiting() -> None:
    stuck, carried = asyncio.Event(), []

    async def carry(channel: str, events: Sequence[Event]) -> None:
        if channel == "a":
            await stuck.wait()
        carried.append(channel)

    lanes = Lanes(carry)
    lanes.put("a", said(1))
    lanes.put("b", said(2))
    await settled(lanes)
    assert carried == ["b"]
    await lanes.aclose()


async def test_a_full_lane_turns_messages_away_and_takes_what_can_t_be_fetched() -> None:
    slow = Slow()
    lanes = Lanes(slow, LaneLimits(events=2))
    assert [lanes.put("a", said(number)) for number in range(3)] == [True, True, False]
    deletions = [lanes.put("a", said(number, "MESSAGE_DELETE")) for number in range(3, 6)]
    assert deletions == [True, True, False]
    assert lanes.put("b", said(6))
    await lanes.aclose()


async def test_all_lanes_together_are_bounded_too() -> None:
    slow = Slow()
    lanes = Lanes(slow, LaneLimits(all_events=3))
    assert [lanes.put(f"channel {number}", said(number)) for number in range(4)] == [True, True, True, False]
    assert lanes.put("another one", said(5, "MESSAGE_DELETE"))
    await lanes.aclose()
    assert lanes.count == 0


async def test_a_lane_that_was_emptied_is_begun_again() -> None:
    slow = Slow()
    slow.opened.set()
    lanes = Lanes(slow)
    for number in range(3):
        lanes.put("a", said(number))
        await settled(lanes)

    assert [stamps for _, stamps in slow.carried] == [["0"], ["1"], ["2"]]


ROOT, DM = Place("100", TEXT, "7"), Place("200", DIRECT)


def test_a_mark_moves_only_where_nothing_is_missing_before_it() -> None:
    ledger = Ledger("42")
    assert ledger.live_cursor(ROOT, 5) is None  # its server was not looked through
    ledger.begin(0)
    ledger.open("7", 0)
    cursor = ledger.live_cursor(ROOT, 5)
    assert cursor is not None
    assert (cursor.name, cursor.value, cursor.bot) == ("100", 5, "42")
    number = ledger.fall_behind("100")
    assert ledger.live_cursor(ROOT, 6) is None
    assert ledger.settle("100", number)
    assert ledger.live_cursor(ROOT, 6) is not None
    assert ledger.live_cursor(ROOT, 0) is None


def test_what_falls_behind_again_meanwhile_is_not_settled() -> None:
    ledger = Ledger("42")
    ledger.open("7", 0)
    first = ledger.fall_behind("100")
    second = ledger.fall_behind("100")

    assert not ledger.settle("100", first)
    assert ledger.live_cursor(ROOT, 6) is None
    assert ledger.settle("100", second)


def test_a_new_session_closes_the_servers_of_its_shard_alone() -> None:
    ledger = Ledger("42")
    ledger.open("7", 0)
    ledger.open("8", 1)
    ledger.begin(1)

    assert ledger.live_cursor(ROOT, 5) is not None
    assert ledger.live_cursor(Place("300", TEXT, "8"), 5) is None


def test_direct_messages_are_told_among_the_marks_the_newest_first() -> None:
    ledger = Ledger("42")
    ledger.open("", 0)
    cursor = ledger.live_cursor(DM, 9)
    ledger.passed(cursor)
    ledger.learn({"100": 5, "@300": 11, "@200": 4})

    assert cursor is not None
    assert cursor.name == "@200"
    assert direct_marks(ledger.marks) == {"300": 11, "200": 9}
    assert list(direct_marks(ledger.marks)) == ["300", "200"]
