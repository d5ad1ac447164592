"""A day's quotas, as numbers."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from core.quotas import REFUSALS, Amount, Exceeded, Quotas, Scope, Unit, exceeded, hours_and_minutes

PERSON, CHANNEL, WORKSPACE = Scope.PERSON, Scope.CHANNEL, Scope.WORKSPACE


def test_a_quota_is_used_up_when_it_leaves_nothing() -> None:
    limits = {PERSON: Amount(messages=3, tokens=100, gpu_s=1.5)}

    assert exceeded(limits, {PERSON: Amount(2, 99, 1.4)}) is None
    assert exceeded(limits, {PERSON: Amount(3, 0, 0.0)}) == Exceeded(PERSON, Unit.MESSAGES, 3)
    assert exceeded(limits, {PERSON: Amount(0, 100, 0.0)}) == Exceeded(PERSON, Unit.TOKENS, 100)
    assert exceeded(limits, {PERSON: Amount(0, 0, 2.0)}) == Exceeded(PERSON, Unit.GPU_SECONDS, 1.5)


def test_nothing_is_no_limit() -> None:
    assert exceeded({PERSON: Amount(messages=1)}, {PERSON: Amount(0, 10**9, 1e9)}) is None
    assert Quotas().limits == {}


def test_each_scope_has_its_own() -> None:
    quotas = Quotas(person=Amount(messages=5), workspace=Amount(tokens=1000))

    assert set(quotas.limits) == {PERSON, WORKSPACE}
    assert exceeded(quotas.limits, {PERSON: Amount(4), CHANNEL: Amount(99), WORKSPACE: Amount(99, 999)}) is None
    assert exceeded(quotas.limits, {PERSON: Amount(4), WORKSPACE: Amount(0, 1000)}) == Exceeded(
        WORKSPACE, Unit.TOKENS, 1000
    )


def test_a_day_begins_at_the_zones_midnight() -> None:
    moment = datetime(2026, 3, 2, 23, 30, tzinfo=UTC)

    utc, tokyo = Quotas().day(moment), Quotas(zone=ZoneInfo("Asia/Tokyo")).day(moment)

    assert (utc.start, utc.end) == (datetime(2026, 3, 2, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC))
    assert (tokyo.start, tokyo.end) == (datetime(2026, 3, 2, 15, tzinfo=UTC), datetime(2026, 3, 3, 15, tzinfo=UTC))


def test_the_day_on_which_clocks_are_changed_has_its_own_length() -> None:
    spring = Quotas(zone=ZoneInfo("Europe/Berlin")).day(datetime(2026, 3, 29, 12, tzinfo=UTC))

    assert spring.end - spring.start == timedelta(hours=23)


@pytest.mark.parametrize(
    ("left", "told"),
    [
        (timedelta(hours=5, minutes=12), (5, 12)),
        (timedelta(hours=5, minutes=11, seconds=1), (5, 12)),
        (timedelta(seconds=1), (0, 1)),
        (timedelta(0), (0, 1)),
        (timedelta(seconds=-5), (0, 1)),
    ],
)
def test_what_is_left_is_told_in_whole_minutes(left: timedelta, told: tuple[int, int]) -> None:
    assert hours_and_minutes(left) == told


def test_every_refusal_says_whose_quota_it_was_and_when_it_ends() -> None:
    assert set(REFUSALS) == {(scope, unit) for scope in Scope for unit in Unit}
    for (scope, _), sentence in REFUSALS.items():
        said = sentence.format(limit=7, hours=1, minutes=2)
        assert "7 " in said
        assert said.endswith("in 1 h 2 min.")
        assert said.startswith({PERSON: "You ", CHANNEL: "This channel ", WORKSPACE: "This workspace "}[scope])
