"""A model that the slots can't hold, token by token through `generate()`: memory, prompts, 8-bit weights."""

import pytest
import torch
from torch import Tensor

from core.generation.cpu_linear import Int8Linear
from core.generation.request import ModelSpec
from core.generation.stepped_generate import SteppedGenerate
from tests.integration.engine_runs import Drive, by_generate, job
from tests.integration.tiny_networks import save_tiny_network

PROMPTS = {name: tuple(range(start, start + 9)) for start, name in enumerate("abcdef", 40)}


@pytest.fixture(scope="module")
def bloom(tmp_path_factory: pytest.TempPathFactory) -> ModelSpec:
    return ModelSpec("bloom", str(save_tiny_network("bloom", tmp_path_factory.mktemp("bloom"))))


def stepped(drive: Drive, spec: ModelSpec) -> SteppedGenerate:
    runner = drive.loaded(spec).runner
    assert isinstance(runner, SteppedGenerate)
    return runner


def test_too_little_memory_for_several_runs_fewer_at_once(bloom: ModelSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    drive = Drive()
    runner = stepped(drive, bloom)
    module = drive.network(bloom).module
    forward = module.forward
    running: list[int] = []

    def two_fit(*inputs: object, **options: object) -> Tensor:
        if runner.running > 2:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")
        running.append(runner.running)
        return forward(*inputs, **options)  # type: ignore[no-any-return]

    monkeypatch.setattr(module, "forward", two_fit)
    drive.run(*(job(bloom, id=name, prompt_ids=prompt) for name, prompt in PROMPTS.items()))

    assert max(running) == 2
    monkeypatch.undo()
    assert {name: drive.text(name) for name in PROMPTS} == {
        name: by_generate(bloom, prompt) for name, prompt in PROMPTS.items()
    }


def test_one_step_reads_one_prompt_at_most(bloom: ModelSpec) -> None:
    drive = Drive()
    runner = stepped(drive, bloom)
    drive.submit(*(job(bloom, id=name, prompt_ids=prompt) for name, prompt in PROMPTS.items()))

    read = []
    for _ in range(4):
        before = runner.counts.prefilled
        drive.step()
        read.append(runner.counts.prefilled - before)

    assert read == [9, 9, 9, 9]


def test_eight_bit_weights_are_eight_bit_there_too(bloom: ModelSpec) -> None:
    drive = Drive()

    module = drive.network(ModelSpec("small", bloom.folder, dtype="int8")).module

    assert any(isinstance(part, Int8Linear) for part in module.modules())
