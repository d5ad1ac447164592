"""Replies of the `openai` backend that somebody or the clock ends: the server is left, what was said stays."""

import asyncio
from dataclasses import replace

import pytest

from core.dialogue import FinishReason
from core.errors import (
    QueueFull,
)
from core.generation.request import (
    SamplingParams,
)
from tests.integration.local_openai import (
    CHAT,
    Answer,
    Fault,
    LocalOpenAI,
    chunk,
    failure,
)
from tests.integration.openai_fixtures import Connect, happens, read, request, until_piece


class TestCancelling:
    async def test_a_running_reply_keeps_its_words_and_leaves_the_server(
        self, local_openai: LocalOpenAI, connect: Connect
    ) -> None:
        local_openai.answers = [Answer([chunk(CHAT, "I am"), Fault.SILENCE])]
        backend, wanted = connect(), request()
        stream = backend.submit(wanted)
        await until_piece(stream)

        await backend.cancel(wanted.id)
        pieces, completion = await read(stream)
        await happens(local_openai.left)

        assert (pieces, completion.best.text) == ([], "I am")
        assert completion.best.finish_reason is FinishReason.CANCELLED

    async def test_a_request_that_the_server_has_not_answered(
        self, local_openai: LocalOpenAI, connect: Connect
    ) -> None:
        local_openai.answers = [Answer([Fault.SILENCE])]
        backend, wanted = connect(), request()
        reading = asyncio.create_task(read(backend.submit(wanted)))
        await happens(local_openai.came)

        await backend.cancel(wanted.id)
        _, completion = await reading
        await happens(local_openai.left)

        assert completion.best == replace(completion.best, text="", finish_reason=FinishReason.CANCELLED)

    async def test_a_request_that_waits_for_its_place(self, local_openai: LocalOpenAI, connect: Connect) -> None:
        local_openai.answers = [Answer([chunk(CHAT, "one"), Fault.SILENCE])]
        backend, wanted = connect(parallel_requests=1), request()
        running, waiting = backend.submit(request()), backend.submit(wanted)
        await until_piece(running)
        await anext(waiting)

        await backend.cancel(wanted.id)
        _, completion = await read(waiting)
        await running.aclose()

        assert completion.best.finish_reason is FinishReason.CANCELLED
        assert len(local_openai.asked) == 1

    async def test_a_request_that_waits_to_be_tried_again(self, local_openai: LocalOpenAI, connect: Connect) -> None:
        local_openai.answers = [failure(429, "slow down", Retry_After="15")]
        backend, wanted = connect(), request()
        reading = asyncio.create_task(read(backend.submit(wanted)))
        await happens(local_openai.came)

        await backend.cancel(wanted.id)

        assert (await reading)[1].best.finish_reason is FinishReason.CANCELLED

    async def test_several_candidates(self, local_openai: LocalOpenAI, connect: Connect) -> None:
        local_openai.answers = [Answer([chunk(CHAT, "I am"), Fault.SILENCE])] * 2
        backend, wanted = connect(), request(SamplingParams(candidates=2))
        reading = asyncio.create_task(read(backend.submit(wanted)))
        await happens(local_openai.came)
        await happens(local_openai.came)

        await backend.cancel(wanted.id)
        _, completion = await reading
        await happens(local_openai.left)
        await happens(local_openai.left)

        assert {candidate.finish_reason for candidate in completion.candidates} == {FinishReason.CANCELLED}

    async def test_an_unknown_request_does_nothing(self, connect: Connect) -> None:
        await connect().cancel("nobody")

    async def test_closing_the_stream_leaves_the_server(self, local_openai: LocalOpenAI, connect: Connect) -> None:
        local_openai.answers = [Answer([chunk(CHAT, "I am"), Fault.SILENCE])]
        stream = connect().submit(request())
        await until_piece(stream)

        await stream.aclose()

        await happens(local_openai.left)

    async def test_ending_the_readers_task_leaves_the_server(self, local_openai: LocalOpenAI, connect: Connect) -> None:
        local_openai.answers = [Answer([chunk(CHAT, "I am"), Fault.SILENCE])]
        reading = asyncio.create_task(read(connect().submit(request())))
        await happens(local_openai.came)

        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)

        await happens(local_openai.left)

    async def test_closing_the_backend_ends_its_requests(self, local_openai: LocalOpenAI, connect: Connect) -> None:
        local_openai.answers = [Answer([Fault.SILENCE])]
        backend = connect()
        reading = asyncio.create_task(read(backend.submit(request())))
        await happens(local_openai.came)

        await backend.aclose()

        assert (await reading)[1].best.finish_reason is FinishReason.CANCELLED


class TestTheDeadline:
    async def test_ends_a_reply_with_what_was_said(self, local_openai: LocalOpenAI, connect: Connect) -> None:
        local_openai.answers = [Answer([chunk(CHAT, "I am"), Fault.SILENCE])]

        pieces, completion = await read(connect().submit(request(timeout_s=0.5)))
        await happens(local_openai.left)

        assert (pieces, completion.best.text) == (["I am"], "I am")
        assert completion.best.finish_reason is FinishReason.DEADLINE

    async def test_that_is_over_asks_nobody(self, local_openai: LocalOpenAI, connect: Connect) -> None:
        _, completion = await read(connect().submit(request(timeout_s=0)))

        assert completion.best.finish_reason is FinishReason.DEADLINE
        assert local_openai.asked == []

    async def test_is_not_slept_through(self, local_openai: LocalOpenAI, connect: Connect) -> None:
        local_openai.answers = [failure(429, "slow down", Retry_After="3600")]

        with pytest.raises(QueueFull, match="is busy"):
            await read(connect().submit(request()))
