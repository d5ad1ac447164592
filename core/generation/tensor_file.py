"""How many numbers a file of weights holds, and whether it is whole, told by its first bytes and its size.

Safetensors: 8 bytes length, a JSON header, then the data that it describes (https://huggingface.co/docs/safetensors).
PyTorch's own format is a pickle, which is not opened here: its size is divided by the width of its numbers.
"""

import json
import math
from pathlib import Path

from core.errors import ModelBroken

_HEADER_LIMIT_BYTES = 100_000_000
_PICKLE_START_BYTES = 1_000_000


def count_elements(file: Path) -> int:
    """Raises ModelBroken where a safetensors file is cut short or is none."""
    if file.suffix != ".safetensors":
        return file.stat().st_size // _pickle_width(file)
    tensors = [tensor for name, tensor in _header(file).items() if name != "__metadata__"]
    try:
        return sum(math.prod(tensor["shape"]) for tensor in tensors)
    except (KeyError, TypeError) as error:
        raise ModelBroken(f"{file} is damaged: its header can't be read") from error


def _header(file: Path) -> dict[str, dict[str, list[int]]]:
    size = file.stat().st_size
    with file.open("rb") as opened:
        length = int.from_bytes(opened.read(8), "little")
        if not 2 <= length <= min(size - 8, _HEADER_LIMIT_BYTES):
            raise ModelBroken(f"{file} is damaged: its header is not whole")
        try:
            header: dict[str, dict[str, list[int]]] = json.loads(opened.read(length))
            ends = [tensor["data_offsets"][1] for name, tensor in header.items() if name != "__metadata__"]
            whole = 8 + length + max(ends, default=0)
        except (ValueError, TypeError, KeyError, IndexError, AttributeError, RecursionError) as error:
            raise ModelBroken(f"{file} is damaged: its header can't be read") from error
    if size != whole:
        raise ModelBroken(f"{file} is damaged: it has {size:,} bytes and its header describes {whole:,}")
    return header


def _pickle_width(file: Path) -> int:
    """Bytes of a number; the pickle names its storages near its start, in the old format and in the zipped one."""
    with file.open("rb") as opened:
        start = opened.read(_PICKLE_START_BYTES)
    return 2 if b"HalfStorage" in start or b"BFloat16Storage" in start else 4
