"""A tiny model and an engine that the tests share; an engine that does what it is told to; a client of each."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.generation import open_request
from core.generation.client import ClientLimits, EngineClient
from core.generation.launcher import EngineProcess
from core.generation.request import ModelSpec
from core.generation.tokenizer import Tokenizer
from tests.integration.engine_processes import PLACES, process_in
from tests.integration.scripted_engine import ScriptedEngine
from tests.integration.tiny_networks import save_tiny_network
from tests.unit.tiny_tokenizers import byte_level


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> ModelSpec:
    return ModelSpec("tiny", str(save_tiny_network("llama", tmp_path_factory.mktemp("tiny"))))


@pytest.fixture(scope="module")
def tiny_tokenizer(tiny_model: ModelSpec) -> Tokenizer:
    return Tokenizer.load(Path(tiny_model.folder))


@pytest.fixture(scope="module")
def engine_process(tmp_path_factory: pytest.TempPathFactory) -> EngineProcess:
    """With few places, so that requests wait."""
    limits = {"BANTER_ENGINE__BATCH": str(PLACES), "BANTER_ENGINE__WAITING_LIMIT": "3", "BANTER_ENGINE__IDLE_S": "2"}
    return process_in(tmp_path_factory.mktemp("shared"), **limits)


@pytest.fixture
async def client(engine_process: EngineProcess, tiny_tokenizer: Tokenizer) -> AsyncIterator[EngineClient]:
    client = EngineClient(engine_process, lambda _: tiny_tokenizer)
    yield client
    await client.aclose()


@pytest.fixture(scope="module")
def plain_tokenizer(tmp_path_factory: pytest.TempPathFactory) -> Tokenizer:
    return Tokenizer.load(byte_level(tmp_path_factory.mktemp("tokenizer")))


@pytest.fixture
async def scripted(tmp_path: Path) -> AsyncIterator[ScriptedEngine]:
    async with ScriptedEngine(tmp_path / "engine" / "engine.sock") as engine:
        yield engine


@pytest.fixture
async def bot(scripted: ScriptedEngine, plain_tokenizer: Tokenizer) -> AsyncIterator[EngineClient]:
    """A client of the scripted engine."""
    client = EngineClient(scripted.process, lambda _: plain_tokenizer, ClientLimits(open_requests=4))
    yield client
    await client.aclose()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that doesn't end a request in order is not waited for."""
    monkeypatch.setattr(open_request, "DEADLINE_GRACE_S", 0.0)
    monkeypatch.setattr(open_request, "CANCEL_GRACE_S", 0.0)
