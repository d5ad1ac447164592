"""Quiet hours, by the clock on the wall of the place."""

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.quiet_hours import NEVER_QUIET, QuietHours, QuietSpan

BERLIN = ZoneInfo("Europe/Berlin")
NIGHT = QuietSpan(time(22), time(7))


def utc(*of: int) -> datetime:
    return datetime(*of, tzinfo=UTC)  # type: ignore[arg-type, misc]


@pytest.mark.parametrize(
    ("at", "until"),
    [
        (utc(2026, 1, 5, 21, 59), None),
        (utc(2026, 1, 5, 22, 0), utc(2026, 1, 6, 7)),
        (utc(2026, 1, 6, 3, 0), utc(2026, 1, 6, 7)),
        (utc(2026, 1, 6, 6, 59, 59), utc(2026, 1, 6, 7)),
        (utc(2026, 1, 6, 7, 0), None),
    ],
)
def test_a_span_begins_at_its_first_time_and_ends_before_its_second(at: datetime, until: datetime | None) -> None:
    assert QuietHours((NIGHT,)).until(at) == until


def test_a_span_within_a_day() -> None:
    siesta = QuietHours((QuietSpan(time(13), time(15, 30)),))

    assert siesta.until(utc(2026, 1, 5, 14)) == utc(2026, 1, 5, 15, 30)
    assert siesta.until(utc(2026, 1, 5, 16)) is None


def test_spans_that_touch_are_one() -> None:
    hours = QuietHours((QuietSpan(time(22), time(0)), QuietSpan(time(0), time(6)), QuietSpan(time(5), time(7))))

    assert hours.until(utc(2026, 1, 5, 23)) == utc(2026, 1, 6, 7)


def test_spans_that_fill_the_day_end_some_time() -> None:
    always = QuietHours((QuietSpan(time(0), time(12)), QuietSpan(time(12), time(0))))

    until = always.until(utc(2026, 1, 5, 3))

    assert until is not None
    assert until > utc(2026, 1, 5, 3)


def test_the_clock_is_that_of_the_zone() -> None:
    berlin = QuietHours((NIGHT,), BERLIN)

    assert berlin.until(utc(2026, 1, 5, 21)) == utc(2026, 1, 6, 6)
    assert berlin.until(utc(2026, 7, 5, 20)) == utc(2026, 7, 6, 5)
    assert berlin.until(utc(2026, 7, 5, 19)) is None


def test_the_nights_in_which_clocks_are_changed() -> None:
    berlin = QuietHours((NIGHT,), BERLIN)

    assert berlin.until(utc(2026, 3, 28, 23)) == utc(2026, 3, 29, 5)  # an hour shorter
    assert berlin.until(utc(2026, 10, 24, 22)) == utc(2026, 10, 25, 6)  # an hour longer


def test_the_hour_that_is_said_twice() -> None:
    berlin = QuietHours((QuietSpan(time(2), time(2, 45)),), BERLIN)

    assert berlin.until(utc(2026, 10, 25, 0, 30)) == utc(2026, 10, 25, 0, 45)
    assert berlin.until(utc(2026, 10, 25, 1, 30)) == utc(2026, 10, 25, 1, 45)


def test_without_spans_it_is_never_quiet() -> None:
    assert NEVER_QUIET.until(utc(2026, 1, 5, 3)) is None


TIMES = st.times(max_value=time(23, 59)).map(lambda at: at.replace(second=0, microsecond=0))
SPANS = st.tuples(TIMES, TIMES).filter(lambda span: span[0] != span[1]).map(lambda span: QuietSpan(*span))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(
    st.lists(SPANS, max_size=3),
    st.sampled_from([UTC, BERLIN, ZoneInfo("Asia/Kathmandu"), ZoneInfo("America/St_Johns")]),
    st.datetimes(datetime(2026, 1, 1), datetime(2026, 12, 31)),
)
def test_quiet_always_ends_later_than_now(spans: list[QuietSpan], zone: ZoneInfo, naive: datetime) -> None:
    moment = naive.replace(tzinfo=UTC)

    until = QuietHours(tuple(spans), zone).until(moment)

    is_quiet = any(span.holds(moment.astimezone(zone).time()) for span in spans)
    assert (until is not None) == is_quiet
    assert until is None or until > moment
