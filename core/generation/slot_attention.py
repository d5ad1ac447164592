"""Attention over slots: the newest tokens of many replies, read as one row.

A forward reads the new tokens of all running replies as [1, tokens], each with its own position: no padding, and
prompts and replies share every matrix product. Only attention looks at slots, one view of the cache for each `Segment`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import scaled_dot_product_attention
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from core.generation.lora import Runs, adapter_runs
from core.generation.scheduler import Chunk

#: The name of `slot_attention` in transformers' table of attention functions.
ATTENTION = "banter_slots"
#: What one more call of the attention kernel costs, in positions of one slot that it could have read meanwhile.
_CALL_POSITIONS = 64


@dataclass(frozen=True, slots=True)
class Segment:
    """Neighbouring slots that attend together: one new token each, or several new tokens of one slot."""

    #: In the flat row of new tokens.
    first_token: int
    last_token: int
    first_slot: int
    last_slot: int
    #: Positions that are looked at.
    length: int
    #: [slots, 1, new tokens of each, length]: 0 where a token may look and −∞ where not; None: everywhere.
    mask: Tensor | None


@dataclass(frozen=True, slots=True)
class Batch:
    """Everything about one forward that is not the model's."""

    #: Each [tokens].
    token_ids: Tensor
    slots: Tensor
    positions: Tensor
    #: Where in its slot each is written: its position, or beyond all of them for padding.
    places: Tensor
    segments: tuple[Segment, ...]
    #: [draws]: the tokens whose logits are wanted.
    wanted: Tensor
    #: Which tokens are read by which adapter.
    adapters: Runs = ()


_NOTHING = torch.empty(0, dtype=torch.int64)
NO_BATCH = Batch(_NOTHING, _NOTHING, _NOTHING, _NOTHING, (), _NOTHING)


def slot_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    slot_batch: Batch | None = None,
    **options: Any,
) -> tuple[Tensor, None]:
    """Attention in transformers' own shape: query [1, head, tokens, width] → [1, tokens, head, width].

    Without a batch there is no cache: plain causal attention, for scores.
    """
    if slot_batch is None:
        return sdpa_attention_forward(module, query, key, value, attention_mask, scaling=scaling, **options)
    heads, tokens = query.shape[1:3]
    output = query.new_empty(tokens, heads, value.shape[3])
    for segment in slot_batch.segments:
        slots = slice(segment.first_slot, segment.last_slot)
        mine = slice(segment.first_token, segment.last_token)
        keys, values = key[slots, :, : segment.length], value[slots, :, : segment.length]
        if segment.last_token - segment.first_token == segment.last_slot - segment.first_slot:
            # [slots, key heads, query heads of each, width]: heads that share keys stand where tokens would
            asked = query[0, :, mine].transpose(0, 1).reshape(mine.stop - mine.start, keys.shape[1], -1, query.shape[3])
            seen = scaled_dot_product_attention(asked, keys, values, attn_mask=segment.mask, scale=scaling)
            output[mine] = seen.flatten(1, 2)
        else:
            seen = _attend(query[:, :, mine], keys, values, segment.mask, scaling)
            output[mine] = seen[0].transpose(0, 1)
    return output.unsqueeze(0), None


def _attend(query: Tensor, keys: Tensor, values: Tensor, mask: Tensor | None, scaling: float | None) -> Tensor:
    """Several new tokens of one slot: [1, head, tokens, width]."""
    shared = query.shape[1] // keys.shape[1]
    if shared > 1:
        keys, values = keys.repeat_interleave(shared, dim=1), values.repeat_interleave(shared, dim=1)
    # Without a mask all of the slot is new.
    return scaled_dot_product_attention(query, keys, values, mask, is_causal=mask is None, scale=scaling)


def batch_of(chunks: Sequence[Chunk], like: Tensor) -> tuple[Batch, list[Chunk]]:
    """(the forward that reads these chunks, those of them that want logits in the order of `Batch.wanted`).

    `like` gives the device and the type of the masks.
    """
    ordered = sorted(chunks, key=lambda chunk: (len(chunk.token_ids) > 1, chunk.slot.number))
    token_ids: list[int] = []
    slots: list[int] = []
    positions: list[int] = []
    wanted: list[int] = []
    for chunk in ordered:
        token_ids.extend(chunk.token_ids)
        slots.extend([chunk.slot.number] * len(chunk.token_ids))
        positions.extend(range(chunk.start, chunk.start + len(chunk.token_ids)))
        if chunk.draws:
            wanted.append(len(token_ids) - 1)
    batch = Batch(
        token_ids=_column(token_ids, like),
        slots=_column(slots, like),
        positions=(at := _column(positions, like)),
        places=at,
        segments=tuple(_segments(ordered, like)),
        wanted=_column(wanted, like),
        adapters=adapter_runs(ordered, like),
    )
    return batch, [chunk for chunk in ordered if chunk.draws]


def _column(numbers: list[int], like: Tensor) -> Tensor:
    return torch.tensor(numbers, dtype=torch.int64, device=like.device)


def _segments(ordered: Sequence[Chunk], like: Tensor) -> list[Segment]:
    singles = [chunk for chunk in ordered if len(chunk.token_ids) == 1]
    segments, first = [], 0
    for group in group_slots([(chunk.slot.number, chunk.start + 1) for chunk in singles]):
        lengths = [length for _, length in group]
        mask = None if min(lengths) == max(lengths) else _length_mask(lengths, like)
        slots = (group[0][0], group[-1][0] + 1)
        segments.append(Segment(first, first + len(group), *slots, max(lengths), mask))
        first += len(group)
    for chunk in ordered[len(singles) :]:
        last, length = first + len(chunk.token_ids), chunk.start + len(chunk.token_ids)
        mask = _causal_mask(chunk.start, length, like) if chunk.start else None
        segments.append(Segment(first, last, chunk.slot.number, chunk.slot.number + 1, length, mask))
        first = last
    return segments


def group_slots(lengths: Sequence[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """(slot, length) in the order of slots → neighbours of like length together.

    A group is read to its longest slot's end: one more call of the kernel pays where that would waste more.
    """
    groups: list[list[tuple[int, int]]] = []
    longest = 0
    for slot, length in lengths:
        group = groups[-1] if groups else []
        together = max(longest, length) * (len(group) + 1)
        apart = longest * len(group) + length + _CALL_POSITIONS
        if group and slot == group[-1][0] + 1 and together <= apart:
            group.append((slot, length))
            longest = max(longest, length)
        else:
            groups.append([(slot, length)])
            longest = length
    return groups


def _length_mask(lengths: Sequence[int], like: Tensor) -> Tensor:
    """[slots, 1, 1, longest]"""
    limits = torch.tensor(lengths, device=like.device).view(-1, 1, 1, 1)
    positions = torch.arange(max(lengths), device=like.device)
    return _additive(positions < limits, like)


def _causal_mask(start: int, length: int, like: Tensor) -> Tensor:
    """[1, 1, tokens, length] for the tokens from `start` on."""
    positions = torch.arange(length, device=like.device)
    return _additive((positions <= positions[start:, None]).view(1, 1, length - start, length), like)


def _additive(allowed: Tensor, like: Tensor) -> Tensor:
    return torch.zeros(allowed.shape, dtype=like.dtype, device=like.device).masked_fill_(~allowed, float("-inf"))
