"""What a platform sent, as it is kept: without what opens doors."""

import json
from collections.abc import Mapping
from collections.abc import Set as AbstractSet


def raw_of(body: Mapping[str, object], doors: AbstractSet[str]) -> str:
    """Without the fields that are so called, wherever they stand."""
    try:
        return json.dumps(_without(body, doors), ensure_ascii=False)
    except (RecursionError, ValueError):
        return f"{len(body)} fields, nested too deep"


def _without(value: object, doors: AbstractSet[str]) -> object:
    if isinstance(value, Mapping):
        return {name: _without(inner, doors) for name, inner in value.items() if name not in doors}
    return [_without(inner, doors) for inner in value] if isinstance(value, list) else value
