"""Cancelled in any state, or at the program's end: every request has its last event."""

import asyncio

import pytest

from core.dialogue import FinishReason
from core.errors import GenerationError, RequestFailed
from core.generation.client import EngineClient
from core.generation.messages import (
    Cancel,
    Failed,
    Score,
    Submit,
)
from core.generation.request import SamplingParams
from tests.integration.engine_processes import first_piece, read
from tests.integration.scripted_engine import DEADLINE_S, ScriptedEngine
from tests.integration.scripted_requests import MODEL, PAIRS, ends, reading, request


class TestCancelling:
    async def test_before_there_is_an_engine_ends_the_request_at_once(
        self, bot: EngineClient, scripted: ScriptedEngine
    ) -> None:
        scripted.silent = True
        wanted = request()
        reply = reading(bot, wanted)
        await scripted.came.wait()
        await bot.cancel(wanted.id)

        assert await ends(reply) == ("", FinishReason.CANCELLED)

    async def test_a_waiting_request_is_told_to_the_engine_which_ends_it(
        self, bot: EngineClient, scripted: ScriptedEngine
    ) -> None:
        wanted = request()
        reply = reading(bot, wanted)
        job = await scripted.receive(Submit)
        await bot.cancel(wanted.id)
        assert (await scripted.receive(Cancel)).id == job.id
        scripted.client.finish(job, 0, FinishReason.CANCELLED)

        assert await ends(reply) == ("", FinishReason.CANCELLED)

    async def test_ends_the_request_also_where_the_engine_does_not_listen(
        self, bot: EngineClient, scripted: ScriptedEngine, impatient: None
    ) -> None:
        wanted = request()
        events = bot.submit(wanted)
        first = asyncio.create_task(first_piece(events))
        job = await scripted.begin()
        scripted.client.say(job, 0, 3)
        said = await first
        await bot.cancel(wanted.id)
        pieces, completion = await read(events)

        assert said.text + "".join(piece.text for piece in pieces) == completion.best.text
        assert completion.best.token_ids == (20, 21, 22)
        assert completion.best.finish_reason is FinishReason.CANCELLED
        assert (await scripted.receive(Cancel)).id == job.id

    async def test_between_two_engines_ends_the_request_with_what_was_said(
        self, bot: EngineClient, scripted: ScriptedEngine
    ) -> None:
        wanted = request()
        events = bot.submit(wanted)
        first = asyncio.create_task(first_piece(events))
        job = await scripted.begin()
        scripted.client.say(job, 0, 3)
        said = await first
        await scripted.leave()
        await bot.cancel(wanted.id)

        _, completion = await read(events)
        assert (completion.best.text, completion.best.finish_reason) == (said.text, FinishReason.CANCELLED)

    async def test_several_candidates_gives_as_many_empty_ones(
        self, bot: EngineClient, scripted: ScriptedEngine, impatient: None
    ) -> None:
        wanted = request(sampling=SamplingParams(candidates=3))
        reply = reading(bot, wanted)
        await scripted.begin()
        await bot.cancel(wanted.id)

        _, completion = await reply
        assert [candidate.text for candidate in completion.candidates] == ["", "", ""]


class TestTheEnd:
    async def test_takes_nothing_new_and_waits_for_what_is_open(
        self, bot: EngineClient, scripted: ScriptedEngine
    ) -> None:
        reply = reading(bot, request())
        job = await scripted.begin()
        draining = asyncio.create_task(bot.drain(DEADLINE_S))
        await asyncio.sleep(0)

        with pytest.raises(GenerationError, match="the program is ending"):
            await read(bot.submit(request()))
        assert not draining.done()
        scripted.client.say(job, 0, 8)
        scripted.client.finish(job, 8)
        await draining
        assert (await ends(reply))[1] is FinishReason.LENGTH

    async def test_cancels_what_is_still_open_then_and_each_ends_in_order(
        self, bot: EngineClient, scripted: ScriptedEngine
    ) -> None:
        reply = reading(bot, request())
        scoring = asyncio.create_task(bot.score(MODEL, PAIRS))
        job = await scripted.begin()
        scripted.client.say(job, 0, 2)
        draining = asyncio.create_task(bot.drain(0))
        cancelled = {(await scripted.receive(Cancel)).id for _ in "ab"}
        scripted.client.finish(job, 2, FinishReason.CANCELLED)
        scored = await scripted.receive(Score)
        scripted.client.answer(Failed(id=scored.id, error="RequestFailed", reason="cancelled while it waited"))
        await draining

        assert job.id in cancelled
        assert (await ends(reply))[1] is FinishReason.CANCELLED
        with pytest.raises(RequestFailed):
            await scoring

    async def test_of_a_client_ends_what_is_open_without_the_engine(
        self, bot: EngineClient, scripted: ScriptedEngine
    ) -> None:
        reply = reading(bot, request())
        scoring = asyncio.create_task(bot.score(MODEL, PAIRS))
        await scripted.begin()
        await scripted.receive(Score)
        await bot.aclose()

        assert await ends(reply) == ("", FinishReason.CANCELLED)
        with pytest.raises(GenerationError, match="the program is ending"):
            await scoring
