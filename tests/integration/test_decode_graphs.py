"""Steps that are padded to a bucket, as CUDA graphs need it, draw the same. Here every call is made, none replayed."""

from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from torch import Tensor

from core.generation.batcher import Batcher
from core.generation.decode_graphs import DecodeGraphs, position_bucket, slot_bucket
from core.generation.request import ModelSpec
from tests.integration.engine_runs import Drive, by_generate, job
from tests.integration.tiny_networks import save_tiny_network

PROMPTS = {name: tuple(range(ord(name), ord(name) + 5 + 7 * number)) for number, name in enumerate("abcdefg")}


@pytest.mark.parametrize("architecture", ["gpt2", "qwen3", "opt"])
def test_padded_steps_draw_what_generate_draws(architecture: str, tmp_path: Path) -> None:
    spec = ModelSpec(architecture, str(save_tiny_network(architecture, tmp_path)), dtype="float32")
    drive = Drive()
    model = drive.loaded(spec)
    assert isinstance(model.runner, Batcher)
    forward = partial(model.network.forward, cache=model.runner.cache)
    slots = len(model.runner.scheduler.slots)
    recorded: list[Callable[[], Tensor]] = []

    def record(call: Callable[[], Tensor]) -> Callable[[], Tensor]:
        recorded.append(call)
        return call

    model.network.graphs = DecodeGraphs(forward, slots, model.window, model.network.like, record)

    drive.run(*(job(spec, id=name, prompt_ids=prompt) for name, prompt in PROMPTS.items()))

    for name, prompt in PROMPTS.items():
        assert drive.text(name) == by_generate(spec, prompt), name
    assert recorded
    assert model.network.graphs is not None


@pytest.mark.parametrize(("slots", "bucket"), [(1, 1), (2, 2), (3, 4), (5, 8), (9, 16), (33, 40), (63, 60)])
def test_slots_are_padded_to_few_sizes(slots: int, bucket: int) -> None:
    assert slot_bucket(slots, 60) == bucket


@pytest.mark.parametrize(("positions", "bucket"), [(1, 256), (256, 256), (257, 512), (990, 1000)])
def test_positions_are_padded_to_few_sizes_and_never_beyond_the_window(positions: int, bucket: int) -> None:
    assert position_bucket(positions, 1000) == bucket
