"""Logits → tokens, each row of a batch by its own settings.

It knows token ids and nothing of text, people or where the logits come from.
"""

import hashlib
import struct
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from core.generation.request import SamplingParams

_NEVER = float("-inf")


@dataclass(frozen=True, slots=True)
class Row:
    """What a row's next token depends on, besides its logits."""

    params: SamplingParams
    seed: int
    #: Which of the request's hypotheses this is.
    candidate: int
    #: Prompt and reply so far.
    context_ids: Sequence[int]
    #: How many tokens of `context_ids` are the reply's.
    new_tokens: int
    stop_ids: frozenset[int]
    #: `SamplingParams.bad_words` as token ids.
    banned: tuple[tuple[int, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Choice:
    token_id: int
    #: Natural log of the model's own probability, before any setting.
    log_probability: float


def choose(logits: Tensor, rows: Sequence[Row]) -> list[Choice]:
    """The next token of each row. `logits` is [row, vocabulary]; rows with a NaN are the caller's to refuse."""
    scores = logits.float().clone()
    own = torch.log_softmax(scores, dim=-1)
    for index, row in enumerate(rows):
        _forbid_and_penalise(scores[index], row)
    drawn = torch.tensor(_draw(scores, rows), device=scores.device).unsqueeze(1)
    return [
        Choice(token, log_probability)
        for token, log_probability in zip(
            drawn.squeeze(1).tolist(), own.gather(1, drawn).squeeze(1).tolist(), strict=True
        )
    ]


def uniform(seed: int, position: int, candidate: int) -> float:
    """A number in [0, 1) that depends on nothing but its arguments, so that a batch has no say in it."""
    key = struct.pack("<QQQ", seed & (2**64 - 1), position, candidate)
    digest = hashlib.blake2b(key, digest_size=8).digest()
    return (int.from_bytes(digest, "little") >> 11) * 2.0**-53


def _draw(scores: Tensor, rows: Sequence[Row]) -> list[int]:
    tokens: list[int] = scores.argmax(dim=-1).tolist()
    drawing = [index for index, row in enumerate(rows) if row.params.temperature > 0]
    if not drawing:
        return tokens
    warped = warp(scores[drawing], [rows[index].params for index in drawing])
    # In float64 and in the vocabulary's order, a rounding error of the logits moves a border by as much and no more.
    borders = torch.softmax(warped.double(), dim=-1).cumsum(dim=-1)
    points = [uniform(rows[i].seed, rows[i].new_tokens, rows[i].candidate) for i in drawing]
    last = borders[:, -1:]
    targets = torch.tensor(points, dtype=torch.float64, device=scores.device).unsqueeze(1) * last
    targets = targets.minimum(last.nextafter(torch.zeros_like(last)))
    for index, token in zip(drawing, torch.searchsorted(borders, targets, right=True).squeeze(1).tolist(), strict=True):
        tokens[index] = token
    return tokens


def warp(scores: Tensor, params: Sequence[SamplingParams]) -> Tensor:
    """Temperature, then the cuts of the vocabulary: [row, vocabulary] → the same, what was cut at −∞."""
    scores = scores / _column(scores, [p.temperature for p in params])
    if any(p.top_k for p in params):
        scores = _keep_top_k(scores, [p.top_k for p in params])
    if any(p.top_p < 1 for p in params):
        scores = _keep_top_p(scores, _column(scores, [p.top_p for p in params]))
    if any(p.min_p for p in params):
        scores = _keep_min_p(scores, _column(scores, [p.min_p for p in params]))
    if any(p.typical_p < 1 for p in params):
        scores = _keep_typical(scores, _column(scores, [p.typical_p for p in params]))
    return scores


def _column(like: Tensor, values: Sequence[float]) -> Tensor:
    return torch.tensor(values, dtype=like.dtype, device=like.device).unsqueeze(1)


def _keep_top_k(scores: Tensor, top_k: Sequence[int]) -> Tensor:
    vocabulary = scores.shape[-1]
    ks = [min(k, vocabulary) if k else vocabulary for k in top_k]
    best = scores.topk(max(ks), dim=-1).values
    thresholds = best.gather(1, torch.tensor(ks, device=scores.device).unsqueeze(1) - 1)
    return scores.masked_fill(scores < thresholds, _NEVER)


def _keep_top_p(scores: Tensor, top_p: Tensor) -> Tensor:
    """Nucleus sampling (Holtzman et al. 2020, arXiv 1904.09751)."""
    ordered, order = scores.sort(dim=-1, descending=True, stable=True)
    probabilities = ordered.softmax(dim=-1)
    before = probabilities.cumsum(dim=-1) - probabilities
    cut = (before >= top_p) & (top_p < 1)
    cut[:, 0] = False
    return scores.masked_fill(cut.scatter(1, order, cut), _NEVER)


def _keep_min_p(scores: Tensor, min_p: Tensor) -> Tensor:
    """Min-p sampling (Nguyen et al. 2024, arXiv 2407.01082)."""
    probabilities = scores.softmax(dim=-1)
    return scores.masked_fill(probabilities < min_p * probabilities.amax(dim=-1, keepdim=True), _NEVER)


def _keep_typical(scores: Tensor, typical_p: Tensor) -> Tensor:
    """Locally typical sampling (Meister et al. 2022, arXiv 2202.00666)."""
    log_probabilities = scores.log_softmax(dim=-1)
    probabilities = log_probabilities.exp()
    entropy = -(log_probabilities * probabilities).nansum(dim=-1, keepdim=True)
    surprise = (-log_probabilities - entropy).abs()
    order = surprise.argsort(dim=-1, stable=True)
    mass = probabilities.gather(1, order)
    cut = (mass.cumsum(dim=-1) - mass >= typical_p) & (typical_p < 1)
    cut[:, 0] = False
    return scores.masked_fill(cut.scatter(1, order, cut), _NEVER)


def _forbid_and_penalise(scores: Tensor, row: Row) -> None:
    """In place, on one row [vocabulary]."""
    if row.params.repetition_penalty != 1:
        _penalise_repetition(scores, row)
    for token in _repeating_tokens(row) | _completing_tokens(row):
        scores[token] = _NEVER
    if row.new_tokens < row.params.min_new_tokens:
        scores[list(row.stop_ids)] = _NEVER


def _penalise_repetition(scores: Tensor, row: Row) -> None:
    seen = torch.tensor(sorted(set(row.context_ids)), device=scores.device)
    values = scores[seen]
    penalty = row.params.repetition_penalty
    scores[seen] = torch.where(values < 0, values * penalty, values / penalty)


def _repeating_tokens(row: Row) -> set[int]:
    """The tokens that would complete an n-gram for the second time."""
    size = row.params.no_repeat_ngram
    ids = row.context_ids
    if not size or len(ids) < size:
        return set()
    tail = tuple(ids[len(ids) - size + 1 :])
    return {
        ids[start + size - 1] for start in range(len(ids) - size + 1) if tuple(ids[start : start + size - 1]) == tail
    }


def _completing_tokens(row: Row) -> set[int]:
    """The last tokens of banned sequences whose beginning has just been written."""
    reply = tuple(row.context_ids[len(row.context_ids) - row.new_tokens :])
    return {
        sequence[-1]
        for sequence in row.banned
        if reply[len(reply) - len(sequence) + 1 :] == sequence[:-1] and len(reply) >= len(sequence) - 1
    }
