"""Who streams, and how coarsely: no more is begun than can be ended, and all of it shares what there is."""

from itertools import count

import pytest

from adapters.slack.pace import Pace
from adapters.slack.refusals import Gone, Refused
from adapters.slack.streams import LONGEST_AGE_S, MOST_EDITED, Stream, Streams
from core.errors import MessageGone, PlatformAway, RateLimited, SendUnclear
from tests.unit.telegram.paper_time import PaperTime

_handles = count()


@pytest.fixture
def time() -> PaperTime:
    return PaperTime()


@pytest.fixture
def pace(time: PaperTime) -> Pace:
    return Pace(time.clock, time.sleep)


@pytest.fixture
def streams(pace: Pace) -> Streams:
    return Streams(pace)


async def call(pace: Pace, method: str, times: int = 1) -> None:
    for number in range(times):
        async with pace.turn("T1", method, str(number), is_urgent=False):
            pass


def begin(streams: Streams, time: PaperTime, count: int, *, is_edited: bool = False) -> list[Stream]:
    begun = [Stream("T1", f"token.{number}", time.now, is_edited=is_edited) for number in range(count)]
    for stream in begun:
        streams.begin("C1", str(next(_handles)), stream)
    return begun


async def test_no_more_streams_are_begun_than_can_be_ended_at_once(streams: Streams, time: PaperTime) -> None:
    begin(streams, time, 19)
    assert streams.may_start("T1")
    begin(streams, time, 1)
    assert streams.may_start("T2")
    time.now += 100

    assert not streams.may_start("T1"), "all of them are open still"


async def test_ends_of_the_last_minute_leave_less_room(streams: Streams, time: PaperTime, pace: Pace) -> None:
    begin(streams, time, 12)
    await call(pace, "chat.stopStream", 7)
    assert streams.may_start("T1")
    await call(pace, "chat.stopStream")
    assert not streams.may_start("T1")
    time.now += 61
    assert streams.may_start("T1")


async def test_a_stream_that_is_over_or_too_old_leaves_its_place(streams: Streams, time: PaperTime) -> None:
    begun = begin(streams, time, 20)
    begun[0].is_over = True
    assert streams.may_start("T1")
    begin(streams, time, 1)
    assert not streams.may_start("T1")
    time.now += LONGEST_AGE_S
    assert streams.may_start("T1")


async def test_those_that_are_just_begun_count_too(streams: Streams, time: PaperTime) -> None:
    begin(streams, time, 19)
    with streams.starting("T1"):
        assert not streams.may_start("T1")
        with pytest.raises(PlatformAway), streams.starting("T1"):
            pass
        assert streams.may_start("T2")

    assert streams.may_start("T1")


async def test_the_more_are_written_the_rarer_each_of_them_shows_more(streams: Streams, time: PaperTime) -> None:
    assert streams.interval_s("T1") == 1.0
    begun = begin(streams, time, 20)
    assert streams.interval_s("T1") == pytest.approx(13.2)
    streams.take_turn(begun[0])
    with pytest.raises(PlatformAway):
        streams.take_turn(begun[0])
    streams.take_turn(begun[1])
    time.now += 13.3
    streams.take_turn(begun[0])


async def test_messages_that_grow_share_their_own_tier(streams: Streams, time: PaperTime) -> None:
    assert streams.interval_s("T1", is_edited=True) == 1.5
    begin(streams, time, MOST_EDITED - 1, is_edited=True)
    assert streams.may_edit("T1")
    begin(streams, time, 1, is_edited=True)
    assert not streams.may_edit("T1")
    assert streams.interval_s("T1", is_edited=True) == 30.0
    assert streams.interval_s("T1") == 1.0


async def test_a_workspace_without_streams_is_asked_again_later(streams: Streams, time: PaperTime) -> None:
    streams.are_missing("T1")
    assert not streams.are_native("T1")
    assert streams.are_native("T2")
    time.now += 3601
    assert streams.are_native("T1")


@pytest.mark.parametrize(
    ("error", "is_sure", "takes_text"),
    [
        (RateLimited("too much", 1.0), True, True),
        (PlatformAway("away"), True, True),
        (SendUnclear("unclear"), False, False),
        (Gone("message_not_found"), False, False),
        (Refused("stopped_by_user"), False, False),
        (Refused("anything"), False, False),
        (TimeoutError(), False, False),
    ],
)
def test_what_a_call_came_to_decides_what_is_known(error: Exception, is_sure: bool, takes_text: bool) -> None:
    stream = Stream("T1", "token.0", 0.0)
    with pytest.raises(type(error)), stream.changing():
        raise error

    assert (stream.is_sure, stream.takes_text) == (is_sure, takes_text)
    assert stream.is_gone == isinstance(error, MessageGone)
    assert stream.is_over == (isinstance(error, Refused) and error.code == "stopped_by_user")


def test_a_call_that_went_well_leaves_all_known_that_was_known() -> None:
    stream = Stream("T1", "token.0", 0.0)
    with stream.changing():
        assert not stream.is_sure
    assert stream.is_sure
