"""What a failed forward means."""

import torch


def is_out_of_memory(error: BaseException) -> bool:
    """CUDA has a class for it, a CPU's allocator only words."""
    words = ("can't allocate memory", "not enough memory", "could not allocate")
    return isinstance(error, torch.OutOfMemoryError | MemoryError) or (
        isinstance(error, RuntimeError) and any(word in str(error) for word in words)
    )


def raise_if_device_is_lost(error: Exception) -> None:
    """After a CUDA assert no further call works: the process has to end, and is replaced."""
    if isinstance(error, torch.AcceleratorError) and not is_out_of_memory(error):
        raise error
