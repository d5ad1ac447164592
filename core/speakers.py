"""Who speaks, as a prompt names them. Names are untrusted text: they are made harmless and never followed."""

import unicodedata
from collections.abc import Sequence

from core.dialogue import Role, Turn

_NAME_CHARACTERS = 64
_COLONS = ":："
#: Invisible, and part of emoji and of Persian and Indian names.
_JOINERS = "\u200c\u200d"


def name_speakers(turns: Sequence[Turn]) -> list[Turn]:
    """Speakers with harmless names where several people speak, and with none where one does."""
    people = {turn.speaker for turn in turns if turn.role is Role.PERSON and turn.speaker}
    names = [harmless_name(turn) if len(people) > 1 else "" for turn in turns]
    named = zip(turns, names, strict=True)
    return [turn if turn.speaker == name else turn.named(name) for turn, name in named]


def written(turn: Turn) -> str:
    """What a prompt says for a turn: "Name: text" where the speaker has a name."""
    return f"{turn.speaker}: {turn.text}" if turn.speaker else turn.text


def harmless_name(turn: Turn) -> str:
    """No line end, control character, bidirectional mark or colon, with which a name could pose as another turn."""
    if turn.role is not Role.PERSON:
        return ""
    line = " ".join(turn.speaker.split())
    shown = (character for character in line if character in _JOINERS or unicodedata.category(character)[0] != "C")
    return "".join(character for character in shown if character not in _COLONS).strip()[:_NAME_CHARACTERS].strip()
