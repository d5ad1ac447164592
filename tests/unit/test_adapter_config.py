"""What an adapter_config.json means: PEFT's words, read without PEFT."""

import json
import math
from pathlib import Path

import pytest

from core.errors import ModelBroken, ModelError, ModelNotFound
from core.generation.adapter_config import AdapterConfig, read_config

#: As PEFT 0.21 writes it for a plain LoRA.
PLAIN: dict[str, object] = {
    "alora_invocation_tokens": None,
    "alpha_pattern": {},
    "arrow_config": None,
    "auto_mapping": None,
    "base_model_name_or_path": "gpt2",
    "bias": "none",
    "ensure_weight_tying": False,
    "eva_config": None,
    "exclude_modules": None,
    "fan_in_fan_out": True,
    "inference_mode": True,
    "init_lora_weights": True,
    "layer_replication": None,
    "layers_pattern": None,
    "layers_to_transform": None,
    "loftq_config": {},
    "lora_alpha": 16,
    "lora_bias": False,
    "lora_dropout": 0.05,
    "megatron_config": None,
    "megatron_core": "megatron.core",
    "modules_to_save": None,
    "peft_type": "LORA",
    "peft_version": "0.21.2",
    "qalora_group_size": 16,
    "r": 8,
    "rank_pattern": {},
    "revision": None,
    "target_modules": ["c_attn", "c_proj"],
    "target_parameters": None,
    "task_type": "CAUSAL_LM",
    "trainable_token_indices": None,
    "use_dora": False,
    "use_qalora": False,
    "use_rslora": False,
}
PATHS = [f"transformer.h.{layer}.{name}" for layer in (0, 1, 11) for name in ("attn.c_attn", "attn.c_proj", "mlp.c_fc")]


def read(folder: Path, **changes: object) -> AdapterConfig:
    (folder / "adapter_config.json").write_text(json.dumps(PLAIN | changes))
    return read_config(folder)


def targets(folder: Path, **changes: object) -> list[str]:
    config = read(folder, **changes)
    return [path.removeprefix("transformer.h.") for path in PATHS if config.targets(path)]


def test_a_plain_lora_is_scaled_by_alpha_over_rank(tmp_path: Path) -> None:
    config = read(tmp_path)

    assert (config.rank_of(PATHS[0]), config.scaling_of(PATHS[0])) == (8, 2.0)


def test_a_rank_stabilised_one_by_its_root(tmp_path: Path) -> None:
    assert read(tmp_path, use_rslora=True).scaling_of(PATHS[0]) == 16 / math.sqrt(8)


def test_patterns_give_layers_ranks_and_alphas_of_their_own(tmp_path: Path) -> None:
    config = read(tmp_path, rank_pattern={"c_attn": 4, r"h\.1\.attn.c_.*": 2}, alpha_pattern={"h.11.mlp.*": 1})

    assert [config.rank_of(path) for path in PATHS] == [4, 8, 8, 4, 2, 8, 4, 8, 8]
    assert config.scaling_of("transformer.h.11.mlp.c_fc") == 1 / 8
    assert config.scaling_of("transformer.h.1.attn.c_proj") == 16 / 2


@pytest.mark.parametrize(
    ("changes", "targeted"),
    [
        ({"target_modules": ["c_fc"]}, ["0.mlp.c_fc", "1.mlp.c_fc", "11.mlp.c_fc"]),
        ({"target_modules": ["_fc", "proj"]}, []),
        ({"target_modules": ["attn.c_attn"], "layers_to_transform": 1}, ["1.attn.c_attn"]),
        ({"target_modules": ["c_fc"], "layers_to_transform": [0, 11]}, ["0.mlp.c_fc", "11.mlp.c_fc"]),
        ({"target_modules": ["c_fc"], "layers_to_transform": []}, ["0.mlp.c_fc", "1.mlp.c_fc", "11.mlp.c_fc"]),
        ({"target_modules": ["c_fc"], "layers_to_transform": [1], "layers_pattern": "h"}, ["1.mlp.c_fc"]),
        ({"target_modules": ["c_fc"], "layers_to_transform": [1], "layers_pattern": ["layers", "h"]}, ["1.mlp.c_fc"]),
        ({"target_modules": ["c_fc"], "layers_to_transform": [1], "layers_pattern": ["layers"]}, []),
        ({"target_modules": ["transformer.h.0.mlp.c_fc"], "layers_to_transform": [1]}, ["0.mlp.c_fc"]),
        ({"target_modules": r".*\.1\.attn\..*"}, ["1.attn.c_attn", "1.attn.c_proj"]),
        ({"target_modules": "c_attn"}, []),
        ({"target_modules": r".*\.0\..*", "exclude_modules": ["c_proj"]}, ["0.attn.c_attn", "0.mlp.c_fc"]),
        ({"target_modules": "all-linear", "exclude_modules": r".*attn.*|.*h\.1\..*"}, ["0.mlp.c_fc", "11.mlp.c_fc"]),
    ],
)
def test_it_targets_what_peft_does(tmp_path: Path, changes: dict[str, object], targeted: list[str]) -> None:
    assert targets(tmp_path, **changes) == targeted


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"peft_type": "IA3"}, "is an adapter of the type IA3; only LORA is supported"),
        ({"peft_type": None}, "is an adapter of the type None"),
        ({"use_dora": True, "lora_bias": True}, "uses `lora_bias`, `use_dora`; only plain LoRA is supported"),
        ({"bias": "all"}, "uses `bias`; only"),
        ({"modules_to_save": ["lm_head"]}, "uses `modules_to_save`; only"),
        ({"target_parameters": ["experts.gate_up_proj"]}, "uses `target_parameters`; only"),
        ({"layer_replication": [[0, 2]]}, "uses `layer_replication`; only"),
        ({"made_up_in_2030": True}, "uses `made_up_in_2030`; only"),
        ({"init_lora_weights": "pissa"}, "uses `init_lora_weights = 'pissa'`, which changes the model's own weights"),
    ],
)
def test_more_than_plain_lora_is_refused_by_name(tmp_path: Path, changes: dict[str, object], told: str) -> None:
    with pytest.raises(ModelError, match=rf"^{tmp_path}") as raised:
        read(tmp_path, **changes)

    assert type(raised.value) is ModelError
    assert told in str(raised.value)


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"r": 0}, "r: input should be greater than or equal to 1"),
        ({"lora_alpha": "loud"}, "lora_alpha: input should be a valid number"),
        ({"target_modules": None}, "names no `target_modules`"),
        ({"target_modules": []}, "names no `target_modules`"),
        ({"target_modules": "(c_attn"}, "'(c_attn' is no regular expression"),
        ({"rank_pattern": {"*": 3}}, "'*' is no regular expression"),
    ],
)
def test_a_file_that_is_none_of_pefts_is_broken(tmp_path: Path, changes: dict[str, object], told: str) -> None:
    with pytest.raises(ModelBroken) as raised:
        read(tmp_path, **changes)

    assert told in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_folder_without_an_adapter_says_so(tmp_path: Path) -> None:
    with pytest.raises(ModelBroken, match=r"holds no adapter_config\.json"):
        read_config(tmp_path)
    with pytest.raises(ModelNotFound, match="there is no adapter folder"):
        read_config(tmp_path / "nowhere")
