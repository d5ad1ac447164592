"""LoRA adapters in the engine, against PEFT's own: what is written, scored and kept."""

from dataclasses import replace

import pytest
from safetensors.torch import load_file

from core.generation import loaded_models
from core.generation.engine import Engine
from core.generation.loaded_models import EngineLimits
from core.generation.lora import Adapters, Runs
from core.generation.messages import Load, Loaded, Scores
from core.generation.network import Unbatchable
from core.generation.request import ScorePair
from tests.integration.adapted_models import (
    NEW_TOKENS,
    OTHER_PROMPT,
    PROMPT,
    Tiny,
    expected,
    finished,
    job,
    run,
    score,
    texts,
    tiny,
)
from tests.integration.tiny_adapters import adapted, greedy, log_probability

# PEFT asks transformers by an old name.
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")


@pytest.fixture(scope="module", params=["gpt2", "llama"])
def model(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    return tiny(request.param, tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def gpt2(tmp_path_factory: pytest.TempPathFactory) -> Tiny:
    return tiny("gpt2", tmp_path_factory.mktemp("gpt2"))


@pytest.fixture
def engine() -> Engine:
    return Engine(EngineLimits(device="cpu", context_window=128))


def test_a_reply_is_what_peft_writes_merged_or_not(engine: Engine, model: Tiny) -> None:
    texts_of = texts(run(engine, job("first", model.spec(model.first))))
    merged = greedy(adapted(model.base, model.first, merged=True), PROMPT, NEW_TOKENS)

    assert texts_of["first"] == expected(model, model.first) == merged
    assert merged != expected(model, None)


def test_replies_with_different_adapters_and_none_are_written_in_one_batch(engine: Engine, model: Tiny) -> None:
    written = run(
        engine,
        job("first", model.spec(model.first)),
        job("plain", model.spec()),
        job("second", model.spec(model.second)),
        job("other", model.spec(model.first), OTHER_PROMPT),
        job("also plain", model.spec(), OTHER_PROMPT),
        job("other second", model.spec(model.second), OTHER_PROMPT),
    )

    assert texts(written) == {
        "first": expected(model, model.first),
        "plain": expected(model, None),
        "second": expected(model, model.second),
        "other": expected(model, model.first, OTHER_PROMPT),
        "also plain": expected(model, None, OTHER_PROMPT),
        "other second": expected(model, model.second, OTHER_PROMPT),
    }
    assert len(engine.statistics()) == 1


def test_replies_with_adapters_and_without_share_their_forwards(
    engine: Engine, gpt2: Tiny, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(engine, *(Load(id=str(number), model=gpt2.spec(a)) for number, a in enumerate((gpt2.first, gpt2.second))))
    seen: list[list[str]] = []
    route = Adapters.route

    def note(adapters: Adapters, runs: Runs) -> None:
        seen.append([name for name, _ in runs])
        route(adapters, runs)

    monkeypatch.setattr(Adapters, "route", note)

    run(engine, *(job(str(number), gpt2.spec(a)) for number, a in enumerate((gpt2.first, None, gpt2.second))))

    assert seen == [[str(gpt2.first), str(gpt2.second)]] * NEW_TOKENS


def test_an_adapter_counts_as_memory(engine: Engine, gpt2: Tiny) -> None:
    run(engine, Load(id="plain", model=gpt2.spec()))
    before = engine.statistics()[0].weights_bytes
    run(engine, Load(id="adapted", model=gpt2.spec(gpt2.first)))

    weights = load_file(gpt2.first / "adapter_model.safetensors").values()
    assert engine.statistics()[0].weights_bytes - before == sum(tensor.nbytes for tensor in weights)


def test_dialogues_of_different_adapters_share_no_keys_and_values(engine: Engine, gpt2: Tiny) -> None:
    adapters = {"first": gpt2.first, "second": gpt2.second, "plain": None}
    for name, adapter in adapters.items():
        reply = finished(run(engine, job(name, gpt2.spec(adapter), session="dialogue"))[name])
        assert reply.timings.prefilled_tokens == len(PROMPT)
        assert reply.hypotheses[0].token_ids == expected(gpt2, adapter)

    for name, adapter in adapters.items():
        longer = (*PROMPT, *expected(gpt2, adapter), 7, 8)
        reply = finished(run(engine, job(name, gpt2.spec(adapter), longer, session="dialogue"))[name])
        assert reply.timings.prefilled_tokens == 3  # the last drawn token was never read, and two are new
        assert reply.hypotheses[0].token_ids == expected(gpt2, adapter, longer)


def test_a_persona_is_read_once_for_each_adapter(engine: Engine, gpt2: Tiny) -> None:
    prompts = [(*PROMPT[:20], 300 + number) for number in range(4)]
    adapters = [gpt2.first, None, gpt2.first, None]
    for number, (adapter, prompt) in enumerate(zip(adapters, prompts, strict=True)):
        answer = finished(run(engine, job("job", gpt2.spec(adapter), prompt, persona_tokens=20))["job"])

        assert answer.timings.prefilled_tokens == (21 if number < 2 else 1)
        assert answer.hypotheses[0].token_ids == expected(gpt2, adapter, prompt)


def test_a_preempted_dialogue_goes_on_with_its_own(gpt2: Tiny) -> None:
    limits = EngineLimits(device="cpu", context_window=128, batch=replace(EngineLimits().batch, running=1))
    engine = Engine(limits)
    engine.submit(job("early", gpt2.spec(gpt2.first), session="dialogue"))
    for _ in range(5):
        engine.step()
    urgent = job("urgent", gpt2.spec(gpt2.second), session="dialogue", priority=1)

    assert texts(run(engine, urgent)) == {
        "early": expected(gpt2, gpt2.first),
        "urgent": expected(gpt2, gpt2.second),
    }


def test_a_score_is_that_of_the_adapter(engine: Engine, model: Tiny) -> None:
    pairs = (ScorePair(PROMPT, OTHER_PROMPT), ScorePair(PROMPT[:5], (9,)))
    jobs = {str(adapter): score(str(adapter), model.spec(adapter), *pairs) for adapter in (model.second, None)}

    answers = run(engine, *jobs.values(), job("reply", model.spec(model.first)))

    assert finished(answers["reply"]).hypotheses[0].token_ids == expected(model, model.first)
    for adapter in (model.second, None):
        scores = answers[str(adapter)]
        assert isinstance(scores, Scores)
        reference = adapted(model.base, adapter)
        told = [log_probability(reference, pair.prefix_ids, pair.continuation_ids) for pair in pairs]
        assert scores.log_probabilities == pytest.approx(told, abs=1e-2)


def test_generate_reads_with_adapters_too(engine: Engine, gpt2: Tiny, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: object, **_options: object) -> None:
        raise Unbatchable("the test says so")

    monkeypatch.setattr(loaded_models, "prepare", refuse)
    adapters = (gpt2.first, gpt2.second, None)

    answers = run(
        engine,
        Load(id="load", model=gpt2.spec(gpt2.first)),
        *(job(str(adapter), gpt2.spec(adapter)) for adapter in adapters),
    )

    loaded = answers.pop("load")
    assert isinstance(loaded, Loaded)
    assert "generate()" in loaded.way
    assert texts(answers) == {str(adapter): expected(gpt2, adapter) for adapter in adapters}
