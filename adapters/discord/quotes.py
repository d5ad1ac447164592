"""What a message points at: one that it replies to or passes on, or the post that it stands in.

The bot's own messages are in its dialogue already.
"""

from collections.abc import Mapping

from adapters.discord.happening import Happening
from adapters.discord.mentions import plain
from adapters.payloads import found_in
from adapters.told import fields, objects, text

#: What `message_reference` does: passes a message on.
_FORWARD = 1


def quotes_of(happening: Happening, message: Mapping[str, object], *, is_called: bool) -> str:
    """ "" where it points at nothing. Raises NotUnderstood."""
    if found_in(message, "message_reference", "type") == _FORWARD:
        shots = [fields(one.get("message")) for one in objects(message.get("message_snapshots"))]
        return "\n".join(_words(happening, shot) for shot in shots)
    replied = message.get("referenced_message")
    if replied is not None:
        found = fields(replied)
        return "" if found_in(found, "author", "id") == happening.account.id else _words(happening, found)
    if message.get("message_reference") is not None or not (is_called and happening.place.is_post):
        return ""
    return "" if is_posts_first(happening, message) else heading_of(happening)


def is_posts_first(happening: Happening, message: Mapping[str, object]) -> bool:
    """Its words begin with the heading."""
    return happening.place.is_post and message.get("id") == happening.place.id


def heading_of(happening: Happening) -> str:
    """Of a post: its title and its tags, as they stand above its first message."""
    place = happening.place
    tags = f"[{', '.join(place.tags)}]" if place.tags else ""
    return "\n".join(line for line in (place.title, tags) if line)


def _words(happening: Happening, message: Mapping[str, object]) -> str:
    return plain(text(message.get("content") or ""), message, happening.named)
