"""The engine over real architectures: token ids in, token ids out."""

import time
import weakref
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, PreTrainedModel

from core.dialogue import FinishReason
from core.errors import ModelTooLarge, RequestFailed
from core.generation import weights
from core.generation.engine import Engine, EngineLimits
from core.generation.messages import Finished, Submit
from core.generation.queue import Control
from core.generation.request import ModelSpec, SamplingParams, ScorePair
from tests.integration.tiny_networks import CONFIGS, save_tiny_network

GREEDY = SamplingParams(temperature=0, max_new_tokens=20)
PROMPT = tuple(range(5, 45))


@pytest.fixture(scope="module", params=sorted(CONFIGS))
def spec(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ModelSpec:
    return ModelSpec(request.param, str(save_tiny_network(request.param, tmp_path_factory.mktemp(request.param))))


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory: pytest.TempPathFactory) -> ModelSpec:
    return ModelSpec("gpt2", str(save_tiny_network("gpt2", tmp_path_factory.mktemp("gpt2"))))


@pytest.fixture
def engine() -> Engine:
    return Engine(EngineLimits(device="cpu"))


def job(spec: ModelSpec, sampling: SamplingParams = GREEDY, **changes: object) -> Submit:
    wanted: dict[str, object] = {"prompt_ids": PROMPT, "stop_ids": frozenset(), "seed": 1, "timeout_s": 60.0}
    return Submit.model_validate({"id": "job", "model": spec, "sampling": sampling} | wanted | changes)


def run(engine: Engine, job: Submit, control: Control | None = None) -> Finished:
    return engine.generate(job, control or Control(deadline=time.monotonic() + 60))


def greedy_by_transformers(spec: ModelSpec, prompt: tuple[int, ...], new_tokens: int) -> tuple[int, ...]:
    model: Any = AutoModelForCausalLM.from_pretrained(spec.folder)
    ids = torch.tensor([prompt])
    output = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        max_new_tokens=new_tokens,
        min_new_tokens=new_tokens,
        do_sample=False,
        pad_token_id=0,
    )
    return tuple(output[0, len(prompt) :].tolist())


def test_greedy_tokens_are_those_of_generate(engine: Engine, spec: ModelSpec) -> None:
    finished = run(
        engine,
        job(
            spec, stop_ids=frozenset({0}), sampling=SamplingParams(temperature=0, max_new_tokens=20, min_new_tokens=20)
        ),
    )

    assert finished.hypotheses[0].token_ids == greedy_by_transformers(spec, PROMPT, 20)
    assert finished.hypotheses[0].finish_reason is FinishReason.LENGTH


def test_the_next_turn_prefills_only_what_is_new_and_says_the_same(engine: Engine, spec: ModelSpec) -> None:
    first = run(engine, job(spec)).hypotheses[0].token_ids
    longer = (*PROMPT, *first, 7, 8, 9)

    again = run(engine, job(spec, prompt_ids=longer))

    assert again.timings.prefilled_tokens == 4  # the last drawn token was never fed, and three are new
    assert (
        again.hypotheses[0].token_ids
        == run(Engine(EngineLimits("cpu")), job(spec, prompt_ids=longer)).hypotheses[0].token_ids
    )


def test_an_edited_history_is_read_again_from_the_first_difference(engine: Engine, gpt2: ModelSpec) -> None:
    run(engine, job(gpt2))
    edited = (*PROMPT[:30], 99, *PROMPT[31:])

    finished = run(engine, job(gpt2, prompt_ids=edited))

    assert finished.timings.prefilled_tokens == len(PROMPT) - 30
    assert (
        finished.hypotheses[0].token_ids
        == run(Engine(EngineLimits("cpu")), job(gpt2, prompt_ids=edited)).hypotheses[0].token_ids
    )


def test_a_stop_token_ends_the_reply_and_is_not_part_of_it(engine: Engine, gpt2: ModelSpec) -> None:
    whole = run(engine, job(gpt2)).hypotheses[0].token_ids
    stop = whole[5]

    hypothesis = run(engine, job(gpt2, stop_ids=frozenset({stop}))).hypotheses[0]

    assert hypothesis.token_ids == whole[: whole.index(stop)]
    assert hypothesis.finish_reason is FinishReason.STOP


def test_tokens_are_emitted_as_they_are_drawn(engine: Engine, gpt2: ModelSpec) -> None:
    emitted: list[int] = []

    finished = run(engine, job(gpt2), Control(deadline=time.monotonic() + 60, emit=emitted.append))

    assert tuple(emitted) == finished.hypotheses[0].token_ids


def test_a_cancelled_job_keeps_what_it_wrote(engine: Engine, gpt2: ModelSpec) -> None:
    control = Control(deadline=time.monotonic() + 60)
    emitted: list[int] = []

    def emit(token: int) -> None:
        emitted.append(token)
        control.cancelled = len(emitted) == 3

    control.emit = emit
    hypothesis = run(engine, job(gpt2), control).hypotheses[0]

    assert hypothesis.token_ids == tuple(emitted)
    assert len(emitted) == 3
    assert hypothesis.finish_reason is FinishReason.CANCELLED


def test_a_job_past_its_deadline_says_so(engine: Engine, gpt2: ModelSpec) -> None:
    hypothesis = run(engine, job(gpt2), Control(deadline=time.monotonic())).hypotheses[0]

    assert hypothesis.finish_reason is FinishReason.DEADLINE


def test_the_same_seed_draws_the_same_reply_and_another_one_another(engine: Engine, gpt2: ModelSpec) -> None:
    drawn = [
        run(engine, job(gpt2, SamplingParams(temperature=2.0, max_new_tokens=9), seed=seed)).hypotheses[0].token_ids
        for seed in (1, 1, 2)
    ]

    assert drawn[0] == drawn[1]
    assert drawn[0] != drawn[2]


def test_a_given_prefix_is_gone_on_from(engine: Engine, gpt2: ModelSpec) -> None:
    sampling = SamplingParams(temperature=1.5, max_new_tokens=20)
    whole = run(engine, job(gpt2, sampling)).hypotheses[0].token_ids

    resumed = run(Engine(EngineLimits("cpu")), job(gpt2, sampling, prefix_ids=whole[:8]))

    assert resumed.hypotheses[0].token_ids == whole


def test_candidates_share_one_prefill(engine: Engine, gpt2: ModelSpec) -> None:
    sampling = SamplingParams(temperature=1.5, max_new_tokens=12, candidates=5)

    finished = run(engine, job(gpt2, sampling))

    assert finished.timings.prefilled_tokens == len(PROMPT)
    assert len({hypothesis.token_ids for hypothesis in finished.hypotheses}) == 5
    first = run(Engine(EngineLimits("cpu")), job(gpt2, SamplingParams(temperature=1.5, max_new_tokens=12)))
    assert finished.hypotheses[0].token_ids == first.hypotheses[0].token_ids


def test_scores_are_the_models_log_probabilities(engine: Engine, spec: ModelSpec) -> None:
    written = run(engine, job(spec)).hypotheses[0]

    scores = engine.score(
        spec,
        [ScorePair(PROMPT, written.token_ids), ScorePair(PROMPT, (4,)), ScorePair(PROMPT, ())],
        Control(deadline=time.monotonic() + 60),
    )

    assert scores[0] == pytest.approx(written.log_probability, abs=1e-3)
    assert scores[1] < 0
    assert scores[2] == 0


def test_a_prompt_without_room_for_its_reply_is_refused(engine: Engine, gpt2: ModelSpec) -> None:
    with pytest.raises(RequestFailed, match="outgrow the 256"):
        run(engine, job(gpt2, prompt_ids=tuple([5] * 240)))


def test_a_network_that_computes_no_number_fails_the_request_and_not_the_engine(
    engine: Engine, gpt2: ModelSpec
) -> None:
    model = engine.load(gpt2)
    norm = model.network.get_parameter("transformer.ln_f.weight")
    kept = norm.data.clone()
    norm.data.fill_(float("nan"))

    with pytest.raises(RequestFailed, match="no number"):
        run(engine, job(gpt2))

    norm.data.copy_(kept)
    assert run(engine, job(gpt2)).hypotheses[0].token_ids


def test_the_model_that_was_idle_longest_makes_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """There is room for two."""
    networks = {name: save_tiny_network(name, tmp_path / name) for name in ("gpt2", "llama", "qwen2")}
    specs = {name: ModelSpec(name, str(folder)) for name, folder in networks.items()}
    alive: weakref.WeakSet[object] = weakref.WeakSet()
    load = weights.load

    def load_if_there_is_room(spec: ModelSpec, *arguments: Any) -> PreTrainedModel:
        if len(alive) >= 2:
            raise ModelTooLarge("there is room for two")
        network = load(spec, *arguments)
        alive.add(network)
        return network

    monkeypatch.setattr(weights, "load", load_if_there_is_room)
    engine = Engine(EngineLimits("cpu"))
    for name in ("gpt2", "llama", "gpt2", "qwen2"):
        engine.load(specs[name])

    assert engine.holds(specs["gpt2"])
    assert engine.holds(specs["qwen2"])
    assert not engine.holds(specs["llama"])


def test_a_model_that_never_fits_is_refused(tmp_path: Path) -> None:
    spec = ModelSpec("gpt2", str(save_tiny_network("gpt2", tmp_path / "gpt2")))

    with pytest.raises(ModelTooLarge):
        Engine(EngineLimits("cpu", memory_bytes=1)).load(spec)


def test_a_prefix_that_is_a_whole_reply_gets_nothing_added(engine: Engine, gpt2: ModelSpec) -> None:
    whole = run(engine, job(gpt2)).hypotheses[0].token_ids

    again = run(engine, job(gpt2, prefix_ids=whole)).hypotheses[0]

    assert (again.token_ids, again.finish_reason) == (whole, FinishReason.LENGTH)
