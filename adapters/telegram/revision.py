"""What tells an edit of a message from the next one."""

import hashlib
from datetime import datetime

from adapters.telegram.told import NotUnderstood

_LENGTH = 12


def revision_of(edited_at: datetime | None, text: str) -> str:
    """Telegram tells the second, in which there may be two edits; the text's hash tells them apart.

    An edit that is delivered again has the same. Raises NotUnderstood.
    """
    if edited_at is None:
        raise NotUnderstood("an edit tells no time")
    digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{int(edited_at.timestamp())}.{digest[:_LENGTH]}"
