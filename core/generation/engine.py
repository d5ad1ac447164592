"""The engine: token ids in, token ids out, one job after another.

It knows nothing of text, turns, sessions or platforms, and runs in the engine's own process only.
"""

import gc
import inspect
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import takewhile

import torch
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel
from transformers.cache_utils import DynamicLayer

from core.dialogue import FinishReason
from core.errors import ModelTooLarge, RequestFailed, SettingsError
from core.generation import weights
from core.generation.messages import Finished, Hypothesis, Submit
from core.generation.queue import Control
from core.generation.request import ModelSpec, ScorePair, Timings
from core.generation.sampler import Choice, Row, choose

logger = logging.getLogger(__name__)

#: A long prompt is prefilled so many tokens at a time, so that a cancel is heard in between.
PREFILL_CHUNK = 256


@dataclass(frozen=True, slots=True)
class EngineLimits:
    #: "auto", "cpu", "cuda" or "cuda:N".
    device: str = "auto"
    #: CPU threads; 0 leaves it to PyTorch.
    threads: int = 0
    #: Most bytes that models may take; 0 is what the device has free.
    memory_bytes: int = 0


@dataclass(slots=True)
class Writing:
    """A hypothesis while it is written."""

    candidate: int
    #: Prompt and reply.
    context_ids: list[int]
    prompt_length: int
    finish_reason: FinishReason | None = None
    log_probability: float = 0.0

    def row(self, job: Submit) -> Row:
        return Row(
            params=job.sampling,
            seed=job.seed,
            candidate=self.candidate,
            context_ids=self.context_ids,
            new_tokens=len(self.context_ids) - self.prompt_length,
            stop_ids=job.stop_ids,
            banned=job.banned,
        )

    def take(self, choice: Choice, job: Submit) -> None:
        """Adds a token, or ends."""
        self.log_probability += choice.log_probability
        if choice.token_id in job.stop_ids:
            self.finish_reason = FinishReason.STOP
            return
        self.context_ids.append(choice.token_id)
        if len(self.context_ids) - self.prompt_length >= job.sampling.max_new_tokens:
            self.finish_reason = FinishReason.LENGTH

    def hypothesis(self, interruption: FinishReason | None) -> Hypothesis:
        return Hypothesis(
            token_ids=tuple(self.context_ids[self.prompt_length :]),
            finish_reason=self.finish_reason or interruption or FinishReason.CANCELLED,
            log_probability=self.log_probability,
        )


@dataclass(slots=True)
class Kept:
    """The keys and values of the last dialogue: its next turn prefills only what is new."""

    token_ids: list[int]
    cache: DynamicCache


@dataclass(slots=True)
class LoadedModel:
    """A model on the device."""

    spec: ModelSpec
    network: PreTrainedModel
    #: Positions that it can see.
    window: int
    #: What its forward takes to give the last position's logits alone.
    forward_options: dict[str, int]
    kept: Kept | None = None
    used_at: float = field(default_factory=time.monotonic)

    def forward(self, ids: Tensor, cache: DynamicCache) -> Tensor:
        """[row, new] → logits of the last position, [row, vocabulary]; the cache grows by `new`."""
        output = self.network(input_ids=ids, past_key_values=cache, use_cache=True, **self.forward_options)
        logits: Tensor = output.logits[:, -1]
        if torch.isnan(logits).any():
            raise RequestFailed(f"{self.spec.name} computed something that is no number; try float32 (dtype)")
        return logits

    def take_cache(self, prompt_ids: Sequence[int]) -> tuple[DynamicCache, int]:
        """A cache that holds the first tokens of the prompt, and how many. The caller owns it from here."""
        kept, self.kept = self.kept, None
        if kept is None:
            return DynamicCache(config=self.network.config), 0
        pairs = zip(kept.token_ids, prompt_ids[:-1], strict=False)
        shared = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))
        surplus = kept.cache.get_seq_length() - shared
        if surplus:
            kept.cache.crop(-surplus)
        return kept.cache, shared

    def keep_cache(self, cache: DynamicCache, context_ids: Sequence[int]) -> None:
        if all(type(layer) is DynamicLayer for layer in cache.layers):
            self.kept = Kept(list(context_ids[: cache.get_seq_length()]), cache)


class Engine:
    """Owns the device. Its methods block; one thread calls them."""

    def __init__(self, limits: EngineLimits) -> None:
        if limits.threads:
            torch.set_num_threads(limits.threads)
        self.device = _device(limits.device)
        self._memory_bytes = limits.memory_bytes
        self._models: dict[ModelSpec, LoadedModel] = {}

    def load(self, spec: ModelSpec, progress: Callable[[float], None] = lambda _fraction: None) -> LoadedModel:
        """The model, loaded if it was not. Raises ModelError where it can't be."""
        model = self._models.get(spec)
        if model is None:
            model = self._models[spec] = _loaded(spec, self._load_with_room(spec, progress))
        model.used_at = time.monotonic()
        return model

    def holds(self, spec: ModelSpec) -> bool:
        return spec in self._models

    def generate(self, job: Submit, control: Control) -> Finished:
        """Writes `job.sampling.candidates` hypotheses; a single one is also emitted token by token.

        Raises RequestFailed where the model can't answer this request, ModelError where it can't be loaded.
        """
        model = self.load(job.model, control.loading)
        _check_room(job, model.window)
        if len(job.prefix_ids) >= job.sampling.max_new_tokens:
            return _finished_already(job)
        try:
            with torch.inference_mode():
                return self._write(model, job, control)
        except torch.OutOfMemoryError:
            raise RequestFailed("the device ran out of memory; lower generation.context_window") from None

    def score(self, spec: ModelSpec, pairs: Sequence[ScorePair], control: Control) -> tuple[float, ...]:
        """log P(continuation | prefix) of each pair, in nats."""
        model = self.load(spec, control.loading)
        scores: list[float] = []
        with torch.inference_mode():
            for pair in pairs:
                if control.cancelled or control.expired:
                    raise RequestFailed("scoring was ended before it was done; send fewer pairs or allow more time")
                scores.append(self._log_probability(model, pair))
        return tuple(scores)

    def _load_with_room(self, spec: ModelSpec, progress: Callable[[float], None]) -> PreTrainedModel:
        """The least recently used models leave while memory is short."""
        while True:
            try:
                return weights.load(spec, self.device, self._memory_left(), progress)
            except ModelTooLarge:
                if not self._models:
                    raise
            self._unload_oldest()

    def _unload_oldest(self) -> None:
        oldest = min(self._models, key=lambda spec: self._models[spec].used_at)
        del self._models[oldest]
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()  # what torch keeps for itself does not count as free
        logger.info("unloaded", extra={"action": "unload", "model": oldest.name})

    def _memory_left(self) -> int:
        """For one more model; 0 is whatever the device has free."""
        if not self._memory_bytes:
            return 0
        weights_held = (weight for model in self._models.values() for weight in model.network.parameters())
        held = sum(weight.numel() * weight.element_size() for weight in weights_held)
        return max(self._memory_bytes - held, 1)

    def _write(self, model: LoadedModel, job: Submit, control: Control) -> Finished:
        started, first_token_s = time.monotonic(), 0.0
        prompt = [*job.prompt_ids, *job.prefix_ids]
        cache, reused = model.take_cache(prompt)
        writings = [Writing(n, list(prompt), len(job.prompt_ids)) for n in range(job.sampling.candidates)]
        logits = self._prefill(model, cache, prompt[reused:], control)
        if len(writings) > 1 and logits is not None:
            cache.batch_repeat_interleave(len(writings))
            logits = logits.repeat_interleave(len(writings), dim=0)
        while logits is not None:
            written = _step(logits, writings, job, control)
            first_token_s = first_token_s or time.monotonic() - started
            if _interruption(control) or all(writing.finish_reason for writing in writings):
                break
            logits = model.forward(torch.tensor(written, device=self.device).unsqueeze(1), cache)
        if len(writings) == 1:
            model.keep_cache(cache, writings[0].context_ids)
        return Finished(
            id=job.id,
            hypotheses=tuple(writing.hypothesis(_interruption(control)) for writing in writings),
            timings=Timings(0.0, first_token_s, time.monotonic() - started, len(prompt) - reused),
        )

    def _prefill(self, model: LoadedModel, cache: DynamicCache, ids: Sequence[int], control: Control) -> Tensor | None:
        """Logits [1, vocabulary] after the prompt; None when the job was interrupted."""
        logits = None
        for start in range(0, len(ids), PREFILL_CHUNK):
            if _interruption(control):
                return None
            logits = model.forward(torch.tensor([ids[start : start + PREFILL_CHUNK]], device=self.device), cache)
        return logits

    def _log_probability(self, model: LoadedModel, pair: ScorePair) -> float:
        if not pair.prefix_ids:
            raise RequestFailed("a score needs at least one token before the continuation")
        ids = [*pair.prefix_ids, *pair.continuation_ids]
        if len(ids) > model.window:
            raise RequestFailed(f"{len(ids)} tokens to score, but {model.spec.name} sees {model.window}")
        logits: Tensor = model.network(input_ids=torch.tensor([ids], device=self.device)).logits
        predicted = logits[0, len(pair.prefix_ids) - 1 : -1].float().log_softmax(dim=-1)
        continuation = torch.tensor(pair.continuation_ids, dtype=torch.int64, device=self.device)
        return float(predicted.gather(1, continuation.unsqueeze(1)).double().sum())


def _step(logits: Tensor, writings: Sequence[Writing], job: Submit, control: Control) -> list[int]:
    """Draws the next token of every hypothesis; those that have ended ride along unheard."""
    choices = choose(logits, [writing.row(job) for writing in writings])
    for writing, choice in zip(writings, choices, strict=True):
        if writing.finish_reason is None:
            writing.take(choice, job)
            if len(writings) == 1 and writing.finish_reason is not FinishReason.STOP:
                control.emit(choice.token_id)
    return [choice.token_id for choice in choices]


def _interruption(control: Control) -> FinishReason | None:
    if control.cancelled:
        return FinishReason.CANCELLED
    return FinishReason.DEADLINE if control.expired else None


def _finished_already(job: Submit) -> Finished:
    """The prefix is a whole reply: only the word that it is finished was lost."""
    whole = Hypothesis(token_ids=job.prefix_ids, finish_reason=FinishReason.LENGTH, log_probability=0.0)
    return Finished(id=job.id, hypotheses=(whole,) * job.sampling.candidates, timings=Timings())


def _check_room(job: Submit, window: int) -> None:
    wanted = len(job.prompt_ids) + job.sampling.max_new_tokens
    if not job.prompt_ids:
        raise RequestFailed("the prompt is empty")
    if wanted > window:
        raise RequestFailed(
            f"{len(job.prompt_ids)} tokens of prompt and {job.sampling.max_new_tokens} of reply outgrow the "
            f"{window} that {job.model.name} sees; lower max_new_tokens"
        )


def _loaded(spec: ModelSpec, network: PreTrainedModel) -> LoadedModel:
    takes_logits_to_keep = "logits_to_keep" in inspect.signature(network.forward).parameters
    window = getattr(network.config, "max_position_embeddings", None) or 2**31
    return LoadedModel(spec, network, window, {"logits_to_keep": 1} if takes_logits_to_keep else {})


def _device(name: str) -> torch.device:
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise SettingsError(f"engine.device = {name!r}: torch finds no CUDA device here; use auto or cpu")
    if name != "auto":
        return torch.device(name)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
