"""Fixtures: the real default model, converted once per machine, a local hub, and a tiny DialoGPT in its two dresses."""

import os
from collections.abc import Iterator
from pathlib import Path

import platformdirs
import pytest
import torch

from core.generation.catalogue import DEFAULT_MODEL
from core.generation.models import Models, ResolvedModel
from tests.integration.local_hub import LocalHub, running_hub
from tests.integration.tiny_models import original_state, tiny_gpt2, write_gpt2_vocabulary


@pytest.fixture(scope="session")
def model_cache() -> Path:
    """The cache that survives the test run: MODEL_CACHE_FOR_TESTS, else the user's own."""
    return Path(os.environ.get("MODEL_CACHE_FOR_TESTS") or platformdirs.user_cache_dir("banter"))


@pytest.fixture(scope="session")
def default_model(model_cache: Path) -> ResolvedModel:
    """Real weights; the first run on a machine downloads and converts them (half a minute)."""
    return Models(model_cache).pull(DEFAULT_MODEL)


@pytest.fixture
def local_hub() -> Iterator[LocalHub]:
    with running_hub() as hub:
        yield hub


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A whole `.pkl` with its vocabulary beside it."""
    write_gpt2_vocabulary(tmp_path / "dialogpt")
    torch.save(original_state(tiny_gpt2()), tmp_path / "dialogpt" / "small_ft.pkl")
    return tmp_path / "dialogpt" / "small_ft.pkl"


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """What the hub has of a DialoGPT: no tokenizer.json, and weights in the old format."""
    folder = tmp_path / "repository"
    write_gpt2_vocabulary(folder)
    model = tiny_gpt2()
    model.config.save_pretrained(folder)
    torch.save(model.state_dict(), folder / "pytorch_model.bin")
    (folder / "README.md").write_text("not needed")
    return folder
