"""log P(continuation | prefix) of many pairs, in padded forwards, a bounded piece at each step.

Scores wait neither for replies nor make them wait long: while replies are written, a piece is small.
"""

import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from core.dialogue import FinishReason
from core.errors import RequestFailed
from core.generation.failures import is_out_of_memory, raise_if_device_is_lost
from core.generation.messages import Answer, Failed, Score, Scores
from core.generation.network import Network
from core.generation.request import ScorePair

logger = logging.getLogger(__name__)

#: Tokens of a forward, padding included, while nothing else runs and while replies are written.
_TOKENS_ALONE = 1024
_TOKENS_BESIDE = 128


@dataclass(eq=False, slots=True)
class Scored:
    """A score job on its way."""

    job: Score
    number: int
    #: Places in `job.pairs` that are still to be scored, longest first: neighbours pad each other little.
    left: list[int]
    log_probabilities: list[float]
    #: Tokens of a forward; halved when memory is short.
    most_tokens: int = field(default=_TOKENS_ALONE)

    @property
    def order(self) -> tuple[int, int]:
        return -self.job.priority, self.number


class Scoring:
    """The score jobs of one model."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._jobs: dict[str, Scored] = {}
        self._submitted = 0

    def __len__(self) -> int:
        return len(self._jobs)

    def submit(self, job: Score) -> None:
        """Raises RequestFailed for pairs that the model can't score."""
        if self._network.module.config.is_encoder_decoder:
            raise RequestFailed(f"{self._network.spec.name} is an encoder-decoder, which scores nothing")
        for pair in job.pairs:
            self._check(pair)
            self._network.check_tokens([*pair.prefix_ids, *pair.continuation_ids])
        left = sorted(range(len(job.pairs)), key=lambda index: -_length(job.pairs[index]))
        self._submitted += 1
        self._jobs[job.id] = Scored(job, self._submitted, left, [0.0] * len(job.pairs))

    def uses(self, adapter: str) -> bool:
        return any(scored.job.model.adapter == adapter for scored in self._jobs.values())

    def end(self, job_id: str, reason: FinishReason) -> list[Answer]:
        if self._jobs.pop(job_id, None) is None:
            return []
        return [_failed(job_id, f"scoring was ended before it was done ({reason.value})")]

    def step(self, *, beside: bool) -> list[Answer]:
        """Scores the next pairs of the most urgent job; `beside` replies that are written."""
        if not self._jobs:
            return []
        scored = min(self._jobs.values(), key=lambda scored: scored.order)
        piece = _piece(scored, min(scored.most_tokens, _TOKENS_BESIDE if beside else _TOKENS_ALONE))
        try:
            scores = self._score([scored.job.pairs[i] for i in piece], scored.job.model.adapter)
            for index, score in zip(piece, scores, strict=True):
                scored.log_probabilities[index] = score
        except Exception as error:  # noqa: BLE001 - whatever a model's code raises
            raise_if_device_is_lost(error)
            return self._after_failure(error, scored, piece)
        if any(math.isnan(scored.log_probabilities[index]) for index in piece):
            del self._jobs[scored.job.id]
            return [_failed(scored.job.id, f"{self._network.spec.name} computed no number; try dtype float32")]
        del scored.left[: len(piece)]
        if scored.left:
            return []
        del self._jobs[scored.job.id]
        return [Scores(id=scored.job.id, log_probabilities=tuple(scored.log_probabilities))]

    def _after_failure(self, error: Exception, scored: Scored, piece: Sequence[int]) -> list[Answer]:
        if is_out_of_memory(error) and len(piece) > 1:
            read = sum(_length(scored.job.pairs[index]) for index in piece)
            scored.most_tokens = max(min(scored.most_tokens, read) // 2, 1)
            return []
        logger.error("a score failed", exc_info=error, extra={"action": "request_failed"})
        del self._jobs[scored.job.id]
        return [_failed(scored.job.id, f"scoring failed with {type(error).__name__}; see engine.log")]

    def _check(self, pair: ScorePair) -> None:
        if not pair.prefix_ids:
            raise RequestFailed("a score needs at least one token before the continuation")
        if _length(pair) > self._network.window:
            raise RequestFailed(
                f"{_length(pair)} tokens to score, but {self._network.spec.name} sees {self._network.window}"
            )

    @torch.inference_mode()
    def _score(self, pairs: Sequence[ScorePair], adapter: str) -> list[float]:
        if not pairs:
            return []
        longest = max(_length(pair) for pair in pairs)
        # Padded at the end: no token looks at what comes after it.
        rows = [[*pair.prefix_ids, *pair.continuation_ids, *[0] * (longest - _length(pair))] for pair in pairs]
        logits = self._network.read_whole(torch.tensor(rows, device=self._network.device), adapter)
        scores = []
        for row, pair in zip(logits, pairs, strict=True):
            predicted = row[len(pair.prefix_ids) - 1 : _length(pair) - 1].float().log_softmax(dim=-1)
            continuation = torch.tensor(pair.continuation_ids, dtype=torch.int64, device=row.device)
            scores.append(float(predicted.gather(1, continuation.unsqueeze(1)).double().sum()))
        return scores


def _piece(scored: Scored, tokens: int) -> list[int]:
    """The next places, as many as one forward may hold and at least one."""
    if not scored.left:
        return []
    longest = _length(scored.job.pairs[scored.left[0]])
    return scored.left[: max(tokens // max(longest, 1), 1)]


def _length(pair: ScorePair) -> int:
    return len(pair.prefix_ids) + len(pair.continuation_ids)


def _failed(job_id: str, reason: str) -> Failed:
    return Failed(id=job_id, error=RequestFailed.__name__, reason=reason)
