"""Weights really loaded: tiny random models, whole and damaged."""

import os
from pathlib import Path

import pytest
import torch
import transformers

from core.errors import ModelBroken, ModelTooLarge
from core.generation import weights
from core.generation.request import ModelSpec
from tests.integration.tiny_models import logits, tiny_gpt2, write_gpt2_vocabulary

CPU = torch.device("cpu")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_gpt2_vocabulary(tmp_path / "model")
    tiny_gpt2().save_pretrained(tmp_path / "model", max_shard_size="200KB")
    return tmp_path / "model"


def test_a_model_in_shards_is_loaded_whole(folder: Path) -> None:
    assert len(list(folder.glob("*.safetensors"))) > 1
    assert torch.equal(logits(weights.load(ModelSpec("m", str(folder)), CPU)), logits(tiny_gpt2()))


def test_a_smaller_dtype_is_loaded_as_asked(folder: Path) -> None:
    assert weights.load(ModelSpec("m", str(folder), "bfloat16"), CPU).dtype is torch.bfloat16


def test_a_model_too_large_is_refused_before_it_is_read(folder: Path) -> None:
    with pytest.raises(ModelTooLarge, match=r"m needs 0\.0 GB as float32"):
        weights.load(ModelSpec("m", str(folder)), CPU, memory_limit_bytes=1_000_000)


def test_weights_of_another_model_are_told(folder: Path) -> None:
    config = (folder / "config.json").read_text()
    (folder / "config.json").write_text(config.replace('"n_layer": 2', '"n_layer": 3'))

    with pytest.raises(ModelBroken, match=r"don't belong to its config\.json: 12 are missing"):
        weights.load(ModelSpec("m", str(folder)), CPU)


def test_a_configuration_that_does_not_fit_is_one_line(folder: Path) -> None:
    config = (folder / "config.json").read_text()
    (folder / "config.json").write_text(config.replace('"n_embd": 128', '"n_embd": 64'))

    with pytest.raises(ModelBroken, match="can't be loaded") as error:
        weights.load(ModelSpec("m", str(folder)), CPU)
    assert "\n" not in str(error.value)


def test_an_old_format_with_code_in_it_is_refused_and_never_run(repository: Path, tmp_path: Path) -> None:
    class Code:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return os.mkdir, (str(tmp_path / "pwned"),)

    torch.save({"transformer.wte.weight": Code()}, repository / "pytorch_model.bin")

    with pytest.raises(ModelBroken, match="can't be loaded"):
        weights.load(ModelSpec("m", str(repository)), CPU)
    assert not (tmp_path / "pwned").exists()


def test_a_ranker_is_loaded_with_its_scoring_head(tmp_path: Path) -> None:
    config = transformers.GPT2Config.from_dict(
        {"vocab_size": 259, "n_embd": 64, "n_layer": 1, "n_head": 1, "num_labels": 1}
    )
    write_gpt2_vocabulary(tmp_path)
    transformers.GPT2ForSequenceClassification(config).save_pretrained(tmp_path)

    assert isinstance(weights.load(ModelSpec("m", str(tmp_path)), CPU), transformers.GPT2ForSequenceClassification)
