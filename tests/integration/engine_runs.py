"""Drives an engine in this process: jobs in, steps, answers out. And what transformers' own `generate()` says."""

from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForSeq2SeqLM, GenerationConfig, PreTrainedModel

from core.dialogue import FinishReason
from core.generation.batcher import Batcher
from core.generation.engine import Engine, Job
from core.generation.loaded_models import EngineLimits, LoadedModel
from core.generation.messages import Answer, Failed, Finished, Loaded, Score, Scores, Submit, Tokens
from core.generation.network import Network
from core.generation.request import ModelSpec, SamplingParams, ScorePair
from core.generation.scheduler import BatchLimits

GREEDY = SamplingParams(temperature=0, max_new_tokens=12)
PROMPT = tuple(range(5, 45))
LAST_ANSWERS = (Finished, Failed, Scores, Loaded)
#: Small pieces, so that every longer prompt is read in several.
BATCH = BatchLimits(running=32, prefill_tokens=13, prefill_tokens_alone=29)


def job(spec: ModelSpec, sampling: SamplingParams = GREEDY, **changes: object) -> Submit:
    wanted: dict[str, object] = {"prompt_ids": PROMPT, "stop_ids": frozenset(), "seed": 1, "timeout_s": 60.0}
    return Submit.model_validate({"id": "job", "model": spec, "sampling": sampling} | wanted | changes)


def score(spec: ModelSpec, pairs: Sequence[ScorePair], **changes: object) -> Score:
    return Score.model_validate({"id": "score", "model": spec, "pairs": tuple(pairs), "timeout_s": 60.0} | changes)


class Drive:
    """An engine and everything it has answered."""

    def __init__(
        self,
        batch: BatchLimits = BATCH,
        *,
        device: str = "cpu",
        context_window: int = 160,
        memory_bytes: int = 10**9,
    ) -> None:
        limits = EngineLimits(device, memory_bytes=memory_bytes, context_window=context_window, batch=batch)
        self.engine = Engine(limits)
        self.answers: defaultdict[str, list[Answer]] = defaultdict(list)

    def step(self) -> list[Answer]:
        answers = self.engine.step()
        for answer in answers:
            assert self.last(answer.id) is None, "something came after the last answer"
            self.answers[answer.id].append(answer)
        return answers

    def submit(self, *jobs: Job) -> None:
        for submitted in jobs:
            self.answers.pop(submitted.id, None)
            self.engine.submit(submitted)

    def run(self, *jobs: Job, steps: int = 2000) -> None:
        """Until nothing is left to do."""
        self.submit(*jobs)
        while self.engine.can_step:
            self.step()
            steps -= 1
            assert steps, "it does not come to an end"

    def last(self, job_id: str) -> Answer | None:
        answers = self.answers[job_id]
        return answers[-1] if answers and isinstance(answers[-1], LAST_ANSWERS) else None

    def finished(self, submitted: Submit | str) -> Finished:
        """Of a job that ran; a `Submit` is run first."""
        if isinstance(submitted, Submit):
            self.run(submitted)
        last = self.last(submitted if isinstance(submitted, str) else submitted.id)
        assert isinstance(last, Finished), last
        return last

    def text(self, submitted: Submit | str) -> tuple[int, ...]:
        """The only hypothesis."""
        return self.finished(submitted).hypotheses[0].token_ids

    def streamed(self, job_id: str) -> tuple[int, ...]:
        tokens = [answer.token_ids for answer in self.answers[job_id] if isinstance(answer, Tokens)]
        return tuple(token for piece in tokens for token in piece)

    def reason(self, job_id: str) -> str:
        last = self.last(job_id)
        assert isinstance(last, Failed), last
        return last.reason

    def scores(self, wanted: Score) -> tuple[float, ...]:
        self.run(wanted)
        last = self.last(wanted.id)
        assert isinstance(last, Scores), last
        return last.log_probabilities

    def cancel(self, job_id: str, reason: FinishReason = FinishReason.CANCELLED) -> None:
        self.engine.end(job_id, reason)

    def loaded(self, spec: ModelSpec) -> LoadedModel:
        """The model, loaded now if it was not."""
        if self.engine.models.get(spec) is None:
            self.engine.models.load(spec, lambda _fraction: None)
        model = self.engine.models.get(spec)
        assert model is not None
        return model

    def batcher(self, spec: ModelSpec) -> Batcher:
        runner = self.loaded(spec).runner
        assert isinstance(runner, Batcher)
        return runner

    def network(self, spec: ModelSpec) -> Network:
        return self.loaded(spec).network


@cache
def _own(folder: str, dtype: str) -> PreTrainedModel:
    encodes = AutoConfig.from_pretrained(folder).is_encoder_decoder
    kind = AutoModelForSeq2SeqLM if encodes else AutoModelForCausalLM
    model = kind.from_pretrained(folder, dtype=getattr(torch, dtype))
    model.generation_config = GenerationConfig(decoder_start_token_id=model.generation_config.decoder_start_token_id)
    network: PreTrainedModel = model.eval()
    return network


def own_network(spec: ModelSpec) -> Any:
    """The model as transformers loads it."""
    return _own(spec.folder, "float32" if spec.dtype == "auto" else spec.dtype)


@cache
def by_generate(spec: ModelSpec, prompt_ids: tuple[int, ...], new_tokens: int = 12) -> tuple[int, ...]:
    """What `generate()` writes, alone."""
    model = own_network(spec)
    ids = torch.tensor([prompt_ids])
    settings = GenerationConfig(max_new_tokens=new_tokens, do_sample=False, pad_token_id=0)
    output = model.generate(ids, attention_mask=torch.ones_like(ids), generation_config=settings)[0].tolist()
    return tuple(output[1:] if model.config.is_encoder_decoder else output[len(prompt_ids) :])
