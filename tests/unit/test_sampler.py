"""The sampler agrees with transformers' logits processors, and a batch has no say in a row's draw."""

import math
from collections import Counter
from collections.abc import Sequence
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
from core.generation.sampler import choose, cut, uniform
from core.generation.writing import Row

VOCABULARY = 50
CONTEXT = [1, 2, 3, 1, 2, 7, 8, 9, 1, 2]
STOP_IDS = frozenset({0})


#: More tokens than the sampler sorts at first.
LARGE = 4 * sampler._LIKELIEST
GREEDY = SamplingParams(temperature=0)


def logits(rows: int = 1, seed: int = 0, vocabulary: int = VOCABULARY) -> torch.Tensor:
    return torch.randn(rows, vocabulary, generator=torch.Generator().manual_seed(seed)) * 3


def row(
    params: SamplingParams,
    *,
    seed: int = 1,
    candidate: int = 0,
    banned: tuple[tuple[int, ...], ...] = (),
    context: Sequence[int] = CONTEXT,
) -> Row:
    return Row(params, seed, candidate, list(context), new_tokens=4, stop_ids=STOP_IDS, banned=banned)


def kept(scores: torch.Tensor, params: Sequence[SamplingParams]) -> torch.Tensor:
    """What the cuts leave, [row, vocabulary] in the vocabulary's order."""
    values, ids = cut(scores, params)
    assert bool((values.diff(dim=-1).nan_to_num(nan=0.0) <= 0).all()) or any(p.typical_p < 1 for p in params)
    return torch.full_like(scores, float("-inf")).scatter(1, ids, values)


def by_transformers(scores: torch.Tensor, processors: list[LogitsProcessor]) -> torch.Tensor:
    context = torch.LongTensor([CONTEXT] * len(scores))
    expected: torch.Tensor = LogitsProcessorList(processors)(context, scores.clone())
    return expected


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


@pytest.mark.parametrize("vocabulary", [VOCABULARY, LARGE])
@pytest.mark.parametrize("name", PARAMS)
@pytest.mark.parametrize("seed", range(3))
def test_the_cuts_of_the_vocabulary_are_those_of_transformers(name: str, seed: int, vocabulary: int) -> None:
    params, warpers = PARAMS[name]
    scores = logits(3, seed, vocabulary)

    torch.testing.assert_close(kept(scores, [params] * 3), by_transformers(scores, warpers))


@pytest.mark.parametrize("name", PARAMS)
def test_equally_likely_tokens_are_cut_as_transformers_cuts_them(name: str) -> None:
    params, warpers = PARAMS[name]
    scores = logits(3, vocabulary=LARGE).round()

    ours = kept(scores, [params] * 3).sort(dim=-1).values

    torch.testing.assert_close(ours, by_transformers(scores, warpers).sort(dim=-1).values)


def test_every_row_is_cut_by_its_own_settings() -> None:
    scores = logits(len(PARAMS), vocabulary=LARGE)

    together = kept(scores, [params for params, _ in PARAMS.values()])

    for number, (_, warpers) in enumerate(PARAMS.values()):
        torch.testing.assert_close(together[number : number + 1], by_transformers(scores[number : number + 1], warpers))


@pytest.mark.parametrize("spread", [0.0, 0.05, 3.0])
def test_a_few_likeliest_tokens_give_what_the_whole_vocabulary_gives(
    spread: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Flat rows are not settled by them, steep ones are."""
    scores = logits(8, vocabulary=LARGE) * spread
    params = [PARAMS[name][0] for name in ("top-k", "top-p", "min-p", "all")] * 2

    few = kept(scores, params)
    monkeypatch.setattr(sampler, "_LIKELIEST", LARGE)

    assert torch.equal(few, kept(scores, params))


def test_forbidden_tokens_are_no_part_of_a_cut() -> None:
    scores = logits(2, vocabulary=LARGE)
    scores[:, 3:] = float("-inf")

    params = [PARAMS["all"][0], SamplingParams(top_k=20)]

    assert torch.isfinite(kept(scores, params)).sum(dim=-1).tolist()[1] == 3


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

    def look(scores: torch.Tensor, params: Sequence[SamplingParams]) -> tuple[torch.Tensor, torch.Tensor]:
        seen.append(scores.clone())
        return cut(scores, params)

    monkeypatch.setattr(sampler, "cut", look)

    choose(scores, [row(params, banned=banned)])

    torch.testing.assert_close(seen[0], by_transformers(scores, processors))


def test_penalties_and_bans_are_kept_up_while_a_reply_grows() -> None:
    every = SamplingParams(repetition_penalty=1.3, no_repeat_ngram=2, min_new_tokens=5)
    grown, whole = row(every, context=CONTEXT[:6]), row(every)
    for token in CONTEXT[6:]:
        grown.append(token)

    assert set(grown.penalised) == set(whole.penalised)
    assert grown.forbidden() | STOP_IDS == whole.forbidden()
    assert (grown.context_ids, grown.new_tokens) == (CONTEXT, 8)


def test_every_row_is_penalised_by_its_own_settings() -> None:
    scores = logits(len(PROCESSORS))
    scores[:, 6] = 9.0
    rows = [row(replace(params, temperature=0), banned=banned) for params, banned, _ in PROCESSORS.values()]

    chosen = choose(scores, rows)

    for number, (_, _, processors) in enumerate(PROCESSORS.values()):
        expected = by_transformers(scores[number : number + 1], processors)
        assert chosen[number].token_id == int(expected.argmax())


def test_a_banned_token_that_the_model_does_not_know_is_no_error() -> None:
    banned = ((VOCABULARY,), (VOCABULARY + 7,))

    assert choose(logits(), [row(GREEDY, banned=banned)])[0].token_id == int(logits().argmax())


def test_temperature_zero_takes_the_likeliest_token() -> None:
    scores = logits(8)

    chosen = choose(scores, [row(SamplingParams(temperature=0), seed=n) for n in range(8)])

    assert [choice.token_id for choice in chosen] == scores.argmax(dim=-1).tolist()


@pytest.mark.parametrize("vocabulary", [VOCABULARY, LARGE])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_a_row_draws_the_same_alone_and_in_a_batch_of_others(dtype: torch.dtype, vocabulary: int) -> None:
    batch = logits(32, vocabulary=vocabulary).to(dtype)
    settings = [PARAMS[name][0] for name in PARAMS] * 3 + [PROCESSORS[name][0] for name in PROCESSORS] * 2
    rows = [row(params, seed=100 + n) for n, params in enumerate([GREEDY, *settings][:32])]

    together = choose(batch, rows)
    alone = [choose(batch[n : n + 1], [rows[n]])[0] for n in range(32)]

    assert [choice.token_id for choice in together] == [choice.token_id for choice in alone]


@pytest.mark.parametrize("params", [GREEDY, SamplingParams(), PARAMS["all"][0]])
def test_a_row_without_numbers_says_so_and_harms_no_other(params: SamplingParams) -> None:
    scores = logits(4, vocabulary=LARGE)
    rows = [row(params, seed=n) for n in range(4)]
    sound = choose(scores, rows)
    scores[1, 17] = float("nan")
    scores[2] = float("-inf")

    chosen = choose(scores, rows)

    assert [math.isfinite(choice.log_probability) for choice in chosen] == [True, False, False, True]
    assert (chosen[0], chosen[3]) == (sound[0], sound[3])


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

    after_its_beginning = choose(scores, [row(GREEDY, banned=((1, 2, 6),))])[0]
    elsewhere = choose(scores, [row(GREEDY, banned=((1, 2, 6),), context=[4, 4, 4, 4, 4])])[0]

    assert after_its_beginning.token_id != 6
    assert elsewhere.token_id == 6
