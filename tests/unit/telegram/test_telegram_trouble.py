"""Each trouble is told once, when it begins and when it is over."""

import logging
from collections.abc import Sequence
from functools import partial

import pytest

from adapters.telegram.line import Contested, TokenRefused
from adapters.telegram.trouble import Pauses, Trouble
from core.errors import PlatformAway, PlatformRefused, SettingsError

AT_ONCE = Pauses(0.0, 0.0, 10.0)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def trouble(clock: Clock, caplog: pytest.LogCaptureFixture) -> Trouble:
    caplog.set_level(logging.INFO, "adapters")
    return Trouble(AT_ONCE, clock)


async def goes(trouble: Trouble, *steps: Exception | None) -> list[bool]:
    """How each of them went: None is one that goes well."""
    return [await trouble.through(partial(_step, step)) for step in steps]


async def _step(error: Exception | None) -> None:
    if error is not None:
        raise error


def told(caplog: pytest.LogCaptureFixture) -> Sequence[str]:
    return [record.getMessage() for record in caplog.records]


async def test_while_all_goes_well_nothing_is_told(trouble: Trouble, caplog: pytest.LogCaptureFixture) -> None:
    assert await goes(trouble, None, None) == [True, True]
    assert told(caplog) == []


async def test_the_same_trouble_is_told_once(trouble: Trouble, caplog: pytest.LogCaptureFixture) -> None:
    away, hung = PlatformAway("it can't be reached (ConnectError)"), PlatformAway("it can't be reached (ReadTimeout)")

    assert await goes(trouble, away, hung, away, None, None) == [False, False, False, True, True]
    assert told(caplog) == [
        "it can't be reached (ConnectError); what is sent to the bot waits there",
        "the bot is listened to again",
    ]


async def test_another_trouble_is_told_too(trouble: Trouble, caplog: pytest.LogCaptureFixture) -> None:
    await goes(trouble, PlatformAway("away"), PlatformRefused("refused"))

    assert told(caplog)[1:] == ["refused"]


async def test_two_processes_that_take_turns_are_told_of_once(
    trouble: Trouble, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(5):
        await goes(trouble, Contested("another one"), None)
        clock.now += 1.0
        await goes(trouble, None)
    assert told(caplog) == ["another process listens to this bot: another one"]

    clock.now += 11.0
    await goes(trouble, None)
    assert told(caplog)[1:] == ["the bot is listened to again"]


async def test_a_token_that_never_was_good_ends_the_start(trouble: Trouble) -> None:
    with pytest.raises(SettingsError, match="BANTER_TELEGRAM_TOKEN"):
        await goes(trouble, PlatformAway("away"), TokenRefused("unknown"))


async def test_a_token_that_was_good_ends_nothing(trouble: Trouble) -> None:
    assert await goes(trouble, None, TokenRefused("unknown"), TokenRefused("unknown")) == [True, False, False]


async def test_what_is_no_trouble_of_telegrams_is_not_kept_quiet(trouble: Trouble) -> None:
    with pytest.raises(ZeroDivisionError):
        await goes(trouble, ZeroDivisionError())
