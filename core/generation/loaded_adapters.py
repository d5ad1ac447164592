"""The LoRA adapters of one loaded model: laid over it when first needed, taken off when others need the place."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from core.errors import ModelError, ModelTooLarge
from core.generation.adapter_weights import bytes_needed, read_adapter
from core.generation.failures import is_out_of_memory, raise_if_device_is_lost
from core.generation.kv_cache import LayerShape
from core.generation.network import Network, Unbatchable

logger = logging.getLogger(__name__)

#: On one model at once; the least recently used leaves.
MOST_ADAPTERS = 16


@dataclass(eq=False, slots=True)
class LoadedAdapter:
    folder: str
    used_at: float = field(default_factory=time.monotonic)
    #: It takes nothing new, and leaves when it is idle.
    leaving: bool = False


class LoadedAdapters:
    def __init__(
        self,
        network: Network,
        shapes: Sequence[LayerShape],
        is_used: Callable[[str], bool],
        forget: Callable[[str], None],
    ) -> None:
        """`shapes` are those of the slots, none where there are none; `forget` hears of every adapter that leaves."""
        self._network = network
        self._shapes = shapes
        self._is_used = is_used
        self._forget = forget
        self._adapters: dict[str, LoadedAdapter] = {}

    def ready(self, folder: str) -> bool:
        """A request can read with it at once; "" is no adapter."""
        return not folder or (folder in self._adapters and not self._adapters[folder].leaving)

    def touch(self, folder: str) -> None:
        """It is used now."""
        if folder in self._adapters:
            self._adapters[folder].used_at = time.monotonic()

    def load(self, folder: str, room_bytes: int) -> bool:
        """False where one has to leave that is busy: it takes nothing new from now on; try again. Raises ModelError."""
        if not folder:
            return True
        before = self._adapters.get(folder)
        if before is not None:
            if before.leaving and self._is_used(folder):
                return False
            before.leaving = False
            return True
        oldest = self._oldest() if len(self._adapters) >= MOST_ADAPTERS else None
        if oldest is not None and self._is_used(oldest.folder):
            oldest.leaving = True
            return False
        self._lay(folder, room_bytes)
        if oldest is not None:
            self._take_off(oldest)
        return True

    def _oldest(self) -> LoadedAdapter:
        return min(
            self._adapters.values(),
            key=lambda adapter: (not adapter.leaving, self._is_used(adapter.folder), adapter.used_at),
        )

    def _lay(self, folder: str, room_bytes: int) -> None:
        network = self._network
        needed = bytes_needed(Path(folder), network.like)
        if needed > room_bytes:
            raise ModelTooLarge(
                f"the adapter {folder} needs {needed / 1e6:.0f} MB and {room_bytes / 1e6:.0f} MB are free; take one of "
                "a lower rank, or raise `engine.memory_gb` if it is set"
            )
        network.adapters.add(folder, read_adapter(Path(folder), network.adapters.linear_layers(), network.like))
        try:
            self._check(folder)
        except BaseException:
            network.adapters.remove(folder)
            raise
        self._adapters[folder] = LoadedAdapter(folder)
        logger.info("adapter loaded", extra={"action": "load_adapter", "model": network.spec.name, "adapter": folder})

    def _check(self, folder: str) -> None:
        """Reads with it and without it, whole and in a batch."""
        try:
            with torch.inference_mode():
                expected = self._network.own_log_probabilities(folder)
                if self._shapes:
                    self._network.check(expected, self._shapes, folder)
        except Unbatchable as error:
            raise ModelError(f"the adapter {folder} can't be used with {self._network.spec.name}: {error}") from error
        except Exception as error:
            raise_if_device_is_lost(error)
            if is_out_of_memory(error):
                raise ModelTooLarge(
                    f"the adapter {folder} does not fit the memory; take one of a lower rank"
                ) from error
            logger.warning("the self-test failed", exc_info=True, extra={"action": "self_test", "adapter": folder})
            raise ModelError(f"{self._network.spec.name} fails with {type(error).__name__} with {folder}") from error

    def _take_off(self, adapter: LoadedAdapter) -> None:
        del self._adapters[adapter.folder]
        self._network.adapters.remove(adapter.folder)
        self._forget(adapter.folder)
        logger.info("adapter unloaded", extra={"action": "unload_adapter", "adapter": adapter.folder})
