"""What a person can say to the program instead of to the model: lines that begin with a slash.

It knows no platform: a command comes in as text, and what it did goes out as text.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from core.dialogue import Turn
from core.memory.sessions import Session
from core.memory.store import Memory
from core.voice import Voices

PREFIX = "/"


@dataclass(frozen=True, slots=True)
class Command:
    name: str
    argument: str = ""


@dataclass(frozen=True, slots=True)
class CommandReply:
    """What the person reads, and the session that goes on from here."""

    text: str
    session: Session
    #: A question whose reply is to be drawn again.
    answer_again: Turn | None = None


def parse(text: str) -> Command | str:
    """A command, or the text that is meant for the model: `//` at the start stands for a slash."""
    if not text.startswith(PREFIX):
        return text
    if text.startswith(PREFIX * 2):
        return text[1:]
    name, _, argument = text[1:].partition(" ")
    return Command(name.casefold(), argument.strip())


class Commands:
    def __init__(self, memory: Memory, voices: Voices) -> None:
        self._memory = memory
        self._voices = voices

    async def run(self, session: Session, command: Command) -> CommandReply:
        """Carries a command out; an unknown one is answered too. Raises StorageError."""
        known = COMMANDS.get(command.name)
        if known is None:
            return CommandReply(f"There is no /{command.name}. /help lists what there is.", session)
        return await known.action(self, session, command.argument)

    async def _new(self, session: Session, _argument: str) -> CommandReply:
        fresh = await self._memory.begin_session(session.key, session.persona, session.model)
        return CommandReply("A new dialogue begins.", fresh)

    async def _persona(self, session: Session, argument: str) -> CommandReply:
        verb, _, name = argument.partition(" ")
        if verb in ("", "list"):
            return CommandReply(self._list_personas(session.persona), session)
        if verb == "show":
            return CommandReply(self._show_persona(name.strip() or session.persona), session)
        return await self._use_persona(session, name.strip() if verb == "use" else argument)

    def _list_personas(self, current: str) -> str:
        lines = [f"{'*' if name == current else ' '} {name}" for name in sorted(self._voices.personas)]
        return "\n".join([*lines, "/persona use NAME changes it."])

    def _show_persona(self, name: str) -> str:
        if name not in self._voices.personas:
            return self._unknown_persona(name)
        persona = self._voices.personas[name]
        return f"{persona.name}, with {persona.model}: {persona.system_prompt or '(no system prompt)'}"

    async def _use_persona(self, session: Session, name: str) -> CommandReply:
        if name not in self._voices.personas:
            return CommandReply(self._unknown_persona(name), session)
        persona = self._voices.personas[name]
        changed = await self._memory.set_persona(session.id, persona.name, persona.model)
        return CommandReply(f"You talk to {persona.name} now, with {persona.model}.", changed)

    def _unknown_persona(self, name: str) -> str:
        return f"There is no persona {name!r}; there are {', '.join(sorted(self._voices.personas))}."

    async def _undo(self, session: Session, _argument: str) -> CommandReply:
        question = await self._memory.undo(session.id)
        if question is None:
            return CommandReply("There is nothing to take back.", session)
        return CommandReply(f"Taken back: {_shortened(question.text)}", session)

    async def _regenerate(self, session: Session, _argument: str) -> CommandReply:
        question = await self._memory.last_question(session.id)
        if question is None:
            return CommandReply("There is no message to answer again.", session)
        return CommandReply("", session, answer_again=question)

    async def _help(self, session: Session, _argument: str) -> CommandReply:
        width = max(len(known.usage) for known in COMMANDS.values())
        lines = [f"{known.usage:<{width}}  {known.meaning}" for known in COMMANDS.values()]
        return CommandReply("\n".join(lines), session)


@dataclass(frozen=True, slots=True)
class KnownCommand:
    usage: str
    meaning: str
    #: Takes the session and what stands behind the command's name.
    action: Callable[[Commands, Session, str], Awaitable[CommandReply]]


COMMANDS = {
    "new": KnownCommand("/new", "begin a new dialogue", Commands._new),
    "persona": KnownCommand("/persona [list | show NAME | use NAME]", "who you talk to", Commands._persona),
    "undo": KnownCommand("/undo", "take your last message and its reply back", Commands._undo),
    "regenerate": KnownCommand("/regenerate", "draw another reply to your last message", Commands._regenerate),
    "help": KnownCommand("/help", "this list", Commands._help),
}


def _shortened(text: str, limit_chars: int = 60) -> str:
    line = " ".join(text.split())
    return line if len(line) <= limit_chars else line[: limit_chars - 1] + "…"
