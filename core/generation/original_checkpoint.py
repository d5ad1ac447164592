"""DialoGPT's original state dicts (`*.pkl`): their names and shapes, as transformers' GPT-2 has them.

The release named the head `lm_head.decoder.weight`, some files keep the `module.` of data-parallel training, and some
hold the transformer only (https://github.com/microsoft/DialoGPT). No torch here: names and shapes are enough.
"""

import re
from collections.abc import Mapping
from typing import TypeVar

from core.errors import ModelBroken

HEAD = "lm_head.weight"
EMBEDDING = "transformer.wte.weight"
_POSITIONS = "transformer.wpe.weight"
_LAYER = re.compile(r"transformer\.h\.(\d+)\.")
#: The causal masks that old versions kept beside the weights.
_MASK = re.compile(r"transformer\.h\.\d+\.attn\.(?:bias|masked_bias)")
_HEAD_WIDTH = 64

Tensor = TypeVar("Tensor")


def rename(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The same tensors under the names that `GPT2LMHeadModel` knows."""
    bare = {name.removeprefix("module."): tensor for name, tensor in state.items()}
    if EMBEDDING not in bare and "wte.weight" in bare:
        bare = {name if name.startswith("lm_head.") else f"transformer.{name}": tensor for name, tensor in bare.items()}
    renamed = {HEAD if name == "lm_head.decoder.weight" else name: tensor for name, tensor in bare.items()}
    return {name: tensor for name, tensor in renamed.items() if not _MASK.fullmatch(name)}


def deduce_config(shapes: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
    """GPT-2's sizes from the shapes of `rename`d tensors; every GPT-2 has heads that are 64 wide."""
    try:
        (vocabulary, width), (positions, _) = shapes[EMBEDDING], shapes[_POSITIONS]
        inner = shapes["transformer.h.0.mlp.c_fc.weight"][1]
    except (KeyError, ValueError, IndexError) as error:
        raise ModelBroken("it holds no GPT-2 weights") from error
    if width % _HEAD_WIDTH:
        raise ModelBroken(f"its width {width} is no multiple of {_HEAD_WIDTH}, so it is no GPT-2 of DialoGPT's kind")
    layers = 1 + max(int(found[1]) for name in shapes if (found := _LAYER.match(name)))
    return {
        "vocab_size": vocabulary,
        "n_positions": positions,
        "n_embd": width,
        "n_layer": layers,
        "n_head": width // _HEAD_WIDTH,
        "n_inner": inner,
        "bos_token_id": vocabulary - 1,
        "eos_token_id": vocabulary - 1,
    }
