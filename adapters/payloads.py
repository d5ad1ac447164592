"""Where something stands in what a platform sends. Any part of it may be missing, or be something else."""

from collections.abc import Mapping

Payload = Mapping[str, object]


class NotUnderstood(ValueError):
    """Its words are the program's own: no part of what came."""


def found_in(payload: object, *path: str) -> object:
    """None where there is nothing."""
    for name in path:
        if not isinstance(payload, Mapping):
            return None
        payload = payload.get(name)
    return payload


def text_in(payload: object, *path: str) -> str:
    """Empty where there is nothing, or something else."""
    found = found_in(payload, *path)
    return found if isinstance(found, str) else ""


def list_in(payload: object, *path: str) -> list[object]:
    """Empty where there is nothing, or something else."""
    found = found_in(payload, *path)
    return found if isinstance(found, list) else []
