"""How the tests of the commands talk: a person at a place says a line, and reads what comes of it."""

from collections.abc import AsyncIterator
from pathlib import Path

from core.access import Rank
from core.commands.asked import Known, Privacy
from core.commands.command import Asker, Command, CommandReply, parse
from core.commands.commands import Commands
from core.dialogue import Person, SessionKey
from core.generation.models import Models
from core.memory.sessions import Session
from core.memory.steps import Steps
from core.memory.store import Memory
from core.texts import Texts
from core.voice import Persona, Voices
from tests.contract.speaking import ANNA, open_session

NOWHERE = Path("/nowhere")


def voices() -> Voices:
    """No model's file is read by a command."""
    personas = {
        name: Persona(name, prompt, model, lambda sampling: sampling)
        for name, prompt, model in (("banter", "Be kind.", "tiny"), ("pirate", "Say arr.", "big"), ("mute", "", "tiny"))
    }
    return Voices(personas, Models(NOWHERE), 200, ["other"])


def commands(privacy: Privacy | None = None) -> Commands:
    return Commands(Known(voices(), Texts(), privacy))


class Table:
    """A dialogue, and whoever says something in it."""

    def __init__(self, memory: Memory, session: Session, privacy: Privacy | None = None) -> None:
        self.memory = memory
        self.session = session
        self.commands = commands(privacy)

    @classmethod
    async def laid(cls, memory: Memory, privacy: Privacy | None = None) -> "Table":
        return cls(memory, await open_session(memory), privacy)

    async def hears(self, line: str, asker: Asker | None = None) -> CommandReply:
        said = parse(line)
        assert isinstance(said, Command)
        async with self.memory.transaction() as steps:
            reply = await self.commands.run(steps, self.session, said, asker or alone())
        self.session = reply.session
        return reply

    async def answers(self, line: str, asker: Asker | None = None) -> str:
        return (await self.hears(line, asker)).text


def alone(person: Person = ANNA) -> Asker:
    return Asker(person, is_alone=True)


def in_company(person: Person = ANNA, rank: Rank = Rank.PERSON) -> Asker:
    return Asker(person, rank)


class RememberedPrivacy:
    """Erases and hands out nothing, and remembers what it was asked for."""

    def __init__(self, *lines: str) -> None:
        self.asked: list[str] = []
        self._lines = lines

    async def forget_person(self, steps: Steps, person: Person, here: SessionKey) -> int:
        self.asked.append(f"forget {person.name} in {here.channel}")
        return 7

    async def forget_session(self, steps: Steps, session: Session) -> int:
        self.asked.append(f"forget session {session.id}")
        return 3

    async def export_person(self, steps: Steps, person: Person) -> AsyncIterator[str]:
        for line in self._lines:
            yield line

    async def export_session(self, steps: Steps, session: Session) -> AsyncIterator[str]:
        for line in (*self._lines, "{}"):
            yield line
