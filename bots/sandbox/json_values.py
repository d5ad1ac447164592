"""JSON as the local servers take and give it."""

import json

JsonObject = dict[str, object]


def as_json(value: object) -> bytes:
    """In ASCII, so that even half a surrogate pair can be said."""
    return json.dumps(value).encode()


def object_in(value: object) -> JsonObject:
    """Empty where it is none."""
    return value if isinstance(value, dict) else {}


def list_in(value: object) -> list[object]:
    """Empty where it is none."""
    return value if isinstance(value, list) else []
