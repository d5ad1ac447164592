"""Reads a LoRA adapter's weights and makes sure that they belong to the model that they are to be laid over."""

import re
from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from core.errors import ModelBroken, ModelError
from core.generation.adapter_config import AdapterConfig, read_config
from core.generation.lora import LowRank
from core.generation.tensor_file import count_elements

WEIGHTS_FILE = "adapter_model.safetensors"

_KEY = re.compile(r"base_model\.model\.(?P<path>.+)\.lora_(?P<half>[AB])\.weight")

#: (width in, width out) of a model's linear layers by their paths.
Layers = Mapping[str, tuple[int, int]]


def read_adapter(folder: Path, layers: Layers, like: Tensor) -> dict[str, LowRank]:
    """Its parts by the paths of their layers, of the device and the type of `like`.

    Raises ModelNotFound, ModelBroken for files that are no whole adapter of this model, ModelError naming what is not
    supported.
    """
    config = read_config(folder)
    halves = _read_halves(folder)
    paths = {path for path, _ in halves}
    if strange := sorted(path for path in paths if path not in layers):
        raise ModelBroken(
            f"{folder} adapts {strange[0]}, which is no inner linear layer of this model; it belongs to another one, "
            "or adapts embeddings or the output layer, which is not supported"
        )
    targets = {path for path in layers if config.targets(path)}
    if different := sorted(paths ^ targets):
        told = "lacks weights for" if different[0] in targets else "holds weights for"
        raise ModelBroken(
            f"{folder / WEIGHTS_FILE} {told} {different[0]}, unlike what its configuration says; save it again"
        )
    return {path: _part(folder, config, path, halves, layers[path], like) for path in sorted(paths)}


def bytes_needed(folder: Path, like: Tensor) -> int:
    """Raises ModelBroken for a file that is cut short."""
    return count_elements(_weights_file(folder)) * like.element_size()


def _weights_file(folder: Path) -> Path:
    if not (folder / WEIGHTS_FILE).is_file():
        raise ModelBroken(f"{folder} holds no {WEIGHTS_FILE}; save the adapter as safetensors")
    return folder / WEIGHTS_FILE


def _read_halves(folder: Path) -> dict[tuple[str, str], Tensor]:
    """A and B by (path of the layer, "A" or "B")."""
    file = _weights_file(folder)
    count_elements(file)
    try:
        tensors = load_file(file)
    except (OSError, ValueError, SafetensorError) as error:
        raise ModelBroken(f"{file} is damaged: {type(error).__name__}; save the adapter again") from error
    if not tensors:
        raise ModelBroken(f"{file} is empty; save the adapter again")
    halves = {}
    for key, tensor in tensors.items():
        found = _KEY.fullmatch(key)
        if found is None:
            raise ModelError(f"{folder} holds {key}, which is no plain LoRA; only LoRA of linear layers is supported")
        halves[found["path"], found["half"]] = tensor
    return halves


def _part(
    folder: Path,
    config: AdapterConfig,
    path: str,
    halves: Mapping[tuple[str, str], Tensor],
    widths: tuple[int, int],
    like: Tensor,
) -> LowRank:
    rank, (wide, out) = config.rank_of(path), widths
    for half, expected in (("A", (rank, wide)), ("B", (out, rank))):
        tensor = halves.get((path, half))
        shape = None if tensor is None else tuple(tensor.shape)
        if shape != expected:
            raise ModelBroken(
                f"{folder}: lora_{half} of {path} is {shape or 'missing'}, and this model and the rank ask for "
                f"{expected}; the adapter belongs to another model, or is damaged"
            )
    a, b = halves[path, "A"], halves[path, "B"].double() * config.scaling_of(path)
    if not (torch.isfinite(a).all() and torch.isfinite(b).all()):
        raise ModelBroken(f"{folder} holds a weight of {path} that is no number; train it again")
    return LowRank(a.to(like), b.to(like))
