"""What this process remembers of what it did, so long as there is room for it."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import TypeVar

_Key = TypeVar("_Key", bound=Hashable)
_Value = TypeVar("_Value")

_REMEMBERED = 2000


def keep(known: "OrderedDict[_Key, _Value]", key: _Key, value: _Value) -> None:
    """As the newest of them; there is a bound to what is remembered."""
    known[key] = value
    known.move_to_end(key)
    while len(known) > _REMEMBERED:
        known.popitem(last=False)
