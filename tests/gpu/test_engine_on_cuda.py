"""The engine on a CUDA device: run by hand with `pytest tests/gpu`, skipped where there is none."""

import random
from collections.abc import Sequence
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from core.generation.kv_cache import SlotCache
from core.generation.loaded_models import BATCHED
from core.generation.messages import Submit
from core.generation.request import ModelSpec, SamplingParams, ScorePair
from core.generation.scheduler import Chunk
from tests.integration.engine_runs import GREEDY, PROMPT, Drive, by_generate, job, score
from tests.integration.tiny_networks import CONFIGS, FALLBACKS, VOCABULARY, save_tiny_network

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
]


@pytest.fixture(scope="module", params=CONFIGS)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_tiny_network(request.param, tmp_path_factory.mktemp("model")))


@pytest.fixture(scope="module")
def spec(folder: str) -> ModelSpec:
    """In float32: what a CPU says is what a GPU has to say."""
    return ModelSpec("exact", folder, dtype="float32")


@pytest.fixture
def drive(monkeypatch: pytest.MonkeyPatch) -> Drive:
    monkeypatch.setattr(torch.backends.cuda.matmul, "allow_tf32", False)
    return Drive(device="cuda")


def jobs(spec: ModelSpec, count: int, sampling: SamplingParams = GREEDY) -> list[Submit]:
    draw = random.Random(1)
    prompts = [tuple(draw.randrange(VOCABULARY) for _ in range(draw.randrange(1, 70))) for _ in range(count)]
    return [job(spec, sampling, id=str(n), prompt_ids=prompt) for n, prompt in enumerate(prompts)]


@pytest.mark.parametrize("batch", [1, 7, 32])
def test_greedy_replies_are_those_of_generate(drive: Drive, spec: ModelSpec, batch: int) -> None:
    asked = jobs(spec, batch)
    drive.run(*asked)

    assert [drive.text(one.id) for one in asked] == [by_generate(spec, one.prompt_ids) for one in asked]
    assert drive.loaded(spec).way == BATCHED
    assert drive.network(spec).device.type == "cuda"


def test_replies_that_join_and_leave_are_those_of_generate(drive: Drive, spec: ModelSpec) -> None:
    asked = jobs(spec, 40)
    for one in asked:
        drive.submit(one)
        drive.step()
    drive.run()

    assert [drive.text(one.id) for one in asked] == [by_generate(spec, one.prompt_ids) for one in asked]


def test_a_second_turn_reads_only_what_is_new(drive: Drive, spec: ModelSpec) -> None:
    longer = (*PROMPT, *drive.text(job(spec, session="s")), 7, 8, 9)

    again = drive.finished(job(spec, session="s", prompt_ids=longer))

    assert again.timings.prefilled_tokens == 4
    assert again.hypotheses[0].token_ids == by_generate(spec, longer)


def test_in_bfloat16_a_batch_is_the_default_and_every_reply_is_sound(drive: Drive, spec: ModelSpec) -> None:
    rounded = replace(spec, name="rounded", dtype="auto")
    asked = jobs(rounded, 32, sampling=SamplingParams(max_new_tokens=12, top_p=0.9))
    drive.run(*asked)

    assert drive.network(rounded).like.dtype is torch.bfloat16
    assert drive.loaded(rounded).way == BATCHED
    assert all(len(drive.text(one.id)) == 12 for one in asked)


def test_in_float64_the_same_seed_says_the_same_alone_and_in_a_crowd(drive: Drive, spec: ModelSpec) -> None:
    exact = replace(spec, name="float64", dtype="float64")
    asked = [
        one.model_copy(update={"seed": n})
        for n, one in enumerate(jobs(exact, 32, sampling=SamplingParams(max_new_tokens=12, top_k=50)))
    ]
    drive.run(*asked)
    together = [drive.text(one.id) for one in asked]

    assert [drive.text(one) for one in asked] == together


def test_scores_are_those_of_a_cpu(drive: Drive, spec: ModelSpec) -> None:
    pairs = [ScorePair(PROMPT[:n], PROMPT[n:]) for n in (1, 9, 30)]

    assert drive.scores(score(spec, pairs)) == pytest.approx(Drive().scores(score(spec, pairs)), abs=5e-3)


def test_a_real_shortage_of_memory_fails_what_never_fits_and_nobody_else(
    drive: Drive, spec: ModelSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = drive.network(spec)
    read = network.read

    def hungry(chunks: Sequence[Chunk], cache: SlotCache) -> tuple[Tensor, list[Chunk]]:
        if any(chunk.start + len(chunk.token_ids) > 100 for chunk in chunks):
            torch.empty(2**50, dtype=torch.uint8, device="cuda")
        return read(chunks, cache)

    monkeypatch.setattr(network, "read", hungry)
    asked = jobs(spec, 7)
    drive.run(job(spec, id="huge", prompt_ids=(5,) * 120), *asked)

    assert "more memory than the device has" in drive.reason("huge")
    assert [drive.text(one.id) for one in asked] == [by_generate(spec, one.prompt_ids) for one in asked]


def test_a_token_that_the_model_does_not_know_costs_no_device(drive: Drive, spec: ModelSpec) -> None:
    drive.run(job(spec, id="strange", prompt_ids=(5, VOCABULARY)), job(spec))

    assert "is none of the" in drive.reason("strange")
    assert drive.text("job") == by_generate(spec, PROMPT)


def test_an_unloaded_model_leaves_its_memory(spec: ModelSpec) -> None:
    torch.cuda.empty_cache()
    drive = Drive(device="cuda")
    drive.run(job(spec))
    (told,) = drive.engine.statistics()
    both = told.weights_bytes + told.slots_bytes
    drive = Drive(device="cuda", memory_bytes=both * 3 // 2)
    drive.run(job(spec))
    before = torch.cuda.memory_allocated()
    drive.run(job(replace(spec, name="other")))

    assert len(drive.engine.statistics()) == 1
    assert torch.cuda.memory_allocated() < before * 3 // 2


@pytest.mark.parametrize("architecture", FALLBACKS)
def test_what_slots_cannot_hold_runs_by_generate(
    drive: Drive, tmp_path_factory: pytest.TempPathFactory, architecture: str
) -> None:
    fallback = ModelSpec(
        architecture, str(save_tiny_network(architecture, tmp_path_factory.mktemp("model"))), "float32"
    )
    asked = jobs(fallback, 7)
    drive.run(*asked)

    assert drive.loaded(fallback).way != BATCHED
    assert [drive.text(one.id) for one in asked] == [by_generate(fallback, one.prompt_ids) for one in asked]
