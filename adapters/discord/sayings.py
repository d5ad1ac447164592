"""The words of a message, as the person meant them: those of a post's first message begin with its title and tags."""

from collections.abc import Mapping
from dataclasses import replace

from adapters.discord.happening import Happening
from adapters.discord.mentions import Heard, heard
from adapters.discord.quotes import heading_of, is_posts_first
from adapters.told import text

DEFAULT, REPLY = 0, 19


def is_said(message: Mapping[str, object]) -> bool:
    """Other types tell of pins and joins and threads, or carry what commands answered."""
    kind = message.get("type", DEFAULT)
    return not isinstance(kind, bool) and kind in (DEFAULT, REPLY)


def said_in(happening: Happening, message: Mapping[str, object]) -> Heard:
    """Raises NotUnderstood."""
    said = heard(text(message.get("content") or ""), message, happening.named)
    if not is_posts_first(happening, message):
        return said
    told = (heading_of(happening), said.text)
    return replace(said, text="\n\n".join(part for part in told if part))
