"""What Slack sent, as it is kept: without what opens doors.

A `response_url` lets anybody write into a channel, a `trigger_id` lets the app show somebody a window.
"""

from collections.abc import Mapping

from adapters import kept

_DOORS = frozenset({"token", "trigger_id", "response_url", "response_urls", "bot_access_token", "ssl_check"})
#: Of what nobody can take apart.
_KEPT_CHARS = 1 << 16


def raw_of(body: Mapping[str, object]) -> str:
    return kept.raw_of(body, _DOORS)


def raw_of_bytes(body: bytes) -> str:
    """Of what is no JSON of Slack's; a door can't be told from the rest of it."""
    text = body[:_KEPT_CHARS].decode("utf-8", "replace")
    return f"{len(body)} bytes" if any(door in text for door in _DOORS) else text
