"""A tiny model, its tokenizer, an engine that the tests share, and a client of it."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.generation.client import EngineClient
from core.generation.launcher import EngineProcess
from core.generation.request import ModelSpec
from core.generation.tokenizer import Tokenizer
from tests.integration.engine_processes import process_in
from tests.integration.tiny_networks import save_tiny_network


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> ModelSpec:
    return ModelSpec("tiny", str(save_tiny_network("llama", tmp_path_factory.mktemp("tiny"))))


@pytest.fixture(scope="module")
def tiny_tokenizer(tiny_model: ModelSpec) -> Tokenizer:
    return Tokenizer.load(Path(tiny_model.folder))


@pytest.fixture(scope="module")
def engine_process(tmp_path_factory: pytest.TempPathFactory) -> EngineProcess:
    return process_in(tmp_path_factory.mktemp("shared"), BANTER_ENGINE__WAITING_LIMIT="3", BANTER_ENGINE__IDLE_S="2")


@pytest.fixture
async def client(engine_process: EngineProcess, tiny_tokenizer: Tokenizer) -> AsyncIterator[EngineClient]:
    client = EngineClient(engine_process, lambda _: tiny_tokenizer)
    yield client
    await client.aclose()
