"""How much memory a model takes, and how much there is.

A container's limit counts as the machine's memory: past it the process is killed, whatever the machine has free.
"""

from pathlib import Path

from core.errors import ModelTooLarge, SettingsError
from core.generation.model_folder import find_weights
from core.generation.tensor_file import count_elements

#: Bytes of one number.
DTYPE_WIDTHS = {"float64": 8, "float32": 4, "float16": 2, "bfloat16": 2}
#: Read as float32, and made smaller layer by layer.
INT8 = "int8"
#: Buffers, activations and what loading holds for a moment.
HEADROOM = 1.2
_CGROUP = Path("/sys/fs/cgroup")


def dtype_on(device: str, dtype: str) -> str:
    """What it is loaded as; `auto` is float32 on a CPU and bfloat16 on a GPU. Raises SettingsError: int8 on a GPU."""
    if dtype == INT8:
        if device != "cpu":
            raise SettingsError("dtype int8 is for CPUs; take bfloat16 or float16 on a GPU")
        return "float32"
    if dtype != "auto":
        return dtype
    return "float32" if device == "cpu" else "bfloat16"


def memory_needed(folder: Path, dtype: str) -> int:
    """Bytes to load and run the model in `dtype` (a key of `DTYPE_WIDTHS`); the KV cache is not part of it."""
    elements = sum(count_elements(file) for file in find_weights(folder))
    return int(elements * DTYPE_WIDTHS[dtype] * HEADROOM)


def free_memory() -> int:
    """Bytes of main memory that this process may still take."""
    import psutil

    machine = psutil.virtual_memory().available
    limit = _cgroup_free(_CGROUP)
    return machine if limit is None else min(machine, limit)


def require_memory(name: str, needed: int, free: int, dtype: str) -> None:
    """Raises ModelTooLarge, before anything is loaded."""
    if needed > free:
        smaller = ' or `dtype = "bfloat16"`' if DTYPE_WIDTHS[dtype] > 2 else ""
        raise ModelTooLarge(
            f"{name} needs {needed / 1e9:.1f} GB as {dtype} and {max(0, free) / 1e9:.1f} GB are free; "
            f"take a smaller model{smaller}, another device (`engine.device`), or raise `engine.memory_gb` if it is set"
        )


def _cgroup_free(folder: Path) -> int | None:
    """Of a cgroup v2 with a limit; pages that the kernel can drop at once count as free."""
    try:
        limit = int((folder / "memory.max").read_text())
        used = int((folder / "memory.current").read_text())
        pages = dict(line.split() for line in (folder / "memory.stat").read_text().splitlines())
    except (OSError, ValueError):
        return None
    return max(0, limit - used + int(pages.get("inactive_file", 0)))
