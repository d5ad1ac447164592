"""Several models on one device: each with its slots, and the least recently used one leaves when memory is short."""

import weakref
from pathlib import Path
from typing import Any

import pytest
from transformers import PreTrainedModel

from core.dialogue import FinishReason
from core.generation import weights
from core.generation.loaded_models import BATCHED, LoadedModels
from core.generation.messages import Failed, Load, Loaded, Submit
from core.generation.request import ModelSpec, ScorePair
from core.generation.scheduler import BatchLimits
from tests.integration.engine_runs import PROMPT, Drive, by_generate, job, score
from tests.integration.tiny_networks import save_tiny_network

BATCH = BatchLimits(running=4, prefill_tokens=16, prefill_tokens_alone=32)
#: Too little for anything.
SPARE_BYTES = 100_000


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    names = ("gpt2", "llama", "neox", "bloom")
    return {name: str(save_tiny_network(name, tmp_path_factory.mktemp(name))) for name in names}


@pytest.fixture(scope="module")
def specs(folders: dict[str, str]) -> list[ModelSpec]:
    """Three models of the same size."""
    return [ModelSpec(name, folders["gpt2"]) for name in ("first", "second", "third")]


@pytest.fixture(scope="module")
def size_bytes(specs: list[ModelSpec]) -> int:
    drive = Drive(BATCH)
    drive.loaded(specs[0])
    (told,) = drive.engine.statistics()
    return told.weights_bytes + told.slots_bytes


def names(drive: Drive) -> list[str]:
    return sorted(told.name for told in drive.engine.statistics())


def asked(spec: ModelSpec, count: int) -> list[Submit]:
    return [job(spec, id=f"{spec.name} {n}", prompt_ids=tuple(range(n, n + 20 + n))) for n in range(count)]


def assert_whole(drive: Drive, jobs: list[Submit]) -> None:
    for one in jobs:
        assert drive.text(one.id) == drive.streamed(one.id) == by_generate(one.model, one.prompt_ids), one.id


def test_several_models_answer_at_once(folders: dict[str, str]) -> None:
    drive = Drive(BATCH)
    specs = [ModelSpec(name, folder) for name, folder in folders.items()]
    jobs = [one for spec in specs for one in asked(spec, 6)]

    drive.submit(*jobs)
    for _ in range(8):
        drive.step()
    running = {told.name: told.running for told in drive.engine.statistics()}
    drive.run()

    assert_whole(drive, jobs)
    assert running == {"gpt2": 4, "llama": 4, "neox": 4, "bloom": 4}
    ways = {told.name: told.way for told in drive.engine.statistics()}
    assert [name for name, way in ways.items() if way == BATCHED] == ["gpt2", "llama", "neox"]


def test_the_model_that_was_idle_longest_makes_room(specs: list[ModelSpec], size_bytes: int) -> None:
    drive = Drive(BATCH, memory_bytes=2 * size_bytes + SPARE_BYTES)
    first, second, third = specs
    for spec in (first, second, first, third):
        drive.run(job(spec))

    assert names(drive) == ["first", "third"]
    assert drive.text(job(second)) == by_generate(second, PROMPT)
    assert names(drive) == ["second", "third"]


def test_nothing_is_left_of_a_model_that_was_unloaded(specs: list[ModelSpec], size_bytes: int) -> None:
    drive = Drive(BATCH, memory_bytes=size_bytes + SPARE_BYTES)
    gone = weakref.ref(drive.network(specs[0]).module)
    drive.run(job(specs[1]))

    assert gone() is None


def test_a_busy_model_leaves_when_it_is_idle_and_no_job_is_lost(specs: list[ModelSpec], size_bytes: int) -> None:
    """There is room for one."""
    drive = Drive(BATCH, memory_bytes=size_bytes + SPARE_BYTES)
    first, second = asked(specs[0], 7), asked(specs[1], 3)
    ended: list[str] = []

    drive.submit(*first)
    for _ in range(4):
        drive.step()
    drive.submit(*second, score(specs[0], [ScorePair((5,), (6,))]))
    while drive.engine.can_step:
        assert len(names(drive)) <= 1
        ended.extend(answer.id for answer in drive.step() if drive.last(answer.id) is answer)

    assert_whole(drive, first + second)
    assert drive.last("score")
    assert {one.id for one in second} < set(ended[:8]), "what ran was finished, and then it was the second's turn"


def test_a_model_that_waits_for_room_is_not_read_from_the_disk_at_every_step(
    specs: list[ModelSpec], size_bytes: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    drive, reads = Drive(BATCH, memory_bytes=size_bytes + SPARE_BYTES), 0
    load = weights.load

    def counted(*args: Any) -> PreTrainedModel:
        nonlocal reads
        reads += 1
        return load(*args)

    drive.submit(job(specs[0]))
    drive.step()
    monkeypatch.setattr(weights, "load", counted)
    drive.run(job(specs[1], id="other"))

    assert drive.text("other") == by_generate(specs[1], PROMPT)
    assert reads <= 3, "once too early, once while the other was idle, once with room"


def test_weights_that_are_loaded_are_not_taken_from_what_is_free_again(
    specs: list[ModelSpec], monkeypatch: pytest.MonkeyPatch
) -> None:
    drive = Drive(BATCH)
    drive.loaded(specs[0])
    (told,) = drive.engine.statistics()
    free = told.weights_bytes + 2 * told.slots_bytes
    load = weights.load

    def taking(*args: Any) -> PreTrainedModel:
        nonlocal free
        free -= told.weights_bytes
        return load(*args)

    monkeypatch.setattr(weights, "load", taking)
    monkeypatch.setattr(LoadedModels, "_free", lambda _: free)
    drive = Drive(BATCH, memory_bytes=0)
    drive.loaded(specs[0])

    assert [now.slots for now in drive.engine.statistics()] == [told.slots]


@pytest.mark.parametrize("architecture", ["slots", "generate"])
def test_a_held_request_of_a_model_that_leaves_stays_held(
    specs: list[ModelSpec], folders: dict[str, str], size_bytes: int, architecture: str
) -> None:
    if architecture == "generate":
        specs = [ModelSpec(name, folders["bloom"]) for name in ("first", "second")]
        drive = Drive(BATCH)
        drive.loaded(specs[0])
        size_bytes = drive.engine.statistics()[0].weights_bytes * 3 // 2
    drive = Drive(BATCH, memory_bytes=size_bytes + SPARE_BYTES)
    drive.submit(job(specs[0]))
    for _ in range(5):
        drive.step()
    drive.engine.hold("job", held=True)
    before = drive.streamed("job")
    drive.run(job(specs[1], id="other"))

    assert drive.text("other") == by_generate(specs[1], PROMPT)
    assert drive.streamed("job") == before
    drive.engine.hold("job", held=False)
    drive.run()
    assert drive.text("job") == drive.streamed("job") == by_generate(specs[0], PROMPT)


def test_a_model_that_fails_to_load_fails_its_jobs_only(specs: list[ModelSpec], tmp_path: Path) -> None:
    broken = ModelSpec("broken", str(save_tiny_network("gpt2", tmp_path / "broken")))
    (tmp_path / "broken" / "model.safetensors").write_bytes(b"no weights")
    drive = Drive(BATCH)
    drive.run(
        Load(id="load", model=broken), job(broken, id="bad"), score(broken, [ScorePair((5,), (6,))]), job(specs[0])
    )

    for name in ("load", "bad", "score"):
        last = drive.last(name)
        assert isinstance(last, Failed)
        assert last.error == "ModelBroken"
    assert drive.text("job") == by_generate(specs[0], PROMPT)


def test_a_model_that_never_fits_is_refused_and_may_be_asked_for_again(specs: list[ModelSpec]) -> None:
    drive = Drive(BATCH, memory_bytes=1)
    for _ in range(2):
        drive.run(job(specs[0]))
        assert "needs 0.0 GB as float32" in drive.reason("job")


def test_a_model_whose_dialogues_do_not_fit_is_refused(specs: list[ModelSpec]) -> None:
    drive = Drive(BATCH, memory_bytes=700_000, context_window=256)
    drive.run(job(specs[0]))

    assert "lower generation.context_window or raise engine.memory_gb" in drive.reason("job")
    assert names(drive) == []


def test_a_model_can_be_loaded_before_it_is_needed(specs: list[ModelSpec]) -> None:
    drive = Drive(BATCH)
    heard: list[tuple[str, float]] = []
    drive.engine.loading = lambda spec, fraction: heard.append((spec.name, fraction))
    drive.run(Load(id="once", model=specs[0]))
    drive.run(Load(id="again", model=specs[0]))

    assert heard
    assert heard[-1] == ("first", 1.0)
    assert drive.last("once") == Loaded(id="once")
    assert drive.last("again") == Loaded(id="again")


def test_jobs_can_be_ended_while_their_model_is_waited_for(specs: list[ModelSpec]) -> None:
    drive = Drive(BATCH)
    drive.submit(Load(id="load", model=specs[0]), job(specs[0], prefix_ids=(4,)), score(specs[0], []))
    for name in ("load", "job", "score"):
        drive.cancel(name, FinishReason.DEADLINE)
    drive.run()

    assert names(drive) == []
    assert drive.reason("load") == drive.reason("score") == "deadline while it waited"
    (hypothesis,) = drive.finished("job").hypotheses
    assert (hypothesis.token_ids, hypothesis.finish_reason) == ((4,), FinishReason.DEADLINE)
