"""The sampler agrees with transformers' logits processors, and a batch has no say in a row's draw."""

from collections import Counter
from dataclasses import replace

import pytest
import torch
from transformers import LogitsProcessor, LogitsProcessorList
from transformers.generation.logits_process import (
    MinNewTokensLengthLogitsProcessor,
    MinPLogitsWarper,
    NoBadWordsLogitsProcessor,
    NoRepeatNGramLogitsProcessor,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    TypicalLogitsWarper,
)

from core.generation import sampler
from core.generation.request import SamplingParams
from core.generation.sampler import Row, choose, uniform, warp

VOCABULARY = 50
CONTEXT = [1, 2, 3, 1, 2, 7, 8, 9, 1, 2]
STOP_IDS = frozenset({0})


def logits(rows: int = 1, seed: int = 0) -> torch.Tensor:
    return torch.randn(rows, VOCABULARY, generator=torch.Generator().manual_seed(seed)) * 3


def row(params: SamplingParams, *, seed: int = 1, candidate: int = 0, banned: tuple[tuple[int, ...], ...] = ()) -> Row:
    return Row(params, seed, candidate, CONTEXT, new_tokens=4, stop_ids=STOP_IDS, banned=banned)


PARAMS: dict[str, tuple[SamplingParams, list[LogitsProcessor]]] = {
    "temperature": (SamplingParams(temperature=0.6), [TemperatureLogitsWarper(0.6)]),
    "top-k": (SamplingParams(top_k=7), [TopKLogitsWarper(7)]),
    "top-k beyond the vocabulary": (SamplingParams(top_k=500), [TopKLogitsWarper(500)]),
    "top-p": (SamplingParams(top_p=0.8), [TopPLogitsWarper(0.8)]),
    "min-p": (SamplingParams(min_p=0.05), [MinPLogitsWarper(0.05)]),
    "typical-p": (SamplingParams(typical_p=0.7), [TypicalLogitsWarper(0.7)]),
    "all": (
        SamplingParams(temperature=1.4, top_k=30, top_p=0.95, min_p=0.01, typical_p=0.9),
        [
            TemperatureLogitsWarper(1.4),
            TopKLogitsWarper(30),
            TopPLogitsWarper(0.95),
            MinPLogitsWarper(0.01),
            TypicalLogitsWarper(0.9),
        ],
    ),
}


@pytest.mark.parametrize("name", PARAMS)
@pytest.mark.parametrize("seed", range(5))
def test_the_cuts_of_the_vocabulary_are_those_of_transformers(name: str, seed: int) -> None:
    params, warpers = PARAMS[name]
    scores = logits(3, seed)

    expected = LogitsProcessorList(warpers)(torch.LongTensor([CONTEXT] * 3), scores.clone())

    torch.testing.assert_close(warp(scores, [params] * 3), expected)


PROCESSORS: dict[str, tuple[SamplingParams, tuple[tuple[int, ...], ...], list[LogitsProcessor]]] = {
    "repetition penalty": (SamplingParams(repetition_penalty=1.3), (), [RepetitionPenaltyLogitsProcessor(1.3)]),
    "no repeated 2-grams": (SamplingParams(no_repeat_ngram=2), (), [NoRepeatNGramLogitsProcessor(2)]),
    "no repeated 3-grams": (SamplingParams(no_repeat_ngram=3), (), [NoRepeatNGramLogitsProcessor(3)]),
    "no repeated tokens": (SamplingParams(no_repeat_ngram=1), (), [NoRepeatNGramLogitsProcessor(1)]),
    "bad words": (SamplingParams(), ((5,), (1, 2, 6), (9, 4)), [NoBadWordsLogitsProcessor([[5], [1, 2, 6], [9, 4]])]),
    "min new tokens": (
        SamplingParams(min_new_tokens=5),
        (),
        [MinNewTokensLengthLogitsProcessor(len(CONTEXT) - 4, 5, eos_token_id=[0])],
    ),
}


@pytest.mark.parametrize("name", PROCESSORS)
def test_penalties_and_bans_are_those_of_transformers(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    params, banned, processors = PROCESSORS[name]
    scores = logits()
    seen: list[torch.Tensor] = []

    def look(scores: torch.Tensor, _params: object) -> torch.Tensor:
        seen.append(scores.clone())
        return scores

    monkeypatch.setattr(sampler, "warp", look)

    choose(scores, [row(params, banned=banned)])

    torch.testing.assert_close(seen[0], LogitsProcessorList(processors)(torch.LongTensor([CONTEXT]), scores.clone()))


def test_temperature_zero_takes_the_likeliest_token() -> None:
    scores = logits(8)

    chosen = choose(scores, [row(SamplingParams(temperature=0), seed=n) for n in range(8)])

    assert [choice.token_id for choice in chosen] == scores.argmax(dim=-1).tolist()


def test_a_row_draws_the_same_alone_and_in_a_batch_of_others() -> None:
    batch = logits(32)
    settings = [PARAMS[name][0] for name in PARAMS] * 5
    rows = [row(params, seed=100 + n) for n, params in enumerate(settings[:32])]

    together = choose(batch, rows)
    alone = [choose(batch[n : n + 1], [rows[n]])[0] for n in range(32)]

    assert [choice.token_id for choice in together] == [choice.token_id for choice in alone]


def test_draws_follow_the_distribution() -> None:
    scores = logits()
    draws = 4000
    rows = [row(SamplingParams(), seed=n) for n in range(draws)]

    counts = Counter(choice.token_id for choice in choose(scores.expand(draws, -1), rows))

    likeliest = int(scores.argmax())
    expected = float(scores.softmax(-1)[0, likeliest])
    assert counts[likeliest] / draws == pytest.approx(expected, abs=0.03)


def test_candidates_of_one_request_differ() -> None:
    flat = torch.zeros(4, VOCABULARY)

    chosen = choose(flat, [row(SamplingParams(), candidate=n) for n in range(4)])

    assert len({choice.token_id for choice in chosen}) > 1


def test_what_was_cut_is_never_drawn() -> None:
    scores = logits(500)
    best = scores.topk(2, dim=-1).indices

    chosen = choose(scores, [row(SamplingParams(top_k=2), seed=n) for n in range(500)])

    assert all(choice.token_id in best[n] for n, choice in enumerate(chosen))


def test_the_log_probability_is_the_models_own() -> None:
    scores = logits()

    choice = choose(scores, [row(SamplingParams(temperature=0.1, repetition_penalty=2.0))])[0]

    assert choice.log_probability == pytest.approx(float(scores.log_softmax(-1)[0, choice.token_id]), abs=1e-5)


def test_random_numbers_depend_on_seed_position_and_candidate_alone() -> None:
    numbers = {uniform(seed, position, candidate) for seed in range(9) for position in range(9) for candidate in (0, 1)}

    assert len(numbers) == 162
    assert all(0 <= number < 1 for number in numbers)
    assert uniform(7, 3, 1) == uniform(7, 3, 1)


def test_a_bad_word_is_banned_only_after_its_beginning() -> None:
    scores = torch.zeros(1, VOCABULARY)
    scores[0, 6] = 10.0
    greedy = SamplingParams(temperature=0)

    after_its_beginning = choose(scores, [row(greedy, banned=((1, 2, 6),))])[0]
    elsewhere = choose(scores, [replace(row(greedy, banned=((1, 2, 6),)), context_ids=[4, 4, 4, 4, 4])])[0]

    assert after_its_beginning.token_id != 6
    assert elsewhere.token_id == 6
