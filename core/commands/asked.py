"""A command in its place: everything that carrying it out needs."""

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from core.access import Rank
from core.commands.command import Asker, CommandReply
from core.dialogue import Person, SessionKey, Turn
from core.memory.sessions import Session
from core.memory.steps import Steps
from core.texts import Texts
from core.voice import Voices


class Privacy(Protocol):
    """What people may have done with what they said. Each is a step of the transaction that is open."""

    async def forget_person(self, steps: Steps, person: Person, here: SessionKey) -> int:
        """Erases what somebody said, on all their platforms; how many turns that were. `here` is where they ask for it:
        that message is still to be answered.
        """
        ...

    async def forget_session(self, steps: Steps, session: Session) -> int:
        """Erases a dialogue; how many turns that were."""
        ...

    def export_person(self, steps: Steps, person: Person) -> AsyncIterator[str]:
        """What is remembered of somebody, on all their platforms, as lines of JSON."""
        ...

    def export_session(self, steps: Steps, session: Session) -> AsyncIterator[str]:
        """A dialogue as lines of JSON."""
        ...


@dataclass(frozen=True, slots=True)
class Known:
    """What every command may use."""

    voices: Voices
    texts: Texts
    #: None where nothing can be forgotten or exported by command.
    privacy: Privacy | None = None


@dataclass(frozen=True, slots=True)
class Asked:
    known: Known
    #: The transaction in which the command is carried out.
    steps: Steps
    session: Session
    argument: str
    asker: Asker
    at: datetime

    def tell(self, english: str, /, **values: object) -> str:
        """The program's own words in the dialogue's language."""
        return self.known.texts.say(self.session.language or self.asker.language, english, **values)

    def answer(self, text: str) -> CommandReply:
        return CommandReply(text, self.session)

    def go_on_in(self, session: Session) -> "Asked":
        return replace(self, session=session)

    @property
    def may_decide(self) -> bool:
        """Whether what concerns everybody in the dialogue is this person's to say."""
        is_own = self.asker.is_alone or self.session.key.person == self.asker.person.platform_id
        return is_own or self.asker.rank >= Rank.MODERATOR

    def refuse(self) -> CommandReply:
        return self.answer(self.tell("Only moderators may do that here."))

    async def may_change(self, question: Turn) -> bool:
        """Whether a question is this person's own, or they decide here."""
        return self.may_decide or await self.steps.author(question.id) == self.asker.person.platform_id
