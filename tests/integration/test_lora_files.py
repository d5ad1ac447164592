"""LoRA adapters on disk, as PEFT saves them: which are read, and which are refused without harm to others."""

import json
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from core.generation import loaded_adapters, loaded_models
from core.generation.engine import Engine
from core.generation.loaded_models import EngineLimits
from core.generation.lora import ALL_TOKENS, Adapters, LowRank
from core.generation.messages import Failed, Load, Scores
from core.generation.request import ScorePair
from tests.integration.adapted_models import (
    OTHER_PROMPT,
    PROMPT,
    Tiny,
    expected,
    finished,
    job,
    run,
    score,
    texts,
    tiny,
)
from tests.integration.tiny_adapters import adapted, log_probability, save_adapter
from tests.integration.tiny_networks import save_tiny_network

# PEFT's: it asks transformers by an old name, and has words about embeddings.
pytestmark = [
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning"),
    pytest.mark.filterwarnings("ignore:Setting `save_embedding_layers`:UserWarning"),
    pytest.mark.filterwarnings("ignore:Model has `tie_word_embeddings=True`:UserWarning"),
]


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    return tiny("gpt2", tmp_path_factory.mktemp("gpt2"))


@pytest.fixture
def engine() -> Engine:
    return Engine(EngineLimits(device="cpu", context_window=128))


def changed(adapter: Path, folder: Path, **config: object) -> Path:
    """A copy with other words in its configuration."""
    shutil.copytree(adapter, folder)
    file = folder / "adapter_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | config))
    return folder


def without(adapter: Path, folder: Path, keys: Iterable[str]) -> Path:
    """A copy that lacks some weights."""
    shutil.copytree(adapter, folder)
    kept = load_file(folder / "adapter_model.safetensors")
    for key in keys:
        del kept[key]
    save_file(kept, folder / "adapter_model.safetensors")
    return folder


@pytest.mark.parametrize(
    "options",
    [
        {"target_modules": r".*\.0\.attn\.c_attn"},
        {"target_modules": ["c_proj"], "layers_to_transform": 1},
        {"target_modules": ["c_attn", "c_proj"], "layers_to_transform": [0], "layers_pattern": "h"},
        {"target_modules": "all-linear", "exclude_modules": ["c_fc"]},
        {"target_modules": ["c_attn", "mlp.c_proj"], "rank_pattern": {"c_attn": 2}, "alpha_pattern": {"h.1.attn.*": 3}},
        {"target_modules": ["transformer.h.1.mlp.c_fc"], "use_rslora": True, "lora_dropout": 0.5},
    ],
)
def test_what_peft_adapts_is_adapted(engine: Engine, gpt2: Tiny, tmp_path: Path, options: dict[str, Any]) -> None:
    adapter = save_adapter(gpt2.base, tmp_path / "adapter", seed=3, **options)

    answers = run(engine, score("score", gpt2.spec(adapter), ScorePair(PROMPT, OTHER_PROMPT)))

    scores = answers["score"]
    assert isinstance(scores, Scores), scores
    told = log_probability(adapted(gpt2.base, adapter), PROMPT, OTHER_PROMPT)
    assert scores.log_probabilities[0] == pytest.approx(told, abs=1e-2)
    assert abs(told - log_probability(adapted(gpt2.base, None), PROMPT, OTHER_PROMPT)) > 0.1


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"use_dora": True}, "uses `use_dora`; only plain LoRA"),
        ({"bias": "lora_only"}, "uses `bias`; only plain LoRA"),
        ({"modules_to_save": ["ln_f"]}, "uses `modules_to_save`; only plain LoRA"),
        ({"target_modules": ["lm_head"], "fan_in_fan_out": False}, "lm_head.base_layer.weight, which is no plain LoRA"),
        ({"target_modules": ["wpe"]}, "wpe.lora_embedding_A, which is no plain LoRA"),
        ({"trainable_token_indices": [1]}, "uses `trainable_token_indices`; only plain LoRA"),
    ],
)
def test_what_is_not_supported_is_named_and_the_others_are_unharmed(
    engine: Engine, gpt2: Tiny, tmp_path: Path, options: dict[str, Any], told: str
) -> None:
    adapter = save_adapter(gpt2.base, tmp_path / "adapter", seed=3, **options)

    answers = run(engine, job("good", gpt2.spec(gpt2.first)), job("bad", gpt2.spec(adapter)), job("plain", gpt2.spec()))

    refused = answers.pop("bad")
    assert isinstance(refused, Failed)
    assert told in refused.reason
    assert texts(answers) == {"good": expected(gpt2, gpt2.first), "plain": expected(gpt2, None)}


def test_broken_files_are_refused(engine: Engine, gpt2: Tiny, tmp_path: Path) -> None:
    key = "base_model.model.transformer.h.0.attn.c_attn.lora_{}.weight"
    whole = (gpt2.first / "adapter_model.safetensors").read_bytes()
    cut, unread, pickled, infinite = (changed(gpt2.first, tmp_path / str(number)) for number in range(4))
    (cut / "adapter_model.safetensors").write_bytes(whole[:-100])
    (unread / "adapter_config.json").write_text("{")
    (pickled / "adapter_model.safetensors").rename(pickled / "adapter_model.bin")
    tensors = load_file(infinite / "adapter_model.safetensors")
    tensors[key.format("B")][0, 0] = torch.inf
    save_file(tensors, infinite / "adapter_model.safetensors")
    broken = {
        cut: ("ModelBroken", "is damaged"),
        unread: ("ModelBroken", "can't be read as JSON"),
        pickled: ("ModelBroken", "holds no adapter_model.safetensors"),
        infinite: ("ModelBroken", "that is no number"),
        tmp_path / "nowhere": ("ModelNotFound", "there is no adapter folder"),
        without(gpt2.first, tmp_path / "half", [key.format("B")]): ("ModelBroken", "lora_B of transformer.h.0"),
        without(gpt2.first, tmp_path / "part", map(key.format, "AB")): ("ModelBroken", "lacks weights for transf"),
        changed(gpt2.first, tmp_path / "rank", r=5): ("ModelBroken", "is (4, 48), and this model and the rank"),
        changed(gpt2.first, tmp_path / "more", target_modules=["c_fc"]): ("ModelBroken", "holds weights for transf"),
    }

    answers = run(engine, *(job(str(folder), gpt2.spec(folder)) for folder in broken), job("plain", gpt2.spec()))

    assert finished(answers["plain"]).hypotheses[0].token_ids == expected(gpt2, None)
    for folder, (error, told) in broken.items():
        answer = answers[str(folder)]
        assert isinstance(answer, Failed)
        assert answer.error == error
        assert told in answer.reason, answer.reason
        assert "\n" not in answer.reason


def test_the_output_layer_is_not_adapted(engine: Engine, gpt2: Tiny, tmp_path: Path) -> None:
    options = {"target_modules": ["lm_head"], "fan_in_fan_out": False}
    adapter = save_adapter(gpt2.base, tmp_path / "adapter", seed=3, **options)
    bare = without(adapter, tmp_path / "bare", ["base_model.model.lm_head.base_layer.weight"])

    refused = run(engine, job("job", gpt2.spec(bare)))["job"]

    assert isinstance(refused, Failed)
    assert "adapts lm_head, which is no inner linear layer" in refused.reason


def test_an_adapter_of_another_model_is_refused(engine: Engine, gpt2: Tiny, tmp_path: Path) -> None:
    other = save_tiny_network("llama", tmp_path / "llama")
    adapter = save_adapter(other, tmp_path / "adapter", seed=1)

    refused = run(engine, job("job", gpt2.spec(adapter)))["job"]

    assert isinstance(refused, Failed)
    assert "it belongs to another one" in refused.reason


def test_an_adapter_without_room_is_refused_and_its_model_stays(gpt2: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Engine(EngineLimits(device="cpu", context_window=128))
    run(engine, Load(id="plain", model=gpt2.spec()))
    monkeypatch.setattr(loaded_models.LoadedModels, "_left", lambda _self: 100)

    refused = run(engine, Load(id="adapted", model=gpt2.spec(gpt2.first)))["adapted"]

    assert isinstance(refused, Failed)
    assert refused.error == "ModelTooLarge"
    assert texts(run(engine, job("plain", gpt2.spec())))["plain"] == expected(gpt2, None)


class TestUnloading:
    @pytest.fixture(autouse=True)
    def room_for_one(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(loaded_adapters, "MOST_ADAPTERS", 1)

    def test_the_idle_one_makes_room(self, engine: Engine, gpt2: Tiny) -> None:
        for adapter in (gpt2.first, gpt2.second, gpt2.first):
            assert texts(run(engine, job("job", gpt2.spec(adapter))))["job"] == expected(gpt2, adapter)

    def test_a_busy_one_is_waited_for(self, engine: Engine, gpt2: Tiny) -> None:
        jobs = [job(str(number), gpt2.spec(a)) for number, a in enumerate((gpt2.first, gpt2.second, gpt2.first))]

        assert texts(run(engine, *jobs)) == {
            "0": expected(gpt2, gpt2.first),
            "1": expected(gpt2, gpt2.second),
            "2": expected(gpt2, gpt2.first),
        }

    def test_what_it_has_read_is_forgotten(self, engine: Engine, gpt2: Tiny, tmp_path: Path) -> None:
        """Its folder may hold other weights when it is loaded again."""
        folder = changed(gpt2.first, tmp_path / "adapter")
        first = job("job", gpt2.spec(folder), session="dialogue", persona_tokens=20)
        run(engine, first)
        run(engine, job("job", gpt2.spec(gpt2.second)))
        shutil.rmtree(folder)
        save_adapter(gpt2.base, folder, seed=9)

        answer = finished(run(engine, first)["job"])

        assert answer.timings.prefilled_tokens == len(PROMPT)
        assert answer.hypotheses[0].token_ids == expected(gpt2, folder)

    def test_a_broken_one_drives_nobody_out(self, engine: Engine, gpt2: Tiny, tmp_path: Path) -> None:
        first = job("job", gpt2.spec(gpt2.first), session="dialogue")
        run(engine, first)
        run(engine, job("bad", gpt2.spec(changed(gpt2.first, tmp_path / "rank", r=5))))

        assert finished(run(engine, first)["job"]).timings.prefilled_tokens == 1

    def test_a_network_without_adapters_is_as_it_was(self, gpt2: Tiny) -> None:
        network = AutoModelForCausalLM.from_pretrained(gpt2.base)
        before = dict(network.named_modules())
        adapters = Adapters(network)
        layers = adapters.linear_layers()
        parts = {path: LowRank(torch.ones(2, wide), torch.ones(out, 2)) for path, (wide, out) in layers.items()}
        ids = torch.tensor([PROMPT])
        with torch.inference_mode():
            plain = network(ids).logits
            adapters.add("one", parts)
            adapters.add("other", parts)
            assert adapters.linear_layers() == layers
            assert torch.equal(network(ids).logits, plain)
            adapters.route([("one", ALL_TOKENS)])
            assert not torch.allclose(network(ids).logits, plain)
        adapters.remove("one")
        adapters.remove("other")

        assert dict(network.named_modules()) == before
        assert "lm_head" not in layers
