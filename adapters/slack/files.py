"""What came with a message besides its words. Nothing is fetched here."""

from collections.abc import Iterator, Mapping

from adapters.told import objects, text, word
from core.clean_text import clean_text
from core.dialogue import Attachment

#: The largest size that is believed.
_LIMIT_BYTES = 1 << 53
#: What is left of a file that is gone.
_GONE = frozenset({"tombstone"})


def attachments_of(message: Mapping[str, object]) -> tuple[Attachment, ...]:
    """Each is given out for its file's id. Raises NotUnderstood."""
    return tuple(_found(message))


def _found(message: Mapping[str, object]) -> Iterator[Attachment]:
    for file in objects(message.get("files")):
        if text(file.get("mode") or "") not in _GONE:
            name = file.get("name") or file.get("title") or ""
            yield Attachment(
                clean_text(text(name)), text(file.get("mimetype") or ""), _size(file.get("size")), word(file.get("id"))
            )


def _size(value: object) -> int:
    """0 where it is not told: files of other companies' say nothing of themselves until they are asked for."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _LIMIT_BYTES:
        return 0
    return value
