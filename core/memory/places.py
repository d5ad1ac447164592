"""A session key as one text: what the inbox and the leases are sorted by."""

import json

from core.dialogue import Platform, SessionKey


def place_of(key: SessionKey) -> str:
    """The same for equal keys, and for no others."""
    return json.dumps(key.words, ensure_ascii=False, separators=(",", ":"))


def key_of(place: str) -> SessionKey:
    platform, *rest = json.loads(place)
    return SessionKey(Platform(platform), *rest)
