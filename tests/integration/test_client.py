"""The bots' side of the engine, proved against an engine that does what it is told to: a request's way."""

import asyncio
from dataclasses import replace

import pytest

from core.dialogue import FinishReason
from core.errors import DeadlineExceeded, EngineUnavailable, QueueFull, RequestFailed
from core.generation.client import EngineClient
from core.generation.exchange import HOLD_AT_TOKENS
from core.generation.messages import (
    LINE_LIMIT_BYTES,
    PROTOCOL,
    Cancel,
    Failed,
    Hold,
    Inspect,
    Progress,
    Resume,
    Submit,
)
from core.generation.request import Owner, Prompt, Waiting
from tests.integration.engine_processes import first_piece, read
from tests.integration.scripted_engine import ScriptedEngine, statistics
from tests.integration.scripted_requests import MODEL, PAIRS, ends, reading, request


class TestARequest:
    async def test_is_asked_for_with_all_that_the_engine_needs(
        self, bot: EngineClient, scripted: ScriptedEngine
    ) -> None:
        wanted = request(prompt=Prompt((5, 6, 7), persona_tokens=2), session="s", priority=3, timeout_s=60.0)
        owned = replace(wanted, owner=Owner("slack", "T1", "U1"), prefix_ids=(9,))
        reply = reading(bot, owned)
        job = await scripted.begin()
        scripted.client.finish(job, 0)
        await reply

        assert (job.prompt_ids, job.prefix_ids, job.persona_tokens) == ((5, 6, 7), (9,), 2)
        assert (job.owner, job.session, job.priority, job.alone) == (Owner("slack", "T1", "U1"), "s", 3, False)
        assert 55 < job.timeout_s <= 60

    async def test_learns_its_position_and_how_long_it_will_wait(
        self, bot: EngineClient, scripted: ScriptedEngine
    ) -> None:
        events = bot.submit(request())
        waiting = asyncio.create_task(anext(events))
        job = await scripted.receive(Submit)
        scripted.client.answer(Progress(id=job.id, position=3, expected_wait_s=12.5))

        assert await waiting == Waiting(position=3, expected_wait_s=12.5)
        await events.aclose()

    async def test_that_is_refused_says_how_many_wait_and_how_long(
        self, bot: EngineClient, scripted: ScriptedEngine
    ) -> None:
        reply = reading(bot, request())
        job = await scripted.receive(Submit)
        scripted.client.answer(Failed(id=job.id, error="QueueFull", reason="full", waiting=64, expected_wait_s=31.0))

        with pytest.raises(QueueFull, match="full") as refused:
            await reply
        assert (refused.value.waiting, refused.value.expected_wait_s) == (64, 31.0)

    async def test_over_the_limit_is_refused_at_once(self, bot: EngineClient, scripted: ScriptedEngine) -> None:
        replies = [reading(bot, request()) for _ in range(4)]
        jobs = [await scripted.begin() for _ in range(4)]

        with pytest.raises(QueueFull, match="4 requests are open") as refused:
            await bot.score(MODEL, PAIRS)
        assert refused.value.waiting == 4

        for job in jobs:
            scripted.client.finish(job, 0)
        await asyncio.gather(*replies)
        again = reading(bot, request())
        job = await scripted.begin()
        scripted.client.finish(job, 0)
        await again

    async def test_that_is_too_long_for_the_socket_fails_alone(
        self, bot: EngineClient, scripted: ScriptedEngine
    ) -> None:
        other = reading(bot, request())
        job = await scripted.begin()

        with pytest.raises(RequestFailed, match="bytes"):
            await read(bot.submit(request(prompt=Prompt((123_456,) * (LINE_LIMIT_BYTES // 7)))))
        scripted.client.finish(job, 0)
        await other

    async def test_whose_reader_leaves_is_called_off(self, bot: EngineClient, scripted: ScriptedEngine) -> None:
        events = bot.submit(request())
        leaving = asyncio.create_task(first_piece(events))
        job = await scripted.begin()
        scripted.client.say(job, 0, 1)
        await leaving
        await events.aclose()

        assert (await scripted.receive(Cancel)).id == job.id


class TestADeadline:
    async def test_ends_a_request_that_the_engine_does_not_end(
        self, bot: EngineClient, scripted: ScriptedEngine, impatient: None
    ) -> None:
        assert await ends(reading(bot, request(timeout_s=0.05))) == ("", FinishReason.DEADLINE)

    async def test_is_an_error_where_there_is_no_completion(
        self, bot: EngineClient, scripted: ScriptedEngine, impatient: None
    ) -> None:
        with pytest.raises(DeadlineExceeded, match="in time"):
            await bot.score(MODEL, PAIRS, timeout_s=0.05)


class TestASlowReader:
    async def test_has_the_engine_hold_its_request_until_it_has_caught_up(
        self, bot: EngineClient, scripted: ScriptedEngine
    ) -> None:
        events = bot.submit(request(HOLD_AT_TOKENS * 3))
        first = asyncio.create_task(first_piece(events))
        job = await scripted.begin()
        scripted.client.say(job, 0, 1)
        await first
        for place in range(1, HOLD_AT_TOKENS * 2):
            scripted.client.say(job, place, 1)

        assert (await scripted.receive(Hold)).id == job.id
        assert not scripted.has_received(Resume)
        rest = asyncio.create_task(read(events))
        assert (await scripted.receive(Resume)).id == job.id
        assert not scripted.has_received(Hold)
        scripted.client.finish(job, HOLD_AT_TOKENS * 2)
        pieces, completion = await rest

        assert len(completion.best.token_ids) == HOLD_AT_TOKENS * 2
        assert len(pieces) < HOLD_AT_TOKENS

    async def test_stops_nobody_else(self, bot: EngineClient, scripted: ScriptedEngine) -> None:
        slow = bot.submit(request(100_000))
        first = asyncio.create_task(first_piece(slow))
        held = await scripted.begin()
        scripted.client.say(held, 0, 1)
        await first
        scripted.client.say(held, 1, 50_000)
        other = reading(bot, request())
        job = await scripted.begin()
        scripted.client.say(job, 0, 8)
        scripted.client.finish(job, 8)

        assert (await ends(other))[1] is FinishReason.LENGTH
        await slow.aclose()


class TestAnEngineThatDoesNotRead:
    async def test_is_not_flooded_and_its_requests_still_end(
        self, bot: EngineClient, scripted: ScriptedEngine, impatient: None
    ) -> None:
        first = reading(bot, request())
        job = await scripted.begin()
        scripted.client.finish(job, 0)
        await first
        scripted.stop_reading()
        megabytes = request(prompt=Prompt((123_456,) * 1_000_000), timeout_s=0.5)
        replies = [reading(bot, replace(megabytes, id=name)) for name in "abc"]
        outcomes = await asyncio.gather(*map(ends, replies))

        assert set(outcomes) == {("", FinishReason.DEADLINE)}
        link = await bot._connector.link()
        assert 0 < link._writer.transport.get_write_buffer_size() < 8_000_000


class TestInspection:
    async def test_tells_how_the_engine_is(self, bot: EngineClient, scripted: ScriptedEngine) -> None:
        asked = asyncio.create_task(bot.inspect())
        inspect = await scripted.receive(Inspect)
        scripted.client.answer(statistics(inspect.id))

        assert await asked == statistics(inspect.id)

    async def test_starts_no_engine(self, bot: EngineClient, scripted: ScriptedEngine) -> None:
        await scripted.leave()

        assert await bot.inspect() is None


async def test_an_engine_of_another_version_is_told_from_one_that_ends(
    bot: EngineClient, scripted: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.integration.scripted_engine.PROTOCOL", PROTOCOL + 1)

    with pytest.raises(EngineUnavailable, match="no engine of this version"):
        await read(bot.submit(request()))
