"""What every rival is, and which there are. Standard library alone."""

from dataclasses import dataclass
from typing import Protocol

from benchmarks.crowd import Crowd

#: At once, for every rival that can do more than one request.
LARGEST_BATCH = 32


@dataclass(frozen=True, slots=True)
class Setting:
    """What all rivals are given alike."""

    #: A model as transformers saves it.
    folder: str
    threads: int
    #: Most tokens of a prompt and its reply.
    window: int


class Rival(Protocol):
    def serve(self, crowd: Crowd) -> None:
        """Answers until the crowd is done. All weights are loaded before."""
        ...


def load(name: str, setting: Setting) -> Rival:
    """The rival with its model; only what it needs itself is imported."""
    match name:
        case "sequential":
            from benchmarks.rivals.generate import Generate

            return Generate(setting, largest_batch=1)
        case "static":
            from benchmarks.rivals.generate import Generate

            return Generate(setting, largest_batch=LARGEST_BATCH)
        case "transformers":
            from benchmarks.rivals.transformers_batching import TransformersBatching

            return TransformersBatching(setting)
        case "banter":
            from benchmarks.rivals.banter import load_banter

            return load_banter(setting)
        case "vllm":
            from benchmarks.rivals.vllm_engine import VllmEngine

            return VllmEngine(setting)
        case "llama.cpp":
            from benchmarks.rivals.llama_cpp_python import LlamaCppPython

            return LlamaCppPython(setting)
    raise ValueError(f"there is no rival {name}")
