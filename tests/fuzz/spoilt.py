"""Interactions that were spoilt: parts are gone, doubled, of another one, or nothing that anybody ever sends."""

import copy
import random
from collections.abc import Iterator, Sequence
from typing import Any

from tests.fuzz.telegram_mutating import drawn_values

_MOST_CHANGES = 4
_Path = list[Any]


def spoilt(whole: Sequence[dict[str, Any]], number: int, seed: int) -> Iterator[dict[str, Any]]:
    chance, values = random.Random(seed), drawn_values(seed)
    for _ in range(number):
        body = copy.deepcopy(chance.choice(whole))
        for _ in range(chance.randint(1, _MOST_CHANGES)):
            if body:
                _spoil(body, whole, values, chance)
        yield body


def _spoil(body: Any, whole: Sequence[Any], values: Sequence[object], chance: random.Random) -> None:
    *way, last = chance.choice(_paths(body))
    holder = _at(body, way)
    other = chance.choice(whole)
    match chance.randrange(6):
        case 0:
            del holder[last]
        case 1:
            holder[last] = copy.deepcopy(_at(other, chance.choice(_paths(other))))
        case 2:
            # what stands at the same place of another interaction, where there is such a place
            found = _same(other, [*way, last])
            holder[last] = holder[last] if found is None else copy.deepcopy(found)
        case 3:
            holder[last] = [copy.deepcopy(holder[last])] * chance.randint(1, 20)
        case 4 if isinstance(holder[last], str) and holder[last]:
            at = chance.randrange(len(holder[last]))
            holder[last] = holder[last][:at] + chr(chance.randrange(0x250)) + holder[last][at + chance.randint(0, 1) :]
        case _:
            holder[last] = copy.deepcopy(chance.choice(values))


def _at(value: Any, path: _Path) -> Any:
    for step in path:
        value = value[step]
    return value


def _same(value: Any, path: _Path) -> Any:
    try:
        return _at(value, path)
    except (KeyError, IndexError, TypeError):
        return None


def _paths(value: object) -> list[_Path]:
    """To everything in it."""
    found: list[_Path] = []
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, inner in items:
        found.append([name])
        found += [[name, *rest] for rest in _paths(inner)]
    return found
