"""Logits → tokens, each row of a batch by its own settings.

It knows token ids and nothing of text, people or where the logits come from.
"""

import hashlib
import struct
from collections.abc import Collection, Sequence

import torch
from torch import Tensor

from core.generation.request import SamplingParams
from core.generation.writing import Choice, Row

_NEVER = float("-inf")
#: The cuts are tried on so many of the likeliest tokens, and on all of them only where these don't settle it.
_LIKELIEST = 256


def choose(logits: Tensor, rows: Sequence[Row]) -> list[Choice]:
    """The next token of each row. `logits` is [row, vocabulary].

    A row with a NaN, or without a finite number, gets a log probability of NaN; its token means nothing.
    """
    logits = logits if logits.dtype == torch.float64 else logits.float()
    scores = _forbid_and_penalise(logits, rows)
    tokens = scores.argmax(dim=-1)
    drawing = [index for index, row in enumerate(rows) if row.params.temperature > 0]
    if len(drawing) == len(rows):
        tokens = _draw(scores, rows)
    elif drawing:
        tokens[torch.tensor(drawing, device=tokens.device)] = _draw(scores[drawing], [rows[i] for i in drawing])
    chosen = tokens.unsqueeze(1)
    own = (logits.gather(1, chosen) - logits.logsumexp(dim=-1, keepdim=True)).squeeze(1)
    return [Choice(token, probability) for token, probability in zip(tokens.tolist(), own.tolist(), strict=True)]


def uniform(seed: int, position: int, candidate: int) -> float:
    """A number in [0, 1) that depends on nothing but its arguments, so that a batch has no say in it."""
    key = struct.pack("<QQQ", seed & (2**64 - 1), position, candidate)
    digest = hashlib.blake2b(key, digest_size=8).digest()
    return (int.from_bytes(digest, "little") >> 11) * 2.0**-53


def _draw(scores: Tensor, rows: Sequence[Row]) -> Tensor:
    """[row, vocabulary] → [row]"""
    values, ids = cut(scores, [row.params for row in rows])
    # In float64 and in the vocabulary's order, a rounding error of the logits moves a border by as much and no more.
    ids, order = ids.sort(dim=-1)
    borders = torch.softmax(values.gather(1, order).double(), dim=-1).cumsum(dim=-1)
    points = [uniform(row.seed, row.new_tokens, row.candidate) for row in rows]
    last = borders[:, -1:]
    targets = torch.tensor(points, dtype=torch.float64, device=scores.device).unsqueeze(1) * last
    targets = targets.minimum(last.nextafter(torch.zeros_like(last)))
    places = torch.searchsorted(borders, targets, right=True).clamp_(max=ids.shape[1] - 1)  # a NaN is put last
    return ids.gather(1, places).squeeze(1)


def cut(scores: Tensor, params: Sequence[SamplingParams]) -> tuple[Tensor, Tensor]:
    """Temperature, then the cuts: [row, vocabulary] → (scores, token ids) of the kept tokens, likeliest first.

    Each is [row, kept by the most generous row]; what another row cuts is −∞ there.
    """
    scores = scores / _column(scores, [p.temperature for p in params])
    vocabulary = scores.shape[-1]
    wanted = 1 + max([p.top_k for p in params if p.top_k < vocabulary] + [_LIKELIEST])
    if wanted < vocabulary and all(p.top_k or p.top_p < 1 or p.min_p for p in params):
        values, ids = scores.topk(wanted, dim=-1)
        kept, settled = _cut(values, scores, params)
        if settled:
            return kept, ids
    values, ids = scores.sort(dim=-1, descending=True, stable=True)
    return _cut(values, scores, params)[0], ids


def _cut(values: Tensor, scores: Tensor, params: Sequence[SamplingParams]) -> tuple[Tensor, bool]:
    """Cuts among the likeliest `values`, [row, likeliest first]; and whether no token beyond them would be kept."""
    inside = _keep_top_k(values, [p.top_k for p in params])
    if any(p.top_p < 1 for p in params):
        # The mass is that of all tokens, but for rows that top-k has cut already.
        whole = torch.tensor([[not 0 < p.top_k < scores.shape[-1]] for p in params], device=scores.device)
        mass = torch.where(whole, scores.logsumexp(dim=-1, keepdim=True), inside.logsumexp(dim=-1, keepdim=True))
        inside = _keep_top_p(inside, mass, _column(values, [p.top_p for p in params]))
    if any(p.min_p for p in params):
        inside = _keep_min_p(inside, _column(values, [p.min_p for p in params]))
    settled = values.shape[-1] == scores.shape[-1] or not inside[:, -1].isfinite().any()
    if any(p.typical_p < 1 for p in params) and settled:
        inside = _keep_typical(inside, _column(values, [p.typical_p for p in params]))
    return inside, bool(settled)


def _column(like: Tensor, values: Sequence[float]) -> Tensor:
    return torch.tensor(values, dtype=like.dtype, device=like.device).unsqueeze(1)


def _keep_top_k(values: Tensor, top_k: Sequence[int]) -> Tensor:
    most = values.shape[-1]
    if not any(0 < k < most for k in top_k):
        return values
    last = torch.tensor([(k if 0 < k < most else most) - 1 for k in top_k], device=values.device)
    return values.masked_fill(values < values.gather(1, last.unsqueeze(1)), _NEVER)


def _keep_top_p(values: Tensor, mass: Tensor, top_p: Tensor) -> Tensor:
    """Nucleus sampling (Holtzman et al. 2020, arXiv 1904.09751)."""
    probabilities = (values - mass).exp()
    cut = (probabilities.cumsum(dim=-1) - probabilities >= top_p) & (top_p < 1)
    cut[:, 0] = False
    return values.masked_fill(cut, _NEVER)


def _keep_min_p(values: Tensor, min_p: Tensor) -> Tensor:
    """Min-p sampling (Nguyen et al. 2024, arXiv 2407.01082)."""
    return values.masked_fill(values < values[:, :1] + min_p.log(), _NEVER)


def _keep_typical(values: Tensor, typical_p: Tensor) -> Tensor:
    """Locally typical sampling (Meister et al. 2022, arXiv 2202.00666)."""
    log_probabilities = values.log_softmax(dim=-1)
    probabilities = log_probabilities.exp()
    entropy = -(log_probabilities * probabilities).nansum(dim=-1, keepdim=True)
    surprise = (-log_probabilities - entropy).abs()
    order = surprise.argsort(dim=-1, stable=True)
    below = (probabilities.gather(1, order).cumsum(dim=-1) < typical_p).sum(dim=-1, keepdim=True)
    least = surprise.gather(1, order.gather(1, below.clamp(max=values.shape[-1] - 1)))
    return values.masked_fill((surprise > least) & (typical_p < 1), _NEVER)


def _forbid_and_penalise(logits: Tensor, rows: Sequence[Row]) -> Tensor:
    """The logits, or a changed copy."""
    scores = logits
    if any(row.penalised for row in rows):
        where = _cells([row.penalised for row in rows], logits)
        penalties = torch.tensor([row.params.repetition_penalty for row in rows], dtype=logits.dtype)
        factors = penalties.to(logits.device)[where[0]]
        values = logits[where]
        scores = logits.index_put(where, torch.where(values < 0, values * factors, values / factors))
    forbidden = [row.forbidden() for row in rows]
    if any(forbidden):
        never = torch.tensor(_NEVER, dtype=scores.dtype, device=scores.device)
        scores = scores.index_put(_cells(forbidden, logits), never)
    return scores


def _cells(tokens: Sequence[Collection[int]], like: Tensor) -> tuple[Tensor, Tensor]:
    """(rows, columns) of each row's tokens; a tokenizer may know some that the model does not."""
    cells = [(index, token) for index, row in enumerate(tokens) for token in row if token < like.shape[-1]]
    rows, columns = torch.tensor(cells, dtype=torch.int64, device=like.device).view(-1, 2).unbind(dim=1)
    return rows, columns
