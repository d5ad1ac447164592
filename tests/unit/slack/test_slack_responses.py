"""What people are shown after an ack is bounded, and ends."""

import asyncio

import pytest

from adapters.slack.responses import Responses
from core.errors import PlatformAway


async def test_there_is_no_more_room_than_there_is() -> None:
    responses, opened = Responses(most=2), asyncio.Event()

    async def respond() -> None:
        await opened.wait()

    responses.begin(respond())
    rooms = [responses.has_room]
    responses.begin(respond())
    rooms.append(responses.has_room)
    opened.set()
    await responses.aclose()
    await asyncio.sleep(0)

    assert [*rooms, responses.has_room] == [True, False, True]


async def test_one_that_takes_too_long_is_ended() -> None:
    responses, ended = Responses(timeout_s=0.01), asyncio.Event()

    async def respond() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    responses.begin(respond())
    await responses.aclose()
    assert ended.is_set()


async def test_the_end_waits_a_little_while_and_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("adapters.slack.responses._LAST_S", 0.01)
    responses, ended = Responses(), asyncio.Event()

    async def respond() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    responses.begin(respond())
    await asyncio.sleep(0)
    await responses.aclose()
    assert ended.is_set()


@pytest.mark.parametrize(
    "error", [PlatformAway("Slack can't be reached"), ValueError("a person's words"), KeyError("x")]
)
async def test_one_that_fails_harms_nobody_and_repeats_nothing(
    error: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", "adapters")
    responses = Responses()

    async def respond() -> None:
        raise error

    responses.begin(respond())
    await responses.aclose()

    [record] = caplog.records
    assert record.getMessage().startswith("somebody was shown nothing: ")
    assert "person" not in record.getMessage()
