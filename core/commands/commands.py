"""Every command by its name, and the one place where they are carried out.

A command's whole effect is one transaction, in which its answer is written down too: the caller opens it.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from core.access import Rank
from core.commands import choices, dialogue, identity, remembered, speaking
from core.commands.asked import Asked, Known
from core.commands.command import Asker, Command, CommandReply
from core.memory.sessions import Session
from core.memory.steps import Steps
from core.texts import marked


class Commands:
    def __init__(self, known: Known) -> None:
        self._known = known

    async def run(self, steps: Steps, session: Session, command: Command, asker: Asker) -> CommandReply:
        """Carries a command out; an unknown one is answered too. Raises StorageError."""
        asked = Asked(self._known, steps, session, command.argument, asker, datetime.now(UTC))
        chosen = COMMANDS.get(command.name)
        if chosen is None:
            name = dialogue.shortened(command.name)
            return asked.answer(asked.tell("There is no /{name}. /help lists what there is.", name=name))
        if asker.rank < chosen.needs:
            return asked.answer(asked.tell("You may not do that here."))
        return await chosen.action(asked)


async def _help(asked: Asked) -> CommandReply:
    """What this person may say."""
    known = [command for command in COMMANDS.values() if asked.asker.rank >= command.needs]
    width = max(len(command.usage) for command in known)
    lines = [f"{command.usage:<{width}}  {asked.tell(command.meaning)}" for command in known]
    return asked.answer("\n".join(lines))


@dataclass(frozen=True, slots=True)
class KnownCommand:
    usage: str
    meaning: str
    action: Callable[[Asked], Awaitable[CommandReply]]
    #: Who may say it at all; an action can ask for more.
    needs: Rank = Rank.PERSON


COMMANDS = {
    "new": KnownCommand("/new", marked("begin a new dialogue"), dialogue.begin_new),
    "persona": KnownCommand("/persona [list | show NAME | use NAME]", marked("who you talk to"), speaking.persona),
    "model": KnownCommand("/model [list | show | use NAME]", marked("which model speaks"), speaking.model),
    "undo": KnownCommand("/undo", marked("take your last message and its reply back"), dialogue.undo),
    "regenerate": KnownCommand("/regenerate", marked("draw another reply to your last message"), dialogue.regenerate),
    "continue": KnownCommand("/continue", marked("go on with a reply that was cut"), dialogue.go_on),
    "stop": KnownCommand("/stop", marked("stop the reply that is being written"), dialogue.stop),
    "settings": KnownCommand("/settings [NAME VALUE]", marked("what is chosen here, and how"), choices.settings),
    "stats": KnownCommand("/stats", marked("turns, tokens and waits"), choices.show_statistics),
    "link": KnownCommand("/link [CODE]", marked("join who you are on another platform"), identity.link),
    "unlink": KnownCommand("/unlink", marked("be a person of your own again"), identity.unlink),
    "forget": KnownCommand("/forget me | session", marked("erase what was said"), remembered.forget),
    "export": KnownCommand("/export [me | session]", marked("read what is remembered"), remembered.export),
    "help": KnownCommand("/help", marked("this list"), _help),
}
