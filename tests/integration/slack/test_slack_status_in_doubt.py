"""A session that may be processing is not left so."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from core.errors import SendUnclear
from tests.integration.slack.sending import Stage, standing

SET = "agents.sessions.setStatus"


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with standing() as stage:
        yield stage


async def test_a_session_whose_beginning_was_not_answered_ends(stage: Stage) -> None:
    await stage.slack.fault("drop_after", SET)
    with pytest.raises(SendUnclear):
        await stage.sender.show_typing(stage.key, stage.question.ts, "")
    assert (await stage.session()).status == "processing"

    await stage.sender.end_typing(stage.key, stage.question.ts)

    assert (await stage.session()).status == "active"


async def test_a_session_whose_beginning_was_not_waited_for_ends(stage: Stage) -> None:
    """A quick reply is there while its work is still being shown."""
    await stage.slack.fault("delay_after", SET, seconds=0.5)
    showing = asyncio.create_task(stage.sender.show_typing(stage.key, stage.question.ts, ""))
    await stage.slack.called(SET)
    showing.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await showing

    await stage.sender.end_typing(stage.key, stage.question.ts)

    assert (await stage.session()).status == "active"


@pytest.mark.parametrize("more", [{"status": 429, "retry_after_s": 1}, {"status": 200, "error": "channel_not_found"}])
async def test_a_session_that_was_not_begun_is_not_ended(stage: Stage, more: dict[str, str | float]) -> None:
    await stage.slack.fault("answer", SET, **more)
    with contextlib.suppress(Exception):
        await stage.sender.show_typing(stage.key, stage.question.ts, "")

    await stage.sender.end_typing(stage.key, stage.question.ts)

    assert await stage.calls(SET) == 1
