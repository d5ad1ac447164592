"""What goes wrong in a forward: who pays for it, and that nobody else notices."""

from collections.abc import Callable, Iterator, Sequence

import pytest
import torch
from torch import Tensor

from core.generation import batcher
from core.generation.kv_cache import SlotCache
from core.generation.messages import Submit
from core.generation.request import ModelSpec, SamplingParams
from core.generation.sampler import choose
from core.generation.scheduler import BatchLimits, Chunk
from core.generation.writing import Choice, Row
from tests.integration.engine_runs import Drive, by_generate, job
from tests.integration.tiny_networks import save_tiny_network

#: A token that no reply here draws.
POISON = 500
NAMES = tuple("abcdef")
Trouble = Callable[[Sequence[Chunk]], None]


@pytest.fixture(scope="module")
def spec(tmp_path_factory: pytest.TempPathFactory) -> ModelSpec:
    return ModelSpec("llama", str(save_tiny_network("llama", tmp_path_factory.mktemp("llama"))))


@pytest.fixture(scope="module")
def bloom(tmp_path_factory: pytest.TempPathFactory) -> ModelSpec:
    return ModelSpec("bloom", str(save_tiny_network("bloom", tmp_path_factory.mktemp("bloom"))))


@pytest.fixture
def drive(spec: ModelSpec) -> Drive:
    drive = Drive(BatchLimits(running=8, prefill_tokens=32, prefill_tokens_alone=64))
    drive.loaded(spec)
    return drive


def prompt_of(name: str) -> tuple[int, ...]:
    return tuple(range(ord(name), ord(name) + 20 + ord(name) % 16))


def crowd(spec: ModelSpec) -> list[Submit]:
    return [job(spec, id=name, prompt_ids=prompt_of(name)) for name in NAMES]


def assert_unharmed(drive: Drive, spec: ModelSpec, names: Sequence[str] = NAMES) -> None:
    for name in names:
        assert drive.text(name) == drive.streamed(name) == by_generate(spec, prompt_of(name)), name
        assert POISON not in drive.text(name)
    assert drive.loaded(spec).runner.running == 0


@pytest.fixture
def trouble(drive: Drive, spec: ModelSpec, monkeypatch: pytest.MonkeyPatch) -> Callable[[Trouble], list[int]]:
    """Has every forward meet it, after all was computed and written. Gives the sizes of the forwards that went well."""

    def meet(trouble: Trouble) -> list[int]:
        network = drive.network(spec)
        read = network.read
        sizes: list[int] = []

        def troubled(chunks: Sequence[Chunk], cache: SlotCache) -> tuple[Tensor, list[Chunk]]:
            result = read(chunks, cache)
            trouble(chunks)
            sizes.append(len(chunks))
            return result

        monkeypatch.setattr(network, "read", troubled)
        return sizes

    return meet


SHORTAGES = [
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:124] DefaultCPUAllocator: can't allocate memory"),
    MemoryError(),
]


@pytest.mark.parametrize("shortage", SHORTAGES, ids=lambda shortage: type(shortage).__name__)
def test_too_little_memory_for_the_batch_halves_it_and_everybody_finishes(
    drive: Drive, spec: ModelSpec, trouble: Callable[[Trouble], list[int]], shortage: Exception
) -> None:
    def two_fit(chunks: Sequence[Chunk]) -> None:
        if sum(len(chunk.token_ids) == 1 for chunk in chunks) > 2:
            raise shortage

    sizes = trouble(two_fit)
    drive.run(*crowd(spec))

    assert_unharmed(drive, spec)
    assert max(sizes[10:]) == 2


def test_too_little_memory_for_a_prompt_reads_it_in_smaller_pieces(
    drive: Drive, spec: ModelSpec, trouble: Callable[[Trouble], list[int]]
) -> None:
    def twenty_tokens_fit(chunks: Sequence[Chunk]) -> None:
        if sum(len(chunk.token_ids) for chunk in chunks) > 20:
            raise SHORTAGES[0]

    trouble(twenty_tokens_fit)
    drive.run(*crowd(spec))

    assert_unharmed(drive, spec)


def test_too_little_memory_to_draw_halves_the_batch_too(
    drive: Drive, spec: ModelSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    def two_fit(logits: Tensor, rows: Sequence[Row]) -> list[Choice]:
        if len(rows) > 2:
            raise SHORTAGES[0]
        return choose(logits, rows)

    monkeypatch.setattr(batcher, "choose", two_fit)
    drive.run(*crowd(spec))

    assert_unharmed(drive, spec)


def test_a_request_that_can_never_fit_fails_alone_and_says_why(
    drive: Drive, spec: ModelSpec, trouble: Callable[[Trouble], list[int]]
) -> None:
    def a_hundred_positions_fit(chunks: Sequence[Chunk]) -> None:
        if any(chunk.start + len(chunk.token_ids) > 100 for chunk in chunks):
            raise SHORTAGES[0]

    trouble(a_hundred_positions_fit)
    drive.run(job(spec, id="huge", prompt_ids=tuple(range(120)), priority=1), *crowd(spec))

    assert "more memory than the device has" in drive.reason("huge")
    assert_unharmed(drive, spec)


def test_what_one_requests_tokens_break_fails_that_one_alone(
    drive: Drive, spec: ModelSpec, trouble: Callable[[Trouble], list[int]]
) -> None:
    def poisoned(chunks: Sequence[Chunk]) -> None:
        if any(POISON in chunk.token_ids for chunk in chunks):
            raise ValueError("a poisoned token")

    trouble(poisoned)
    first, *others = crowd(spec)
    drive.run(first, job(spec, id="bad", prompt_ids=(1, 2, POISON, 3)), *others)

    assert drive.reason("bad") == "the model failed with ValueError; see engine.log"
    assert_unharmed(drive, spec)


def test_a_shortage_while_requests_are_tried_alone_harms_nobody(
    drive: Drive, spec: ModelSpec, trouble: Callable[[Trouble], list[int]]
) -> None:
    met: list[str] = []

    def poisoned_and_short(chunks: Sequence[Chunk]) -> None:
        if any(POISON in chunk.token_ids for chunk in chunks):
            raise ValueError("a poisoned token")
        if [chunk.request.job.id for chunk in chunks] == ["a"] and not met:
            met.append("shortage")
            raise SHORTAGES[0]

    trouble(poisoned_and_short)
    first, *others = crowd(spec)
    drive.run(first, *others[:3])
    drive.run(first, job(spec, id="bad", prompt_ids=(1, 2, POISON, 3)), *others)

    assert met
    assert drive.reason("bad")
    assert_unharmed(drive, spec)


@pytest.fixture
def broken_numbers(drive: Drive, spec: ModelSpec) -> Iterator[None]:
    """Whoever reads the poison computes no numbers; all that it writes to its slot are none."""
    weight = drive.network(spec).module.get_input_embeddings().weight
    assert isinstance(weight, Tensor)
    kept = weight.data[POISON].clone()
    weight.data[POISON] = float("nan")
    yield
    weight.data[POISON] = kept


@pytest.mark.parametrize(
    "sampling", [SamplingParams(temperature=0, max_new_tokens=12), SamplingParams(candidates=3, max_new_tokens=12)]
)
@pytest.mark.usefixtures("broken_numbers")
def test_a_row_without_numbers_ends_its_request_and_leaves_nothing_behind(
    drive: Drive, spec: ModelSpec, sampling: SamplingParams
) -> None:
    first, *others = crowd(spec)
    bad = job(spec, sampling, id="bad", prompt_ids=(*range(60), POISON, 3), session="bad")
    drive.run(first, bad, *others)

    assert drive.reason("bad") == "llama computed no number; try dtype float32"
    assert_unharmed(drive, spec)
    cache = drive.batcher(spec).cache
    assert all(bool(layer.slot_keys.isfinite().all()) for layer in cache.slot_layers)
    assert all(bool(layer.slot_values.isfinite().all()) for layer in cache.slot_layers)


def test_a_persona_that_was_read_without_numbers_is_not_kept(
    drive: Drive, spec: ModelSpec, request: pytest.FixtureRequest
) -> None:
    persona = job(spec, id="a", prompt_ids=(*range(20), POISON, *range(9)), persona_tokens=25)
    weight = drive.network(spec).module.get_input_embeddings().weight
    assert isinstance(weight, Tensor)
    kept = weight.data[POISON].clone()
    weight.data[POISON] = float("nan")
    drive.run(persona)
    assert drive.reason("a")

    weight.data[POISON] = kept
    assert drive.text(persona) == by_generate(spec, persona.prompt_ids)


def test_a_lost_device_is_nobodys_fault_and_ends_the_step(
    drive: Drive, spec: ModelSpec, trouble: Callable[[Trouble], list[int]]
) -> None:
    def lost(_chunks: Sequence[Chunk]) -> None:
        raise torch.AcceleratorError("CUDA error: device-side assert triggered")

    trouble(lost)
    drive.submit(*crowd(spec))

    with pytest.raises(torch.AcceleratorError):
        drive.step()


def test_what_one_request_breaks_in_generate_fails_that_one_alone(
    drive: Drive, bloom: ModelSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = drive.network(bloom).module
    forward = module.forward

    def poisoned(input_ids: Tensor, **options: object) -> object:
        if bool((input_ids == POISON).any()):
            raise ValueError("a poisoned token")
        return forward(input_ids=input_ids, **options)

    monkeypatch.setattr(module, "forward", poisoned)
    first, *others = crowd(bloom)
    drive.run(first, job(bloom, id="bad", prompt_ids=(1, 2, POISON, 3)), *others)

    assert drive.reason("bad") == "the model failed with ValueError; see engine.log"
    assert_unharmed(drive, bloom)


def test_a_row_without_numbers_in_generate_ends_that_request(drive: Drive, bloom: ModelSpec) -> None:
    weight = drive.network(bloom).module.get_parameter("transformer.ln_f.weight")
    kept = weight.data.clone()
    weight.data.fill_(float("nan"))
    drive.run(*crowd(bloom))
    assert all("computed no number" in drive.reason(name) for name in NAMES)

    weight.data.copy_(kept)
    drive.run(*crowd(bloom))
    assert_unharmed(drive, bloom)


def test_what_another_left_in_a_slot_harms_nobody(drive: Drive, spec: ModelSpec) -> None:
    """A mask hides it, and nought times NaN is NaN all the same."""
    runner = drive.loaded(spec).runner
    assert isinstance(runner, batcher.Batcher)
    for layer in runner.cache.slot_layers:
        layer.slot_values[:, :, 30:] = float("nan")

    drive.run(*crowd(spec))

    assert_unharmed(drive, spec)
