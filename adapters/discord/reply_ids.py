"""How the core knows interactions: ids that no message has.

`i123` is an interaction whose answer everybody reads, `e123` one whose answer nobody but the asker sees. The answer
takes the place that Discord keeps for it (`@original`). One interaction can say more than one thing: `i123.0` and
`i123.1` are said before `i123`, and `e123.1` and `e123.2` after `e123`; their answers stand beside it.
"""

import re
from dataclasses import dataclass

_TOLD = re.compile(r"([ie])([1-9][0-9]{0,18})(?:\.([0-9]))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class ReplyId:
    interaction: str
    #: Nobody but the asker reads the answer.
    is_private: bool = False
    #: None: the answer takes `@original`.
    beside: int | None = None

    def __str__(self) -> str:
        number = "" if self.beside is None else f".{self.beside}"
        return f"{'e' if self.is_private else 'i'}{self.interaction}{number}"


def reply_id(told: str) -> ReplyId | None:
    """None where it is a message's own."""
    found = _TOLD.fullmatch(told)
    if found is None:
        return None
    return ReplyId(found[2], found[1] == "e", None if found[3] is None else int(found[3]))
