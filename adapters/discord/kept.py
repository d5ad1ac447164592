"""What Discord sent, as it is kept: without what opens doors.

An interaction's token lets anybody speak as the bot, and a file's address is signed for whoever holds it.
"""

from collections.abc import Mapping

from adapters import kept

_DOORS = frozenset({"token", "url", "proxy_url"})


def raw_of(payload: Mapping[str, object]) -> str:
    return kept.raw_of(payload, _DOORS)
