"""Drawn replies: the same seed says the same alone and in a crowd, and every setting does what it says."""

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from transformers import LogitsProcessorList
from transformers.generation.logits_process import (
    MinNewTokensLengthLogitsProcessor,
    NoBadWordsLogitsProcessor,
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
)

from core.dialogue import FinishReason
from core.generation import batcher
from core.generation.request import ModelSpec, SamplingParams
from core.generation.sampler import choose, uniform
from core.generation.writing import Choice, Row
from tests.integration.engine_runs import PROMPT, Drive, job, own_network
from tests.integration.tiny_networks import VOCABULARY, save_tiny_network

SETTINGS = (
    SamplingParams(temperature=1.3),
    SamplingParams(temperature=0.8, top_k=20),
    SamplingParams(top_p=0.9, repetition_penalty=1.2),
    SamplingParams(temperature=1.1, min_p=0.02, no_repeat_ngram=2),
    SamplingParams(temperature=1.5, typical_p=0.8),
    SamplingParams(temperature=0),
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_tiny_network("qwen2", tmp_path_factory.mktemp("qwen2")))


@pytest.fixture(scope="module")
def spec(folder: str) -> ModelSpec:
    return ModelSpec("qwen2", folder)


@pytest.fixture(scope="module")
def drive() -> Drive:
    return Drive()


def prompt(number: int) -> tuple[int, ...]:
    draw = random.Random(number)
    return tuple(draw.randrange(VOCABULARY) for _ in range(draw.randrange(1, 50)))


def drawn_alone_and_together(spec: ModelSpec) -> tuple[list[tuple[int, ...]], list[tuple[int, ...]]]:
    jobs = [
        job(spec, replace(SETTINGS[n % 6], max_new_tokens=16), id=str(n), seed=n, prompt_ids=prompt(n))
        for n in range(32)
    ]
    drive = Drive()
    drive.run(*jobs)
    together = [drive.text(one.id) for one in jobs]
    return [drive.text(one) for one in jobs], together


def test_in_float64_the_same_seed_says_the_same_alone_and_among_31_others(folder: str) -> None:
    alone, together = drawn_alone_and_together(ModelSpec("exact", folder, dtype="float64"))

    assert alone == together
    assert len(set(alone)) == 32


class Witness:
    """Sees what every token was drawn from; and can have it be another token."""

    def __init__(self, forced: Sequence[int] = ()) -> None:
        self.forced = forced
        self.logits: dict[tuple[int, int], torch.Tensor] = {}

    def choose(self, logits: torch.Tensor, rows: Sequence[Row]) -> list[Choice]:
        for row, seen in zip(rows, logits, strict=True):
            self.logits[row.seed, row.new_tokens] = seen.clone()
        if not self.forced:
            return choose(logits, rows)
        return [Choice(self.forced[row.new_tokens], 0.0) for row in rows]


@pytest.fixture
def witness(monkeypatch: pytest.MonkeyPatch) -> Witness:
    seen = Witness()
    monkeypatch.setattr(batcher, "choose", seen.choose)
    return seen


def test_in_float32_a_token_that_differs_in_a_crowd_was_nearly_a_tie(spec: ModelSpec, witness: Witness) -> None:
    alone, together = drawn_alone_and_together(spec)

    for seed, (one, other) in enumerate(zip(alone, together, strict=True)):
        differing = next((place for place, pair in enumerate(zip(one, other, strict=True)) if pair[0] != pair[1]), None)
        if differing is not None:
            assert is_near_tie(witness.logits[seed, differing], SETTINGS[seed % 6], seed, differing)


def is_near_tie(logits: torch.Tensor, params: SamplingParams, seed: int, position: int) -> bool:
    """The point that was drawn is as good as on the border of two tokens."""
    if params.temperature == 0:
        best = logits.topk(2).values
        return float(best[0] - best[1]) < 1e-4
    borders = (logits.double() / params.temperature).softmax(-1).cumsum(-1)
    return float((borders - uniform(seed, position, 0)).abs().min()) < 1e-4


def test_in_float32_logits_in_a_crowd_agree_with_the_models_own(spec: ModelSpec, witness: Witness) -> None:
    witness.forced = [(7 * n) % VOCABULARY for n in range(10)]
    sampling = SamplingParams(max_new_tokens=10)
    Drive().run(*(job(spec, sampling, id=str(n), seed=n, prompt_ids=prompt(n)) for n in range(32)))

    with torch.inference_mode():
        for n in range(32):
            own = own_network(spec)(torch.tensor([[*prompt(n), *witness.forced]])).logits[0, len(prompt(n)) - 1 :]
            seen = torch.stack([witness.logits[n, place] for place in range(10)])
            torch.testing.assert_close(seen.log_softmax(-1), own[:10].log_softmax(-1), rtol=0, atol=1e-4)


def test_another_seed_says_something_else(drive: Drive, spec: ModelSpec) -> None:
    hot = SamplingParams(temperature=2.0, max_new_tokens=9)

    drawn = [drive.text(job(spec, hot, seed=seed)) for seed in (1, 1, 2)]

    assert drawn[0] == drawn[1] != drawn[2]


def test_candidates_share_one_prefill_and_differ_by_seed(drive: Drive, spec: ModelSpec) -> None:
    hot = SamplingParams(temperature=1.5, max_new_tokens=12)

    several = drive.finished(job(spec, replace(hot, candidates=5)))

    texts = [hypothesis.token_ids for hypothesis in several.hypotheses]
    assert several.timings.prefilled_tokens == len(PROMPT)
    assert len(set(texts)) == 5
    assert texts[0] == drive.text(job(spec, hot))
    assert texts != [h.token_ids for h in drive.finished(job(spec, replace(hot, candidates=5), seed=2)).hypotheses]


def test_candidates_are_not_streamed(drive: Drive, spec: ModelSpec) -> None:
    drive.run(job(spec, SamplingParams(candidates=2, max_new_tokens=3)))

    assert len(drive.answers["job"]) == 1


def test_a_prefix_is_gone_on_from_as_if_it_had_been_drawn(drive: Drive, spec: ModelSpec) -> None:
    every = SamplingParams(
        temperature=1.2, repetition_penalty=1.2, no_repeat_ngram=2, min_new_tokens=9, max_new_tokens=20
    )
    wanted = job(spec, every, stop_ids=frozenset(range(100)))
    whole = drive.text(wanted)
    assert len(whole) > 9

    assert drive.text(wanted.model_copy(update={"prefix_ids": whole[:6]})) == whole
    assert drive.streamed("job") == whole[6:]


def test_a_stop_token_ends_the_reply_and_is_not_part_of_it(drive: Drive, spec: ModelSpec) -> None:
    whole = drive.text(job(spec))

    (hypothesis,) = drive.finished(job(spec, stop_ids=frozenset({whole[5]}))).hypotheses

    assert hypothesis.token_ids == whole[: whole.index(whole[5])]
    assert hypothesis.finish_reason is FinishReason.STOP


def test_tokens_are_streamed_as_they_are_drawn(drive: Drive, spec: ModelSpec) -> None:
    whole = drive.text(job(spec))

    assert drive.streamed("job") == whole
    assert len(drive.answers["job"]) == len(whole) + 1


@pytest.mark.parametrize("crowd", [0, 6])
def test_penalties_and_bans_are_those_of_transformers_in_a_whole_reply(
    drive: Drive, spec: ModelSpec, crowd: int
) -> None:
    whole = drive.text(job(spec))
    banned = ((whole[0],), (whole[3], whole[4]))
    every = SamplingParams(
        temperature=0, repetition_penalty=1.3, no_repeat_ngram=2, min_new_tokens=12, max_new_tokens=12
    )
    processors = LogitsProcessorList(
        [
            RepetitionPenaltyLogitsProcessor(1.3),
            NoRepeatNGramLogitsProcessor(2),
            NoBadWordsLogitsProcessor([list(words) for words in banned]),
            MinNewTokensLengthLogitsProcessor(len(PROMPT), 12, eos_token_id=[whole[1]]),
        ]
    )
    expected = own_network(spec).generate(
        torch.tensor([PROMPT]),
        attention_mask=torch.ones(1, len(PROMPT), dtype=torch.int64),
        max_new_tokens=12,
        do_sample=False,
        pad_token_id=0,
        logits_processor=processors,
    )[0, len(PROMPT) :]

    others = [job(spec, SETTINGS[n], id=f"other {n}", prompt_ids=prompt(n)) for n in range(crowd)]
    drive.run(*others, job(spec, every, banned=banned, stop_ids=frozenset({whole[1]})))

    assert list(drive.text("job")) == expected.tolist()
