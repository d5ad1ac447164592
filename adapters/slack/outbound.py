"""A part of a reply → what Slack is sent: text, the blocks below it, and the mark that it is found again by.

Markdown goes as it is, but for what Slack would make of `<` and `>` (`escaping`). Links are not unfurled: an address
that a model wrote would be asked for by Slack. The mark is readable by every member and app of the workspace, so it
only holds an opaque name.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from adapters.slack.escaping import escaped, escaped_start
from adapters.text import Splitter
from core.ports import NewSplitter, Outgoing

Block = Mapping[str, Any]

PLACEHOLDER = "…"
#: Of a stream or a post; Slack takes about 12,000.
LIMIT_UNITS = 9000
#: Of a message that is posted and then changed.
EDITED_LIMIT_UNITS = 3900
EVENT_TYPE = "banter_reply"
#: How a message stands: it will say more, it says all of its part, it says the end of the reply.
OPEN, WHOLE, LAST = "open", "whole", "last"

_PREVIEW_CHARS = 150
#: The most that an escape adds to a character.
_MOST_ADDED = 3
_LONGEST_STATUS_CHARS = 200


def new_splitter() -> NewSplitter:
    """Parts that fit a message after their escaping."""

    def cut(borders: Sequence[int] = (), limit_chars: int = 0) -> Splitter:
        limit = limit_chars or LIMIT_UNITS
        return Splitter(lambda markdown: fits(markdown, limit), borders)

    return cut


def fits(markdown: str, limit_units: int = LIMIT_UNITS) -> bool:
    length = units(markdown)
    if length - markdown.count("\\") > limit_units:
        return False
    most_added = _MOST_ADDED * (markdown.count("<") + markdown.count(">"))
    return length + most_added <= limit_units or units(escaped(markdown)) <= limit_units


def units(text: str) -> int:
    """UTF-16 code units: Slack does not tell what it counts, and these are never fewer than characters."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def said(part: Outgoing) -> str:
    """What the whole part is to say."""
    text = escaped(part.markdown)
    return text if text.strip() else PLACEHOLDER


def said_so_far(part: Outgoing) -> str:
    """What a stream may be told of a part that goes on."""
    return escaped_start(part.markdown)


def state(part: Outgoing) -> str:
    return OPEN if not part.is_closed else LAST if part.is_last else WHOLE


def mark(part: Outgoing) -> Mapping[str, Any]:
    """Metadata that the message is found again by."""
    return {"event_type": EVENT_TYPE, "event_payload": {"part": part.nonce, "state": state(part)}}


def content(text: str, below: Sequence[Block]) -> Mapping[str, Any]:
    """Of a message that is posted or changed. Markdown text and blocks exclude each other."""
    if not below:
        return {"markdown_text": text}
    return {"text": preview(text), "blocks": [{"type": "markdown", "text": text}, *below]}


def preview(text: str) -> str:
    """What a notification says of it; escaped as the text is."""
    line = " ".join(text.split())
    if len(line) <= _PREVIEW_CHARS:
        return line
    cut = line[:_PREVIEW_CHARS]
    return cut[: cut.rindex("&")] + PLACEHOLDER if "&" in cut[-_MOST_ADDED - 1 :] else cut + PLACEHOLDER


def text_chunk(text: str) -> Block:
    return {"type": "markdown_text", "text": text}


def task_chunk(part: Outgoing, title: str, *, is_done: bool) -> Block:
    """A card that says what is being done, while there is no text yet."""
    status = "complete" if is_done else "in_progress"
    return {"type": "task_update", "id": part.nonce, "title": title, "status": status}


def status_title(status: str) -> str:
    """Of a task card: plain, and in one line."""
    return escaped(" ".join(status.split()))[:_LONGEST_STATUS_CHARS] or PLACEHOLDER
