"""Ten minutes of random requests, cancels, holds and faults: `pytest -m soak tests/soak`.

BANTER_SOAK_S sets the seconds and BANTER_SOAK_SEED the seed; the seed that failed is in the failure's message.
"""

import gc
import logging
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import psutil
import pytest
import torch

from core.dialogue import FinishReason
from core.generation.batcher import Batcher
from core.generation.engine import Engine
from core.generation.loaded_models import EngineLimits, LoadedModel
from core.generation.messages import Answer, Failed, Finished, Score, Scores, Submit
from core.generation.request import ModelSpec, SamplingParams, ScorePair
from core.generation.scheduler import BatchLimits
from tests.integration.tiny_networks import VOCABULARY, save_tiny_network

pytestmark = pytest.mark.soak

SECONDS = float(os.environ.get("BANTER_SOAK_S", "600"))
SEED = int(os.environ.get("BANTER_SOAK_SEED", "1"))
#: Resident memory may grow by so much between the first quarter's end and the last one's.
GROWTH = 1.05
MOST_OPEN = 40


@dataclass
class Soak:
    """A random client and a random saboteur."""

    engine: Engine
    specs: list[ModelSpec]
    random: random.Random
    open: dict[str, Submit | Score] = field(default_factory=dict)
    streamed: dict[str, list[int]] = field(default_factory=dict)
    ends: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)
    submitted: int = 0

    def act(self) -> None:
        if len(self.open) < MOST_OPEN and self.random.random() < 0.5:
            self._submit()
        if self.open and self.random.random() < 0.08:
            reason = self.random.choice([FinishReason.CANCELLED, FinishReason.DEADLINE])
            self.engine.end(self.random.choice(list(self.open)), reason)
        if self.open and self.random.random() < 0.1:
            self.engine.hold(self.random.choice(list(self.open)), held=self.random.random() < 0.3)

    def hear(self, answers: list[Answer]) -> None:
        for answer in answers:
            if answer.type == "tokens":
                self.streamed[answer.id].extend(answer.token_ids)
            if isinstance(answer, Finished | Failed | Scores):
                self.ends[answer.id] += 1
                self.outcomes[answer.type] += 1
                self._check_stream(answer)
                del self.open[answer.id]
                del self.streamed[answer.id]

    def release_all(self) -> None:
        for name in self.open:
            self.engine.hold(name, held=False)

    def _check_stream(self, answer: Finished | Failed | Scores) -> None:
        job = self.open[answer.id]
        if isinstance(answer, Finished) and isinstance(job, Submit) and len(answer.hypotheses) == 1:
            assert list(answer.hypotheses[0].token_ids) == [*job.prefix_ids, *self.streamed[answer.id]], f"seed {SEED}"

    def _submit(self) -> None:
        self.submitted += 1
        name, spec = str(self.submitted), self.random.choice(self.specs)
        job = self._score(name, spec) if self.random.random() < 0.1 else self._reply(name, spec)
        self.open[name] = job
        self.streamed[name] = []
        self.engine.submit(job)

    def _reply(self, name: str, spec: ModelSpec) -> Submit:
        draw = self.random
        sampling = SamplingParams(
            temperature=draw.choice([0.0, 0.8, 1.5]),
            top_k=draw.choice([0, 5, 40]),
            top_p=draw.choice([1.0, 0.8]),
            repetition_penalty=draw.choice([1.0, 1.2]),
            no_repeat_ngram=draw.choice([0, 3]),
            max_new_tokens=draw.randint(1, 40),
            candidates=draw.choice([1, 1, 1, 4]),
        )
        return Submit(
            id=name,
            model=spec,
            prompt_ids=self._ids(draw.randint(1, 150)),
            prefix_ids=self._ids(draw.choice([0, 0, 3])),
            sampling=sampling,
            seed=draw.randrange(2**31),
            stop_ids=frozenset({0, 1, 2}),
            timeout_s=60,
            priority=draw.choice([0, 0, 0, 1]),
            session=draw.choice(["", "a", "b", "c", "d"]),
            persona_tokens=0,
        )

    def _score(self, name: str, spec: ModelSpec) -> Score:
        pairs = tuple(
            ScorePair(self._ids(self.random.randint(1, 30)), self._ids(self.random.randint(0, 20))) for _ in range(5)
        )
        return Score(id=name, model=spec, pairs=pairs, timeout_s=60)

    def _ids(self, count: int) -> tuple[int, ...]:
        return tuple(self.random.randrange(VOCABULARY) for _ in range(count))


def sabotage(model: LoadedModel, draw: random.Random) -> None:
    """From now on a forward runs out of memory now and then, raises, or computes a NaN."""
    forward: Callable[..., Any] = model.network.module.forward

    def unreliable(*args: Any, **options: Any) -> Any:
        chance = draw.random()
        if chance < 0.01:
            raise torch.OutOfMemoryError("injected")
        if chance < 0.015:
            raise RuntimeError("injected")
        output = forward(*args, **options)
        if chance < 0.02:
            output.logits[..., 0, :] = float("nan")
        return output

    model.network.module.forward = unreliable


@pytest.fixture(autouse=True)
def silent() -> Iterator[None]:
    """pytest keeps what is logged, with the tracebacks of all injected failures and what they hold."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def test_every_request_ends_once_and_nothing_leaks(tmp_path_factory: pytest.TempPathFactory) -> None:
    specs = [
        ModelSpec(name, str(save_tiny_network(name, tmp_path_factory.mktemp(name))), dtype="float32")
        for name in ("gpt2", "llama")
    ]
    limits = EngineLimits(device="cpu", threads=1, memory_bytes=2 * 10**9, batch=BatchLimits(12, 24, 48))
    soak = Soak(Engine(limits), specs, random.Random(SEED))
    process = psutil.Process()
    memory: list[int] = []
    begun = time.monotonic()
    sabotaged: set[str] = set()
    while (elapsed := time.monotonic() - begun) < SECONDS:
        soak.act()
        soak.hear(soak.engine.step())
        for model in soak.engine.models:
            if model.network.spec.name not in sabotaged:
                sabotaged.add(model.network.spec.name)
                sabotage(model, soak.random)
        if elapsed > SECONDS / 4 * (len(memory) + 1):
            gc.collect()
            memory.append(process.memory_info().rss)
    soak.release_all()
    while soak.engine.busy:
        soak.hear(soak.engine.step())

    print(f"{soak.submitted} requests, {dict(soak.outcomes)}, resident at each quarter {[m >> 20 for m in memory]} MiB")
    assert not soak.open
    assert sum(soak.ends.values()) == soak.submitted
    assert set(soak.ends.values()) == {1}, f"seed {SEED}"
    assert all(soak.outcomes[kind] for kind in ("finished", "failed", "scores"))
    for model in soak.engine.models:
        assert isinstance(model.runner, Batcher)
        assert model.runner.scheduler.slots.active == 0
    assert memory[-1] <= memory[0] * GROWTH
