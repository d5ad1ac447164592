"""What stands before the first word of a reply that goes on after an earlier one, which was cut."""

from dataclasses import dataclass

from core.dialogue import Turn
from core.prompt import drawn_ids
from core.voice import Voice

#: A decoder's mark for a character that it has not whole.
_BROKEN = "\ufffd"


@dataclass(frozen=True, slots=True)
class ReplyStart:
    """Nothing, for a reply of its own."""

    #: With its last white space.
    text: str = ""
    token_ids: tuple[int, ...] = ()


def start_of(voice: Voice, continues: Turn) -> ReplyStart:
    """The ids that the model drew, where they are this voice's; else the text is read anew."""
    ids = drawn_ids(continues, voice.tokenizer) or tuple(voice.tokenizer.encode_data(continues.text))
    decoded = voice.tokenizer.decode(ids).rstrip(_BROKEN)
    # The tokens may end with white space, which the record has not, and with half a character, which comes whole now.
    return ReplyStart(continues.text.rstrip(_BROKEN).rstrip() + decoded[len(decoded.rstrip()) :], ids)
