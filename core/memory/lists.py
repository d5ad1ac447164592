"""Lists of values in a statement."""

from collections.abc import Sequence
from typing import TypeVar

_Value = TypeVar("_Value")


def padded(values: Sequence[_Value]) -> list[_Value]:
    """The same values, the last one repeated up to a power of two: databases keep a plan for each length of a list."""
    size = 1 << max(len(values) - 1, 0).bit_length()
    return [*values, *[values[-1]] * (size - len(values))] if values else []
