"""An engine that dies costs a pause and not a reply, proved against one that does what it is told to."""

import asyncio

import pytest

from core.errors import RequestFailed
from core.generation import connector
from core.generation.client import EngineClient
from core.generation.messages import Failed, Load, Loaded, Progress, Score, Scores, Started, Submit
from core.generation.request import SamplingParams
from core.generation.tokenizer import Tokenizer
from tests.integration.engine_processes import first_piece, read
from tests.integration.scripted_engine import DEADLINE_S, ScriptedEngine, token_at
from tests.integration.scripted_requests import MODEL, PAIRS, reading, request

TOKENS = 8
WHOLE = tuple(map(token_at, range(TOKENS)))


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connector, "PAUSE_S", 0.001)


class TestARunningRequest:
    async def test_goes_on_from_what_was_streamed(
        self, bot: EngineClient, scripted: ScriptedEngine, plain_tokenizer: Tokenizer
    ) -> None:
        reply = reading(bot, request(TOKENS, sampling=SamplingParams(max_new_tokens=TOKENS, seed=7)))
        first = await scripted.begin()
        scripted.client.say(first, 0, 3)
        await scripted.die()
        second = await scripted.begin()
        scripted.client.say(second, 3, TOKENS - 3)
        scripted.client.finish(second, TOKENS)
        pieces, completion = await reply

        assert (first.prefix_ids, second.prefix_ids) == ((), WHOLE[:3])
        assert (first.seed, second.seed, completion.seed) == (7, 7, 7)
        assert second.timeout_s <= first.timeout_s
        assert sum((piece.token_ids for piece in pieces), ()) == completion.best.token_ids == WHOLE
        assert "".join(piece.text for piece in pieces) == completion.best.text == plain_tokenizer.decode(WHOLE)

    async def test_runs_alone_after_two_deaths_and_fails_at_the_third(
        self, bot: EngineClient, scripted: ScriptedEngine
    ) -> None:
        reply = reading(bot, request())
        alone = []
        for _ in range(3):
            alone.append((await scripted.begin()).alone)
            await scripted.die()

        with pytest.raises(RequestFailed, match="ended 3 times while it worked on this request"):
            await reply
        assert alone == [False, False, True]

    async def test_restarts_whole_where_candidates_were_drawn(
        self, bot: EngineClient, scripted: ScriptedEngine
    ) -> None:
        reply = reading(bot, request(sampling=SamplingParams(max_new_tokens=TOKENS, candidates=2)))
        first = await scripted.begin()
        await scripted.die()
        second = await scripted.begin()
        scripted.client.finish(second, TOKENS)
        _, completion = await reply

        assert (second.prefix_ids, second.seed) == ((), first.seed)
        assert [candidate.token_ids for candidate in completion.candidates] == [WHOLE, WHOLE]

    async def test_waits_for_room_where_all_come_to_a_new_engine_at_once(
        self, bot: EngineClient, scripted: ScriptedEngine
    ) -> None:
        reply = reading(bot, request())
        await scripted.begin()
        await scripted.die()
        for _ in range(3):
            refused = await scripted.receive(Submit)
            scripted.client.answer(Failed(id=refused.id, error="QueueFull", reason="full", waiting=64))
        job = await scripted.begin()
        scripted.client.say(job, 0, TOKENS)
        scripted.client.finish(job, TOKENS)

        assert (await reply)[1].best.token_ids == WHOLE

    async def test_has_what_nobody_had_read_when_the_engine_died(
        self, bot: EngineClient, scripted: ScriptedEngine
    ) -> None:
        events = bot.submit(request())
        first = asyncio.create_task(first_piece(events))
        job = await scripted.begin()
        scripted.client.say(job, 0, 1)
        await first
        scripted.client.say(job, 1, 4)
        await scripted.client.writer.drain()
        await scripted.die()
        rest = asyncio.create_task(read(events))

        assert (await scripted.begin()).prefix_ids == WHOLE[:5]
        rest.cancel()
        await asyncio.gather(rest, return_exceptions=True)


class TestAWaitingRequest:
    async def test_survives_any_number_of_deaths(self, bot: EngineClient, scripted: ScriptedEngine) -> None:
        reply = reading(bot, request())
        for _ in range(6):
            job = await scripted.receive(Submit)
            scripted.client.answer(Progress(id=job.id, position=1, loading="another"))
            await scripted.die()
        job = await scripted.begin()
        scripted.client.say(job, 0, TOKENS)
        scripted.client.finish(job, TOKENS)

        assert (await reply)[1].best.token_ids == WHOLE
        assert not job.alone

    async def test_ends_at_its_deadline_while_engines_die(
        self, bot: EngineClient, scripted: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connector, "PAUSE_S", 2 * DEADLINE_S)
        reply = reading(bot, request(timeout_s=0.2))
        await scripted.receive(Submit)
        await scripted.die()

        assert (await reply)[1].best.finish_reason == "deadline"


class TestScoresAndLoads:
    async def test_start_again_in_a_new_engine(self, bot: EngineClient, scripted: ScriptedEngine) -> None:
        scoring = asyncio.create_task(bot.score(MODEL, PAIRS))
        for death in range(3):
            job = await scripted.receive(Score)
            assert job.alone == (death == 2)
            if death < 2:
                scripted.client.answer(Started(id=job.id))
                await scripted.die()
        scripted.client.answer(Scores(id=job.id, log_probabilities=(-2.5,)))

        assert await scoring == [-2.5]

    async def test_fail_where_every_engine_dies_of_them(self, bot: EngineClient, scripted: ScriptedEngine) -> None:
        async def prepare() -> None:
            _ = [waiting async for waiting in bot.prepare(MODEL)]

        scoring, loading = asyncio.create_task(bot.score(MODEL, PAIRS)), asyncio.create_task(prepare())
        for _ in range(3):
            scored, loaded = await scripted.receive(Score), await scripted.receive(Load)
            scripted.client.answer(Started(id=scored.id), Progress(id=loaded.id, loading=MODEL.name, fraction=0.5))
            await scripted.die()

        for failing in (scoring, loading):
            with pytest.raises(RequestFailed, match="ended 3 times"):
                await failing

    async def test_a_model_is_loaded_in_a_new_engine(self, bot: EngineClient, scripted: ScriptedEngine) -> None:
        async def prepare() -> list[float]:
            return [waiting.fraction async for waiting in bot.prepare(MODEL)]

        loading = asyncio.create_task(prepare())
        job = await scripted.receive(Load)
        scripted.client.answer(Started(id=job.id))
        await scripted.die()
        job = await scripted.receive(Load)
        scripted.client.answer(Progress(id=job.id, loading=MODEL.name, fraction=1.0))
        await asyncio.sleep(0.05)  # the next answer would replace it
        scripted.client.answer(Loaded(id=job.id))

        assert (await loading)[-1] == 1.0


class TestThePauseBeforeANewEngine:
    def test_grows_while_engines_die_before_they_have_done_anything(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(connector, "PAUSE_S", 0.1)

        assert [connector.pause_s(useless) for useless in range(9)] == [0, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5]

    async def test_is_left_out_where_the_last_one_did_its_work(
        self, bot: EngineClient, scripted: ScriptedEngine, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(connector, "PAUSE_S", 2 * DEADLINE_S)
        for _ in range(3):
            reply = reading(bot, request())
            job = await scripted.begin()
            scripted.client.finish(job, 0)
            await reply
            await scripted.die()
