"""What a person says to the program instead of to the model, who says it, and what comes of it.

Lines that begin with a slash are commands; nothing here knows a platform or carries anything out.
"""

from dataclasses import dataclass

from core.access import Rank
from core.dialogue import Person, Turn
from core.memory.sessions import Session

PREFIX = "/"


@dataclass(frozen=True, slots=True)
class Command:
    name: str
    argument: str = ""


@dataclass(frozen=True, slots=True)
class Asker:
    """Who gives a command, and where."""

    person: Person
    rank: Rank = Rank.PERSON
    #: Nobody else reads there.
    is_alone: bool = False
    #: The place's; what was chosen for the dialogue goes before it.
    language: str = "en"


@dataclass(frozen=True, slots=True)
class CommandReply:
    """What the person reads, and the session that goes on from here."""

    text: str
    session: Session
    #: A question whose reply is to be drawn again.
    answer_again: Turn | None = None
    #: A reply to that question with which the model is to go on instead.
    continues: Turn | None = None


def parse(text: str) -> Command | str:
    """A command, or the text that is meant for the model: `//` at the start stands for a slash."""
    if not text.startswith(PREFIX):
        return text
    if text.startswith(PREFIX * 2):
        return text[1:]
    name, *argument = text[1:].split(maxsplit=1) or [""]
    return Command(name.casefold(), "".join(argument).strip())
