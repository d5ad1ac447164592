"""What a LoRA adapter's adapter_config.json says, in PEFT's own words; whatever is more than plain LoRA is refused.

The format is PEFT's (https://huggingface.co/docs/peft/developer_guides/checkpoint). Knows neither torch nor the model.
"""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from core.errors import ModelBroken, ModelError, ModelNotFound
from core.generation.model_folder import read_json

CONFIG_FILE = "adapter_config.json"
ALL_LINEAR = "all-linear"

#: Keys that say where an adapter comes from, or how it was trained; the weights are the same without them.
_PROVENANCE = frozenset(
    {
        "auto_mapping",
        "base_model_name_or_path",
        "corda_config",
        "ensure_weight_tying",
        "eva_config",
        "fan_in_fan_out",  # of the base layer's weight; A and B lie the same way in any case
        "inference_mode",
        "loftq_config",
        "lora_dropout",
        "lora_ga_config",
        "megatron_core",
        "peft_version",
        "qalora_group_size",
        "revision",
        "runtime_config",
        "task_type",
    }
)
#: The starting values that leave the base model's own weights alone.
_PLAIN_STARTS = (True, False, "gaussian", "eva", "orthogonal")

_Number = TypeVar("_Number", int, float)
_Patterns = str | frozenset[str] | tuple[str, ...] | dict[str, float] | None


class AdapterConfig(BaseModel):
    """A key that is not here, and says anything, is a feature that is not done."""

    model_config = ConfigDict(extra="allow", frozen=True)

    r: Annotated[int, Field(ge=1)] = 8
    lora_alpha: float = 8
    use_rslora: bool = False
    bias: str = "none"
    init_lora_weights: bool | str = True
    #: Ends of modules' paths, or a regular expression of a whole path, or ALL_LINEAR.
    target_modules: str | frozenset[str] | None = None
    exclude_modules: str | frozenset[str] | None = None
    #: Numbers of layers; None is all. They narrow the ends of paths alone.
    layers_to_transform: int | frozenset[int] | None = None
    layers_pattern: str | tuple[str, ...] | None = None
    rank_pattern: dict[str, Annotated[int, Field(ge=1)]] = {}
    alpha_pattern: dict[str, float] = {}

    @field_validator("target_modules", "exclude_modules", "layers_pattern", "rank_pattern", "alpha_pattern")
    @classmethod
    def _compiles(cls, value: _Patterns) -> _Patterns:
        for pattern in (value,) if isinstance(value, str) else () if isinstance(value, frozenset) else value or ():
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is no regular expression ({error})") from None
        return value

    def targets(self, path: str) -> bool:
        """Whether the linear layer at this path is adapted."""
        wanted = self.target_modules or ""
        if self.exclude_modules and _names(self.exclude_modules, path):
            return False
        if isinstance(wanted, str):
            return wanted.lower() == ALL_LINEAR or _names(wanted, path)
        return path in wanted or (_names(wanted, path) and self._is_in_its_layers(path))

    def rank_of(self, path: str) -> int:
        return _by_pattern(self.rank_pattern, path, self.r)

    def scaling_of(self, path: str) -> float:
        """What B·A is multiplied by; with rsLoRA (arXiv 2312.03732) the root of the rank divides."""
        rank = self.rank_of(path)
        return _by_pattern(self.alpha_pattern, path, self.lora_alpha) / (math.sqrt(rank) if self.use_rslora else rank)

    def _is_in_its_layers(self, path: str) -> bool:
        wanted = self.layers_to_transform
        if wanted is None or wanted == frozenset():
            return True
        patterns = (self.layers_pattern,) if isinstance(self.layers_pattern, str) else self.layers_pattern
        layer = _layer_of(path, patterns or (r"[^.]*",))
        return layer in (wanted if isinstance(wanted, frozenset) else {wanted})


def read_config(folder: Path) -> AdapterConfig:
    """Raises ModelNotFound, ModelBroken for a file that is none of PEFT's, ModelError naming what is not supported."""
    if not folder.is_dir():
        raise ModelNotFound(f"there is no adapter folder {folder}; correct the persona's `adapter`")
    if not (folder / CONFIG_FILE).is_file():
        raise ModelBroken(f"{folder} holds no {CONFIG_FILE}; an adapter is a folder as PEFT saves it")
    content = read_json(folder / CONFIG_FILE)
    kind = content.pop("peft_type", None)
    if kind != "LORA":
        raise ModelError(f"{folder} is an adapter of the type {kind}; only LORA is supported")
    try:
        config = AdapterConfig.model_validate(content)
    except ValidationError as error:
        raise ModelBroken(f"{folder / CONFIG_FILE} can't be read: {_first(error)}") from error
    _refuse_more_than_lora(folder, config)
    return config


def _refuse_more_than_lora(folder: Path, config: AdapterConfig) -> None:
    used = {key: value for key, value in (config.model_extra or {}).items() if value and key not in _PROVENANCE}
    if config.bias != "none":
        used["bias"] = config.bias
    if used:
        raise ModelError(f"{folder} uses {', '.join(f'`{key}`' for key in sorted(used))}; only plain LoRA is supported")
    if config.init_lora_weights not in _PLAIN_STARTS:
        raise ModelError(
            f"{folder} uses `init_lora_weights = {config.init_lora_weights!r}`, which changes the model's own weights; "
            "convert it to plain LoRA when it is saved (`path_initial_model_for_weight_conversion`)"
        )
    if not config.target_modules:
        raise ModelBroken(f"{folder / CONFIG_FILE} names no `target_modules`")


def _names(modules: str | frozenset[str], path: str) -> bool:
    if isinstance(modules, str):
        return re.fullmatch(modules, path) is not None
    return any(path == name or path.endswith(f".{name}") for name in modules)


def _layer_of(path: str, patterns: tuple[str, ...]) -> int | None:
    """The first number of the path that follows one of the patterns."""
    for pattern in patterns:
        if found := re.match(rf"(?:^|.*?\.){pattern}\.(\d+)\.", path):
            return int(found[1])
    return None


def _by_pattern(patterns: Mapping[str, _Number], path: str, otherwise: _Number) -> _Number:
    return next((value for key, value in patterns.items() if re.match(rf"(.*\.)?({key})$", path)), otherwise)


def _first(error: ValidationError) -> str:
    problem = error.errors()[0]
    return f"{'.'.join(map(str, problem['loc']))}: {problem['msg'].lower()}"
