"""Reads a model's folder without loading it: configuration, weights, tokenizer, chat template.

Cheap enough for every start: the weights are judged by their headers and sizes, never read. Knows neither torch nor
where the folder came from; the caller adds the way out to its errors.
"""

import json
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from core.errors import ModelBroken, ModelError
from core.generation.catalogue import CHAT_SAMPLING, DIALOGPT_SAMPLING, ModelFormat
from core.generation.request import SamplingParams
from core.generation.tensor_file import count_elements

SAFETENSORS_INDEX = "model.safetensors.index.json"
BIN_INDEX = "pytorch_model.bin.index.json"
#: Of models without learned positions, whose configuration names no limit.
UNLIMITED_WINDOW = 2048
_WINDOW_KEYS = ("n_positions", "max_position_embeddings", "n_ctx", "max_seq_len", "seq_length")


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """What a folder says of itself. `open_folder` makes one and raises ModelBroken for a folder that is not whole."""

    path: Path
    config: dict[str, object]
    #: Safetensors where there are any, else PyTorch's own format.
    weights: tuple[Path, ...]

    @property
    def weights_bytes(self) -> int:
        return sum(file.stat().st_size for file in self.weights)

    @property
    def context_window(self) -> int:
        nested = self.config.get("text_config")
        for config in (self.config, nested if isinstance(nested, dict) else {}):
            for key in _WINDOW_KEYS:
                if isinstance(value := config.get(key), int) and 0 < value < 1 << 40:
                    return value
        return UNLIMITED_WINDOW

    @property
    def has_chat_template(self) -> bool:
        if (self.path / "chat_template.jinja").is_file():
            return True
        file = self.path / "tokenizer_config.json"
        template = read_json(file).get("chat_template") if file.is_file() else None
        if isinstance(template, list):
            return any(isinstance(named, dict) and named.get("name") == "default" for named in template)
        return bool(template)

    def detect_format(self) -> ModelFormat | None:
        """None where nothing tells how turns become a prompt."""
        architectures = self.config.get("architectures")
        if isinstance(architectures, list) and any(
            str(name).endswith("ForSequenceClassification") for name in architectures
        ):
            return ModelFormat.RANKER
        if self.has_chat_template:
            return ModelFormat.CHAT
        tasks = self.config.get("task_specific_params")
        if self.config.get("model_type") == "gpt2" and isinstance(tasks, dict) and "conversational" in tasks:
            return ModelFormat.DIALOGPT
        return None

    def recommended_sampling(self, model_format: ModelFormat) -> SamplingParams:
        """What generation_config.json asks for; else what is usual for the format."""
        if model_format is ModelFormat.RANKER:
            return SamplingParams()
        if model_format is ModelFormat.DIALOGPT:
            return DIALOGPT_SAMPLING
        file = self.path / "generation_config.json"
        config = read_json(file) if file.is_file() else {}
        if config.get("do_sample") is not True:
            return CHAT_SAMPLING
        return SamplingParams(
            temperature=_number(config, "temperature", 1.0),
            top_k=int(_number(config, "top_k", 0)),
            top_p=_number(config, "top_p", 1.0),
            min_p=_number(config, "min_p", 0.0),
            repetition_penalty=_number(config, "repetition_penalty", 1.0),
        )


def open_folder(path: Path) -> ModelFolder:
    """Raises ModelBroken, naming the file, where something is missing, cut short or of another kind."""
    if not (path / "config.json").is_file():
        raise ModelBroken(f"{path} holds no config.json")
    folder = ModelFolder(path, read_json(path / "config.json"), find_weights(path))
    for file in folder.weights:
        if file.suffix == ".safetensors":
            count_elements(file)
        elif file.stat().st_size == 0:
            raise ModelBroken(f"{file} is empty")
    has_tokenizer = (path / "tokenizer.json").is_file() or all(
        (path / name).is_file() for name in ("vocab.json", "merges.txt")
    )
    if not has_tokenizer:
        raise ModelBroken(f"{path} holds no tokenizer (tokenizer.json, or vocab.json with merges.txt)")
    return folder


def require_trust(name: str, config: dict[str, object], *, trusted: bool) -> None:
    """Raises ModelError where only the repository's own Python files could run the model and nobody allowed that.

    Some repositories keep such files from before transformers knew their architecture; then transformers' own is used.
    """
    if config.get("auto_map") and not trusted and not _is_known_architecture(config):
        raise ModelError(
            f"{name} needs Python code that comes with its weights and could do anything on this machine; "
            "if you trust its authors that far, set `trust_remote_code = true` under "
            f'`[models."{name}"]`, else take another model'
        )


def _is_known_architecture(config: dict[str, object]) -> bool:
    """Looks at transformers' folders, since importing it would take seconds and load torch."""
    model_type = str(config.get("model_type", "")).replace("-", "_")
    installed = find_spec("transformers")
    if not model_type.isidentifier() or installed is None or installed.origin is None:
        return False
    return (Path(installed.origin).parent / "models" / model_type / f"modeling_{model_type}.py").is_file()


def find_weights(path: Path) -> tuple[Path, ...]:
    for index, single in ((SAFETENSORS_INDEX, "model.safetensors"), (BIN_INDEX, "pytorch_model.bin")):
        if (path / index).is_file():
            return _shards(path / index)
        if (path / single).is_file():
            return (path / single,)
    raise ModelBroken(f"{path} holds no weights (model.safetensors or pytorch_model.bin)")


def read_json(file: Path) -> dict[str, object]:
    try:
        content = json.loads(file.read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise ModelBroken(f"{file} can't be read as JSON ({error})") from error
    if not isinstance(content, dict):
        raise ModelBroken(f"{file} holds no JSON object")
    return content


def _shards(index: Path) -> tuple[Path, ...]:
    placed = read_json(index).get("weight_map")
    if not isinstance(placed, dict) or not placed:
        raise ModelBroken(f"{index} names no weights")
    names = sorted({str(name) for name in placed.values()})
    shards = tuple(index.parent / name for name in names)
    for name, shard in zip(names, shards, strict=True):
        if Path(name).name != name or not shard.is_file():
            raise ModelBroken(f"{index} names {name}, which is not there")
    return shards


def _number(config: dict[str, object], key: str, default: float) -> float:
    value = config.get(key)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 else default
