"""A turn as columns, and a turn as the dialogue knows it."""

import struct

from sqlalchemy import select

from core.dialogue import Role, TokenizedText, Turn
from core.memory.tables import PersonRow, TurnRow

#: A join would let PostgreSQL read all people; this looks up the few that speak.
SPEAKER = select(PersonRow.name).where(PersonRow.id == TurnRow.person_id).scalar_subquery()

#: What `turn_of` takes, in its order.
TURN = (
    TurnRow.id,
    TurnRow.role,
    TurnRow.text,
    SPEAKER.label("speaker"),
    TurnRow.tokenizer,
    TurnRow.token_ids,
    TurnRow.prompt_start_id,
)


def turn_of(
    turn_id: int,
    role: str,
    text: str,
    speaker: str | None,
    tokenizer: str | None,
    token_ids: bytes | None,
    prompt_start_id: int | None,
) -> Turn:
    tokens = None if tokenizer is None or token_ids is None else TokenizedText(tokenizer, unpack_ids(token_ids))
    return Turn(turn_id, Role(role), text, speaker or "", tokens, prompt_start_id)


def pack_ids(ids: tuple[int, ...]) -> bytes:
    return struct.pack(f"<{len(ids)}I", *ids)


def unpack_ids(packed: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(packed) // 4}I", packed)


def storable(text: str) -> str:
    """What both databases can hold: no NUL, no half of a surrogate pair."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()
