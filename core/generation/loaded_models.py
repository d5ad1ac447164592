"""The models on the device: loaded when they are first needed, unloaded when another one needs their place."""

import gc
import logging
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Protocol

import torch

from core.dialogue import FinishReason
from core.errors import ModelTooLarge, SettingsError
from core.generation import weights
from core.generation.adapter_config import read_config
from core.generation.batcher import Batcher
from core.generation.cpu_linear import Int8Linear, fast_layer, replace_layers
from core.generation.decode_graphs import DecodeGraphs, cuda_recorder
from core.generation.footprint import free_memory
from core.generation.kv_cache import LayerShape, SlotCache
from core.generation.loaded_adapters import LoadedAdapters
from core.generation.messages import Answer, ModelStatistics, Submit
from core.generation.network import Network, Unbatchable, prepare
from core.generation.request import ModelSpec
from core.generation.running_request import TokenCounts
from core.generation.scheduler import BatchLimits
from core.generation.scoring import Scoring
from core.generation.stepped_generate import SteppedGenerate

logger = logging.getLogger(__name__)

BATCHED = "batched"
#: Of the memory that is left beside the weights, what one model's slots may take.
_SLOTS_SHARE = 0.6
#: Slots for each reply that runs: the others keep what dialogues have read.
_SLOTS_PER_RUNNING = 2


class Runner(Protocol):
    """What writes the replies of one model."""

    @property
    def counts(self) -> TokenCounts: ...

    @property
    def busy(self) -> bool:
        """It has requests."""
        ...

    @property
    def can_run(self) -> bool:
        """A step would do something."""
        ...

    @property
    def running(self) -> int: ...

    def submit(self, job: Submit) -> None:
        """Raises RequestFailed for one that could never run."""
        ...

    def end(self, request_id: str, reason: FinishReason) -> list[Answer]:
        """Ends a request in any state; none of that name: nothing."""
        ...

    def hold(self, request_id: str, *, held: bool) -> bool:
        """Nothing is drawn for a held request. False: none of that name."""
        ...

    def withdraw(self) -> list[Submit]:
        """What does not run leaves, as jobs that go on from what they have."""
        ...

    def uses(self, adapter: str) -> bool:
        """One of its requests does."""
        ...

    def forget(self, adapter: str) -> None:
        """What this adapter has read is of no use any more."""
        ...

    def forget_sessions(self, sessions: Collection[str]) -> int:
        """Nothing is kept of these, now or later; none is all of them. How many slots held something."""
        ...

    def close(self) -> None: ...

    def step(self) -> list[Answer]: ...


@dataclass(frozen=True, slots=True)
class EngineLimits:
    #: "auto", "cpu", "cuda" or "cuda:N".
    device: str = "auto"
    #: CPU threads; 0 leaves it to PyTorch.
    threads: int = 0
    #: Most bytes that models and their slots may take; 0 is what the device has free.
    memory_bytes: int = 0
    #: Tokens of a slot: prompt and reply together. Never more than the model can see.
    context_window: int = 2048
    batch: BatchLimits = field(default_factory=BatchLimits)


@dataclass(eq=False, slots=True)
class LoadedModel:
    """A model on the device, with what runs its jobs."""

    network: Network
    runner: Runner
    scoring: Scoring
    #: BATCHED, or why its requests run by `generate()`.
    way: str
    #: Prompt and reply together.
    window: int
    used_at: float = field(default_factory=time.monotonic)
    #: It takes nothing new, and leaves when it is idle.
    leaving: bool = False
    adapters: LoadedAdapters = field(init=False)

    def __post_init__(self) -> None:
        shapes = self.runner.cache.shapes if isinstance(self.runner, Batcher) else ()
        self.adapters = LoadedAdapters(self.network, shapes, self._uses, self.runner.forget)

    def touch(self, adapter: str) -> None:
        """It is used now."""
        self.used_at = time.monotonic()
        self.adapters.touch(adapter)

    def _uses(self, adapter: str) -> bool:
        return self.runner.uses(adapter) or self.scoring.uses(adapter)

    @property
    def busy(self) -> bool:
        return self.runner.busy or len(self.scoring) > 0

    @property
    def can_step(self) -> bool:
        return self.runner.can_run or len(self.scoring) > 0

    @property
    def slots_bytes(self) -> int:
        return self.runner.cache.nbytes if isinstance(self.runner, Batcher) else 0

    def step(self) -> list[Answer]:
        writes = self.runner.can_run
        answers = self.runner.step() if writes else []
        return answers + self.scoring.step(beside=writes)

    def statistics(self) -> ModelStatistics:
        table = self.runner.scheduler.slots if isinstance(self.runner, Batcher) else ()
        return ModelStatistics(
            name=self.network.spec.name,
            way=self.way,
            slots=len(table),
            running=self.runner.running,
            retained=self.runner.scheduler.slots.retained if isinstance(self.runner, Batcher) else 0,
            weights_bytes=self.network.weights_bytes,
            slots_bytes=self.slots_bytes,
            prefilled_tokens=self.runner.counts.prefilled,
            reused_tokens=self.runner.counts.reused,
            drawn_tokens=self.runner.counts.drawn,
            forwards=dict(self.runner.counts.forwards),
        )


class LoadedModels:
    """Owns the device's memory. Models are known by their specs without adapters."""

    def __init__(self, limits: EngineLimits) -> None:
        if limits.threads:
            torch.set_num_threads(limits.threads)
        self.device = _device(limits.device)
        self._limits = limits
        self._memory_bytes = limits.memory_bytes or self._free()
        self._models: dict[ModelSpec, LoadedModel] = {}

    def __iter__(self) -> Iterator[LoadedModel]:
        return iter(list(self._models.values()))

    def get(self, spec: ModelSpec) -> LoadedModel | None:
        """None while it or its adapter is not loaded, or about to leave."""
        model = self._models.get(replace(spec, adapter=""))
        return None if model is None or model.leaving or not model.adapters.ready(spec.adapter) else model

    def load(self, spec: ModelSpec, progress: Callable[[float], None]) -> LoadedModel | None:
        """With its adapter. Idle models leave while memory is short, the least recently used first.

        None where one has to leave that is busy: it takes nothing new from now on; try again. Raises ModelError.
        """
        base = replace(spec, adapter="")
        if spec.adapter:
            read_config(Path(spec.adapter))  # before a model is loaded for it
        while True:
            before = self._models.get(base)
            # What is to be loaded anew would be read from the disk in vain at every step of those that still run.
            awaited = self._models.values() if before is None else [before]
            if any(model.leaving and model.busy for model in awaited):
                return None
            try:
                model = self._models[base] = before or self._load(base, progress)
                model.leaving = False
                return model if model.adapters.load(spec.adapter, self._left()) else None
            except ModelTooLarge:
                if not set(self._models) - {base}:
                    raise
            # Not while the error is handled: it holds what was loaded in vain.
            if not self._make_room(base):
                return None

    def _make_room(self, wanted: ModelSpec) -> bool:
        """Unloads the model that was used longest ago; False where all are busy, and that one leaves next."""
        others = self._models.keys() - {wanted}
        oldest = min(others, key=lambda spec: (self._models[spec].busy, self._models[spec].used_at))
        self._models[oldest].leaving = True
        if self._models[oldest].busy:
            return False
        self._unload(oldest)
        return True

    def _load(self, spec: ModelSpec, progress: Callable[[float], None]) -> LoadedModel:
        network = Network(spec, weights.load(spec, self.device, self._left(), progress))
        window = min(network.window, self._limits.context_window)
        layer = fast_layer(spec.dtype) if self.device.type == "cpu" else None
        try:
            shapes = prepare(network, layer)
        except Unbatchable as reason:
            if layer is Int8Linear:
                replace_layers(network.module, layer)
            way = f"one by one through generate(): {reason}"
            logger.warning("%s runs %s", spec.name, way, extra={"action": "unbatchable"})
            return LoadedModel(network, SteppedGenerate(network), Scoring(network), way, window)
        slots = self._slots(network, shapes, window)
        cache = SlotCache(shapes, slots, window, network.like)
        if self.device.type == "cuda":
            network.graphs = DecodeGraphs(
                partial(network.forward, cache=cache), slots, window, network.like, cuda_recorder()
            )
        runner = Batcher(network, cache, slots, self._limits.batch)
        return LoadedModel(network, runner, Scoring(network), BATCHED, window)

    def _slots(self, network: Network, shapes: list[LayerShape], window: int) -> int:
        slot_bytes = window * sum(shape.bytes_per_token(network.like.element_size()) for shape in shapes)
        room = int(_SLOTS_SHARE * self._left(network.weights_bytes))
        slots = min(_SLOTS_PER_RUNNING * self._limits.batch.running, room // slot_bytes)
        if slots < 1:
            raise ModelTooLarge(
                f"{network.spec.name}: {room / 1e9:.1f} GB are left for dialogues of {window} tokens, and one takes "
                f"{slot_bytes / 1e9:.1f} GB; lower generation.context_window or raise engine.memory_gb"
            )
        return slots

    def _unload(self, spec: ModelSpec) -> None:
        """Nobody may hold the model any more, or it stays in the memory."""
        self._models.pop(spec).runner.close()
        gc.collect()
        if self.device.type == "cuda":
            torch.cuda.empty_cache()  # what torch keeps for itself does not count as free
        logger.info("unloaded", extra={"action": "unload", "model": spec.name})

    def _left(self, loaded_bytes: int = 0) -> int:
        """Bytes for one more model, or for the rest of one of which so many are loaded.

        Slots count whole, although a CPU gives memory only to what was written.
        """
        held = sum(model.network.weights_bytes + model.slots_bytes for model in self._models.values())
        return max(min(self._memory_bytes - held - loaded_bytes, self._free()), 1)

    def _free(self) -> int:
        return torch.cuda.mem_get_info(self.device)[0] if self.device.type == "cuda" else free_memory()


def _device(name: str) -> torch.device:
    if name.startswith("cuda") and not torch.cuda.is_available():
        raise SettingsError(f"engine.device = {name!r}: torch finds no CUDA device here; use auto or cpu")
    if name != "auto":
        return torch.device(name)
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")
