"""Keys and values in fixed slots, as a transformers `Cache`: [slot, head, position, width] in each layer.

What is in which slot is the business of `core.generation.slots`; how slots are looked at, of `slot_attention`.
"""

import math
import mmap
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformers import Cache
from transformers.cache_utils import CacheLayerMixin

from core.generation.slot_attention import NO_BATCH, Batch

#: Prefixes that are kept for all sessions; the least recently used leaves.
PREFIXES = 16


@dataclass(frozen=True, slots=True)
class LayerShape:
    """Of one layer's keys and values."""

    heads: int
    key_width: int
    value_width: int

    def bytes_per_token(self, itemsize: int) -> int:
        return self.heads * (self.key_width + self.value_width) * itemsize


class SlotLayer(CacheLayerMixin):
    """One layer's keys and values."""

    def __init__(self, shape: LayerShape, slots: int, positions: int, like: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # theirs
        # One position more than is used, for what pads a CUDA graph.
        positions += 1
        # Zeros, since what a mask hides is multiplied by nought all the same, and nought times NaN is NaN.
        self.slot_keys = _zeros((slots, shape.heads, positions, shape.key_width), like)
        self.slot_values = _zeros((slots, shape.heads, positions, shape.value_width), like)
        # [slot, position, head, width]: where single tokens are written
        self._key_rows = self.slot_keys.transpose(1, 2)
        self._value_rows = self.slot_values.transpose(1, 2)
        self.is_initialized = True
        #: The forward that is under way.
        self.batch = NO_BATCH

    def update(self, key_states: Tensor, value_states: Tensor, *_args: Any, **_options: Any) -> tuple[Tensor, Tensor]:
        """Writes [1, head, tokens, width] to the batch's slots and gives all of the layer."""
        where = (self.batch.slots, self.batch.places)
        self._key_rows.index_put_(where, key_states[0].transpose(0, 1))
        self._value_rows.index_put_(where, value_states[0].transpose(0, 1))
        return self.slot_keys, self.slot_values

    def lazy_initialization(self, key_states: Tensor, value_states: Tensor) -> None:
        """It has its shape from the beginning."""

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return query_length, 0

    def get_seq_length(self) -> int:
        return 0

    def get_max_length(self) -> int:
        return self.slot_keys.shape[2]

    def exchange(self, one: int, other: int, lengths: tuple[int, int]) -> None:
        for tensor in (self.slot_keys, self.slot_values):
            here, there = tensor[one, :, : lengths[0]], tensor[other, :, : lengths[1]]
            held = here.clone()
            tensor[one, :, : lengths[1]] = there
            tensor[other, :, : lengths[0]] = held


class SlotCache(Cache):
    """The slots of one model. `core.generation.slots` says what is in them."""

    def __init__(self, shapes: Sequence[LayerShape], slots: int, positions: int, like: Tensor) -> None:
        self.slot_layers = [SlotLayer(shape, slots, positions, like) for shape in shapes]
        super().__init__(layers=list(self.slot_layers))
        self.positions = positions
        self.shapes = shapes
        #: By adapter and token ids.
        self._prefixes: OrderedDict[tuple[str, tuple[int, ...]], list[tuple[Tensor, Tensor]]] = OrderedDict()

    @property
    def nbytes(self) -> int:
        return sum(layer.slot_keys.nbytes + layer.slot_values.nbytes for layer in self.slot_layers)

    def expect(self, batch: Batch) -> None:
        """The next forward is this one."""
        for layer in self.slot_layers:
            layer.batch = batch

    def exchange(self, one: int, other: int, lengths: tuple[int, int]) -> None:
        """See `KeyValues`."""
        for layer in self.slot_layers:
            layer.exchange(one, other, lengths)

    def copy(self, source: int, target: int, length: int) -> None:
        """See `KeyValues`."""
        for layer in self.slot_layers:
            for tensor in (layer.slot_keys, layer.slot_values):
                tensor[target, :, :length] = tensor[source, :, :length]

    def wipe(self, slot: int, start: int) -> None:
        """See `KeyValues`."""
        for layer in self.slot_layers:
            layer.slot_keys[slot, :, start:].zero_()
            layer.slot_values[slot, :, start:].zero_()

    def save_prefix(self, token_ids: tuple[int, ...], slot: int, adapter: str) -> None:
        """See `KeyValues`."""
        if (adapter, token_ids) in self._prefixes:
            return
        length = len(token_ids)
        self._prefixes[adapter, token_ids] = [
            (layer.slot_keys[slot, :, :length].clone(), layer.slot_values[slot, :, :length].clone())
            for layer in self.slot_layers
        ]
        if len(self._prefixes) > PREFIXES:
            self._prefixes.popitem(last=False)

    def load_prefix(self, token_ids: tuple[int, ...], slot: int, adapter: str) -> bool:
        """See `KeyValues`."""
        kept = self._prefixes.get((adapter, token_ids))
        if kept is None:
            return False
        self._prefixes.move_to_end((adapter, token_ids))
        for layer, (keys, values) in zip(self.slot_layers, kept, strict=True):
            layer.slot_keys[slot, :, : len(token_ids)] = keys
            layer.slot_values[slot, :, : len(token_ids)] = values
        return True

    def forget_prefixes(self, adapter: str) -> None:
        """See `KeyValues`."""
        for key in [key for key in self._prefixes if key[0] == adapter]:
            del self._prefixes[key]


def _zeros(shape: tuple[int, ...], like: Tensor) -> Tensor:
    """On a CPU memory comes page by page when it is first written to; torch.zeros would take all of it at once."""
    if like.device.type != "cpu":
        return like.new_zeros(shape)
    pages = mmap.mmap(-1, math.prod(shape) * like.element_size())
    if hasattr(mmap, "MADV_NOHUGEPAGE"):
        pages.madvise(mmap.MADV_NOHUGEPAGE)  # with huge ones the first token of a slot takes megabytes
    return torch.frombuffer(pages, dtype=like.dtype).view(shape)
