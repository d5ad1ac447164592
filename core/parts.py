"""The messages that a reply consists of: what each is opened with, and what is known of it."""

from collections.abc import Sequence
from dataclasses import replace

from core.memory.owed import SentPart
from core.ports import Capabilities, Outgoing


def first_words(can: Capabilities, shown: Outgoing) -> Outgoing:
    """What a part is opened with: its text, where opening it twice gives one message."""
    is_safe = can.idempotent_send or can.read_back
    is_changed_later = can.edits or can.native_stream
    if is_changed_later and (not is_safe or (can.native_stream and not shown.is_closed)):
        return replace(shown, markdown="", is_closed=False, is_last=False)
    return shown


def merged(known: Sequence[SentPart], parts: Sequence[SentPart]) -> tuple[SentPart, ...]:
    """With the handles that are known; parts that are no longer there keep their place."""
    found = {part.part: part for part in known}
    for part in parts:
        found[part.part] = replace(found.get(part.part, part), end=part.end)
    return tuple(found[number] for number in sorted(found))
