"""Whoever changes what was said takes the pen away from whoever writes, and nobody else is stopped by that."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from core.desk import Desk, Writing
from core.sending import ReplyInterrupted

Body = Callable[[Writing], Awaitable[None]]


async def written(desk: Desk, body: Body, begun: asyncio.Event) -> str:
    try:
        async with desk.writing() as writing:
            begun.set()
            await body(writing)
    except ReplyInterrupted:
        return "interrupted"
    return "whole"


async def started(desk: Desk, body: Body) -> asyncio.Task[str]:
    begun = asyncio.Event()
    task = asyncio.create_task(written(desk, body, begun))
    await begun.wait()
    return task


async def test_a_reply_stops_where_it_is_asked_whether_it_goes_on() -> None:
    desk, asked = Desk(), asyncio.Event()

    async def stop() -> None:
        asked.set()

    async def body(writing: Writing) -> None:
        writing.generates(stop)
        await asked.wait()
        writing.go_on()

    task = await started(desk, body)
    await desk.interrupt()

    assert await task == "interrupted"


async def test_an_interruption_returns_when_nobody_writes_any_more() -> None:
    desk, ended = Desk(), []

    async def body(writing: Writing) -> None:
        while not writing.is_interrupted:  # noqa: ASYNC110 - as a reply does between two words
            await asyncio.sleep(0)
        ended.append("the send")

    task = await started(desk, body)
    await desk.interrupt()

    assert ended == ["the send"]
    assert await task == "whole"


async def test_a_reply_that_does_not_end_by_itself_is_cut_off() -> None:
    desk = Desk(grace_s=0.01)

    async def body(_writing: Writing) -> None:
        await asyncio.Event().wait()

    task = await started(desk, body)
    await desk.interrupt()

    assert await task == "interrupted"


async def test_a_task_that_is_cancelled_by_somebody_else_stays_cancelled() -> None:
    desk = Desk()

    async def body(_writing: Writing) -> None:
        await asyncio.Event().wait()

    task = await started(desk, body)
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_desk_at_which_nobody_writes_is_not_waited_for() -> None:
    desk = Desk()

    await asyncio.wait_for(desk.interrupt(), 1)


async def test_a_change_is_seen_once() -> None:
    desk = Desk()
    desk.is_stale = True

    assert [desk.was_changed(), desk.was_changed()] == [True, False]
