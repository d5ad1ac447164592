"""The engine is told by a session's name to keep nothing of it."""

from pathlib import Path

import pytest

from core.generation.client import EngineClient
from core.generation.launcher import EngineProcess
from core.generation.link import forget_in_engine, inspect_engine
from core.generation.request import ModelSpec
from tests.integration.engine_processes import process_in, read, request
from tests.integration.engine_runs import PROMPT, Drive, job
from tests.integration.tiny_networks import save_tiny_network


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> ModelSpec:
    return ModelSpec("gpt2", str(save_tiny_network("gpt2", tmp_path_factory.mktemp("gpt2"))))


def test_a_session_that_was_forgotten_is_read_anew(spec: ModelSpec) -> None:
    drive = Drive()
    for session in ("s", "t"):
        drive.run(job(spec, session=session))

    assert drive.engine.forget({"s"}) == 1

    assert drive.finished(job(spec, session="s")).timings.prefilled_tokens == len(PROMPT)
    assert drive.finished(job(spec, session="t")).timings.prefilled_tokens == 1


def test_a_request_whose_model_is_not_loaded_yet_leaves_nothing(spec: ModelSpec) -> None:
    drive = Drive()
    drive.submit(job(spec, session="s"))

    assert drive.engine.forget(()) == 0
    drive.run()

    assert [model.retained for model in drive.engine.statistics()] == [0]


def test_a_model_that_keeps_nothing_has_nothing_to_forget(tmp_path: Path) -> None:
    drive = Drive()
    drive.run(job(ModelSpec("bloom", str(save_tiny_network("bloom", tmp_path))), session="s"))

    assert drive.engine.forget(()) == 0


async def test_the_engines_process_is_told_over_its_socket(
    client: EngineClient, engine_process: EngineProcess, tiny_model: ModelSpec
) -> None:
    for session in ("s", "t"):
        await read(client.submit(request(tiny_model, session=session)))

    assert await forget_in_engine(engine_process, ["s"]) == 1
    assert await forget_in_engine(engine_process, ["s"]) == 0
    assert await forget_in_engine(engine_process, ()) == 1

    told = await inspect_engine(engine_process)
    assert told is not None
    assert [model.retained for model in told.models] == [0]


async def test_where_no_engine_runs_there_is_nothing_to_forget_and_none_is_started(tmp_path: Path) -> None:
    process = process_in(tmp_path)

    assert await forget_in_engine(process, ["s"]) == 0
    assert await process.connect_if_running() is None
