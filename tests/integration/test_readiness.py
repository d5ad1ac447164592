"""Who writes the replies, looked at: an engine that has to load its model, and a server."""

import asyncio

import pytest

from bots.readiness import EngineWriter, ServerWriter, WriterState
from core.errors import EngineUnavailable
from core.generation.client import EngineClient
from core.generation.messages import Inspect, Load, Loaded, ModelStatistics, Statistics
from core.generation.request import ModelSpec
from tests.integration.local_openai import LocalOpenAI
from tests.integration.openai_fixtures import NOWHERE, Connect
from tests.integration.scripted_engine import ScriptedEngine


async def test_an_engine_without_a_model_loads_it_and_is_ready_then(
    scripted: ScriptedEngine, bot: EngineClient
) -> None:
    writer = EngineWriter(bot, lambda: ModelSpec("tiny", "/models/tiny"))
    looking = asyncio.create_task(writer.look())
    inspect = await scripted.receive(Inspect)
    scripted.client.answer(statistics(inspect.id))
    assert not (await looking).ready

    load = await scripted.receive(Load)
    assert load.model.name == "tiny"
    loading = scripted.client
    loading.answer(Loaded(id=load.id))
    looking = asyncio.create_task(writer.look())
    inspect = await scripted.receive(Inspect)
    scripted.client.answer(statistics(inspect.id, "tiny"))

    assert await looking == WriterState(ready=True, waiting=4, running=2)
    await writer.aclose()


async def test_no_engine_is_not_ready(scripted: ScriptedEngine, bot: EngineClient) -> None:
    await scripted.leave()
    writer = EngineWriter(bot, lambda: ModelSpec("tiny", "/models/tiny"))

    assert not (await writer.look()).ready

    await writer.aclose()


async def test_a_server_that_answers_is_ready(local_openai: LocalOpenAI, connect: Connect) -> None:
    assert (await ServerWriter(connect()).look()).ready


async def test_a_server_that_is_not_there_is_not(connect: Connect) -> None:
    with pytest.raises(EngineUnavailable):
        await ServerWriter(connect(base_url=NOWHERE)).look()


def statistics(of: str, *models: str) -> Statistics:
    loaded = [
        ModelStatistics(
            name=name,
            way="batched",
            slots=1,
            running=0,
            retained=0,
            weights_bytes=1,
            slots_bytes=1,
            prefilled_tokens=0,
            reused_tokens=0,
            drawn_tokens=0,
        )
        for name in models
    ]
    return Statistics(id=of, device="cpu", waiting=4, running=2, expected_wait_s=0.0, models=tuple(loaded))
