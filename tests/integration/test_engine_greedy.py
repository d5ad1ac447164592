"""Greedy replies equal those of transformers' own `generate()`, token by token, whatever runs beside them."""

import json
import random
from pathlib import Path

import pytest

from core.generation.loaded_models import BATCHED
from core.generation.messages import Load, Loaded
from core.generation.request import ModelSpec, SamplingParams
from tests.integration.engine_runs import PROMPT, Drive, by_generate, job
from tests.integration.tiny_networks import CONFIGS, FALLBACKS, VOCABULARY, save_tiny_network


@pytest.fixture(scope="module", params=CONFIGS)
def spec(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ModelSpec:
    return ModelSpec(request.param, str(save_tiny_network(request.param, tmp_path_factory.mktemp("model"))))


@pytest.fixture(scope="module")
def drive() -> Drive:
    return Drive()


@pytest.fixture(scope="module", params=FALLBACKS)
def unbatchable(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> ModelSpec:
    return ModelSpec(request.param, str(save_tiny_network(request.param, tmp_path_factory.mktemp("model"))))


def prompts(count: int) -> list[tuple[int, ...]]:
    draw = random.Random(1)
    return [tuple(draw.randrange(VOCABULARY) for _ in range(draw.randrange(1, 70))) for _ in range(count)]


@pytest.mark.parametrize("batch", [1, 7, 32])
def test_replies_that_begin_together_are_those_of_generate(drive: Drive, spec: ModelSpec, batch: int) -> None:
    asked = prompts(batch)

    drive.run(*(job(spec, id=str(n), prompt_ids=prompt) for n, prompt in enumerate(asked)))

    assert [drive.text(str(n)) for n in range(batch)] == [by_generate(spec, prompt) for prompt in asked]
    assert drive.loaded(spec).way == BATCHED


def test_replies_that_join_and_leave_are_those_of_generate(drive: Drive, spec: ModelSpec) -> None:
    """Of lengths of their own, two more at each step, more than run at once."""
    asked = prompts(40)
    lengths = [1 + n * 7 % 12 for n in range(40)]
    for n, prompt in enumerate(asked):
        sampling = SamplingParams(temperature=0, max_new_tokens=lengths[n])
        drive.submit(job(spec, sampling, id=str(n), prompt_ids=prompt, priority=n % 2))
        if n % 2:
            drive.step()
    drive.run()

    assert [drive.text(str(n)) for n in range(40)] == [
        by_generate(spec, prompt)[:length] for prompt, length in zip(asked, lengths, strict=True)
    ]


def test_second_turns_over_kept_slots_are_those_of_generate(drive: Drive, spec: ModelSpec) -> None:
    """Some histories are edited in between, and some sessions were evicted."""
    asked = prompts(16)
    drive.run(*(job(spec, id=f"s{n}", session=f"s{n}", prompt_ids=prompt) for n, prompt in enumerate(asked)))
    longer = [(*prompt, *drive.text(f"s{n}"), 7, 8) for n, prompt in enumerate(asked)]
    edited = [(*ids[: len(ids) // 2], 9, *ids[len(ids) // 2 :]) if n % 3 == 0 else ids for n, ids in enumerate(longer)]

    drive.run(*(job(spec, id=f"s{n}", session=f"s{n}", prompt_ids=prompt) for n, prompt in enumerate(edited)))

    assert [drive.text(f"s{n}") for n in range(16)] == [by_generate(spec, prompt) for prompt in edited]
    known = [n for n in range(16) if drive.finished(f"s{n}").timings.prefilled_tokens == 3]
    assert known == [n for n in range(16) if n % 3]


def test_replies_differ_so_that_equality_says_something(spec: ModelSpec) -> None:
    texts = [by_generate(spec, prompt) for prompt in prompts(7)]

    assert len(set(texts)) == 7
    assert len({token for text in texts for token in text}) > 20


def test_a_model_that_slots_cannot_hold_runs_by_generate_and_says_so(drive: Drive, unbatchable: ModelSpec) -> None:
    asked = prompts(7)

    drive.run(
        Load(id="load", model=unbatchable),
        *(job(unbatchable, id=str(n), prompt_ids=prompt) for n, prompt in enumerate(asked)),
    )

    assert [drive.text(str(n)) for n in range(7)] == [by_generate(unbatchable, prompt) for prompt in asked]
    told = drive.last("load")
    assert isinstance(told, Loaded)
    assert told.way.startswith("one by one through generate(): ")


def test_the_models_own_settings_change_nothing_there(unbatchable: ModelSpec) -> None:
    """What ends a reply, and which token is padding, is the request's business."""
    whole = by_generate(unbatchable, PROMPT)
    file = Path(unbatchable.folder, "generation_config.json")
    own = json.loads(file.read_text())
    file.write_text(json.dumps(own | {"eos_token_id": whole[2], "pad_token_id": PROMPT[1], "repetition_penalty": 9.0}))
    drive = Drive()

    assert drive.text(job(unbatchable)) == whole
    assert drive.text(job(unbatchable, stop_ids=frozenset({whole[2]}))) == whole[: whole.index(whole[2])]
