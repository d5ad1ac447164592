"""The files that came with a message. Nothing is fetched here."""

from collections.abc import Mapping

from adapters.discord.snowflakes import snowflake_in
from adapters.told import objects, text
from core.clean_text import clean_text
from core.dialogue import Attachment

#: The largest size that is believed.
_LIMIT_BYTES = 1 << 53


def attachments_of(message: Mapping[str, object], channel: str) -> tuple[Attachment, ...]:
    """Each is given out for its channel, message and own id: its address ends after a day. Raises NotUnderstood."""
    place = f"{channel}/{snowflake_in(message, 'id')}"
    return tuple(
        Attachment(
            clean_text(text(file.get("filename") or "")),
            text(file.get("content_type") or "").partition(";")[0].strip(),
            _size(file.get("size")),
            f"{place}/{snowflake_in(file, 'id')}",
        )
        for file in objects(message.get("attachments"))
    )


def _size(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _LIMIT_BYTES:
        return 0
    return value
