"""Loads weights, and converts those that are kept in other formats. The engine's side: imports torch.

Run as a program it converts: `python -P -m core.generation.weights convert-gguf|convert-pkl SOURCE FOLDER`. It then
speaks as `core.generation.conversion` says, and ends when its standard input does.
"""

import json
import logging
import mmap
import os
import pickle
import re
import struct
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import torch
import transformers
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoModelForSeq2SeqLM,
    AutoModelForSequenceClassification,
    AutoTokenizer,
    PreTrainedModel,
)
from transformers.models.auto.auto_factory import _BaseAutoModelClass
from transformers.utils import logging as transformers_logging

from core.errors import ModelBroken, ModelError, ModelTooLarge
from core.generation.catalogue import ModelFormat
from core.generation.footprint import dtype_on, free_memory, memory_needed, require_memory
from core.generation.model_folder import ModelFolder, open_folder, require_trust
from core.generation.original_checkpoint import EMBEDDING, HEAD, deduce_config, rename
from core.generation.request import ModelSpec

#: What the libraries raise for a file that is not what it should be; each of them has been met.
_FOREIGN_ERRORS = (
    OSError,
    ValueError,
    RuntimeError,
    LookupError,
    TypeError,
    AttributeError,
    ImportError,
    EOFError,
    AssertionError,
    pickle.UnpicklingError,
    zipfile.BadZipFile,
    SafetensorError,
)

# The key, the type of its value (8: a string), its length, its value; https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
_SMOLLM_PRE_TOKENIZER = b"tokenizer.ggml.pre" + struct.pack("<IQ", 8, len("smollm")) + b"smollm"

#: Called with how much is done, 0 to 1.
Fraction = Callable[[float], None]
Tell = Callable[[str, float], None]


def load(
    spec: ModelSpec, device: torch.device, memory_limit_bytes: int = 0, progress: Fraction = lambda _fraction: None
) -> PreTrainedModel:
    """The model on `device`, ready to run. A `memory_limit_bytes` of 0 takes what the device has free.

    Raises ModelTooLarge before anything is loaded, ModelBroken for files that don't make a whole model, and ModelError
    for a repository whose code would have to be trusted.
    """
    folder = open_folder(Path(spec.folder))
    require_trust(spec.name, folder.config, trusted=spec.trust_remote_code)
    dtype = dtype_on(device.type, spec.dtype)
    free = _free_memory(device)
    limit = min(free, memory_limit_bytes) if memory_limit_bytes else free
    require_memory(spec.name, memory_needed(folder.path, dtype), limit, dtype)
    with _loading_errors(spec), _bars(progress):
        model, told = _read(folder, spec, device, dtype)
    if missing := sorted(told["missing_keys"]):
        raise ModelBroken(
            f"{spec.name}: its weights don't belong to its config.json: {len(missing)} are missing, as {missing[0]}"
        )
    return model


def _read(
    folder: ModelFolder, spec: ModelSpec, device: torch.device, dtype: str
) -> tuple[PreTrainedModel, dict[str, set[str]]]:
    loaded = _kind(folder).from_pretrained(
        folder.path,
        dtype=getattr(torch, dtype),
        device_map=None if device.type == "cpu" else {"": device},
        trust_remote_code=spec.trust_remote_code,
        use_safetensors=folder.weights[0].suffix == ".safetensors",
        weights_only=True,
        local_files_only=True,
        output_loading_info=True,
    )
    model, told = cast("tuple[PreTrainedModel, dict[str, set[str]]]", loaded)
    return model, told


def _kind(folder: ModelFolder) -> type[_BaseAutoModelClass]:
    if folder.detect_format() is ModelFormat.RANKER:
        return AutoModelForSequenceClassification
    return AutoModelForSeq2SeqLM if folder.config.get("is_encoder_decoder") is True else AutoModelForCausalLM


def _free_memory(device: torch.device) -> int:
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else free_memory()


@contextmanager
def _loading_errors(spec: ModelSpec) -> Iterator[None]:
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise ModelTooLarge(f"{spec.name} does not fit the memory; take a smaller model or another device") from error
    except _FOREIGN_ERRORS as error:
        raise ModelBroken(f"{spec.name} in {spec.folder} can't be loaded: {_one_line(error)}; get it again") from error


def _one_line(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:300]}" if text else type(error).__name__


class _Bar:
    """What transformers takes for a tqdm bar."""

    def __init__(self, progress: Fraction, items: Sequence[object], total: int | None) -> None:
        self._progress = progress
        self._items = items
        self._total = max(1, total or len(items))
        self._done = 0

    def __iter__(self) -> Iterator[object]:
        for item in self._items:
            yield item
            self.update()

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *_error: object) -> None:
        return None

    def update(self, n: int = 1) -> None:
        before, self._done = self._done, self._done + n
        if before * 100 // self._total != self._done * 100 // self._total:
            self._progress(min(1.0, self._done / self._total))

    def close(self, *_args: object, **_options: object) -> None:
        return None

    refresh = set_description = set_postfix = set_postfix_str = close


@contextmanager
def _bars(progress: Fraction) -> Iterator[None]:
    def bar(_factory: object, args: tuple[Sequence[object], ...], options: dict[str, int]) -> _Bar:
        return _Bar(progress, args[0] if args else (), options.get("total"))

    verbosity = transformers_logging.get_verbosity()
    transformers_logging.set_verbosity(logging.ERROR)
    previous = transformers_logging.set_tqdm_hook(bar)
    try:
        yield
    finally:
        transformers_logging.set_tqdm_hook(previous)
        transformers_logging.set_verbosity(verbosity)


def convert_gguf(source: Path, destination: Path, tell: Tell) -> None:
    """De-quantises to float32; the tokenizer and its chat template come out of the file too."""
    tell("Reading the tokenizer", 0.05)
    tokenizer = AutoTokenizer.from_pretrained(source.parent, gguf_file=source.name)
    restore_pre_tokenizer(tokenizer, source)
    tokenizer.save_pretrained(destination)
    tell("Reading the configuration", 0.25)
    config = AutoConfig.from_pretrained(source.parent, gguf_file=source.name)
    tell("De-quantising the weights (once)", 0.4)
    model = AutoModelForCausalLM.from_pretrained(
        source.parent,
        gguf_file=source.name,
        config=config,
        dtype=torch.float32,
        quantization_config=transformers.GgufConfig(dequantize=True),
    )
    tell("Writing the weights", 0.9)
    model.save_pretrained(destination)


def restore_pre_tokenizer(tokenizer: transformers.PreTrainedTokenizerBase, source: Path) -> None:
    """SmolLM's tokenizer takes digits one by one; a GGUF file says so in a name that transformers does not read."""
    from tokenizers import pre_tokenizers

    with source.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
        named = content.find(_SMOLLM_PRE_TOKENIZER) >= 0
    if named and isinstance(tokenizer, transformers.PreTrainedTokenizerFast):
        tokenizer.backend_tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )


def convert_pkl(source: Path, destination: Path, tell: Tell) -> None:
    """Keeps the numbers as they are (fp16) and names them as transformers does."""
    tell("Reading the weights", 0.1)
    state = rename(_unpickle(source))
    sizes = deduce_config({name: tuple(tensor.shape) for name, tensor in state.items()})
    tied = HEAD not in state or torch.equal(state[HEAD], state[EMBEDDING])
    tell("Renaming the weights (once)", 0.4)
    tasks = {"conversational": {"max_length": sizes["n_positions"]}}
    config = transformers.GPT2Config.from_dict({**sizes, "tie_word_embeddings": tied, "task_specific_params": tasks})
    with torch.device("meta"):
        model = transformers.GPT2LMHeadModel(config)
    missing, unexpected = model.load_state_dict(state, strict=False, assign=True)
    if strange := {*missing, *unexpected} - {HEAD}:
        raise ModelBroken(f"its weights are not those of a GPT-2: {min(strange)} is missing or unknown")
    model.tie_weights()
    tell("Writing the weights", 0.6)
    model.save_pretrained(destination)


def _unpickle(source: Path) -> dict[str, torch.Tensor]:
    try:
        state = torch.load(source, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise ModelBroken("it is no state dict, or holds code beside its weights, which is never run") from error
    if not isinstance(state, dict) or not all(isinstance(tensor, torch.Tensor) for tensor in state.values()):
        raise ModelBroken("it is no state dict")
    return {str(name): tensor for name, tensor in state.items()}


_CONVERSIONS = {"convert-gguf": convert_gguf, "convert-pkl": convert_pkl}


def main(arguments: Sequence[str]) -> int:
    conversion, source, destination = arguments
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        _CONVERSIONS[conversion](
            Path(source), Path(destination), lambda step, fraction: _say(step=step, fraction=fraction)
        )
    except ModelError as error:
        _say(error=str(error))
    except (*_FOREIGN_ERRORS, MemoryError) as error:
        _say(error=_one_line(error), errno=_errno(error))
    else:
        return 0
    return 1


def _errno(error: BaseException) -> int | None:
    """Rust's libraries write the system's number into their text."""
    if isinstance(error, OSError):
        return error.errno
    found = re.search(r"\(os error (\d+)\)", str(error))
    return int(found[1]) if found else None


def _say(**message: object) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def _end_with_parent() -> None:
    os.read(0, 1)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
