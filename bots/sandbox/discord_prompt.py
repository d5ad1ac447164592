"""A prompt at which a person talks to a bot on the local Discord; what the bot writes anywhere is printed."""

import asyncio

from bots.sandbox.at_terminal import Ask, Write, at_terminal
from bots.sandbox.discord_printing import Printing, filled_in, name_of, window_lines
from bots.sandbox.local_discord.driver import LocalDiscord
from bots.sandbox.local_discord.interaction_sights import AnswerSeen
from bots.sandbox.local_discord.people import Person
from bots.sandbox.local_discord.places import NeverSeen, Place
from bots.sandbox.local_discord.sights import MessageSeen
from bots.sandbox.orders import OrderRefused
from core.clean_text import printable

HELP = """Lines are messages to the bot, in its DM. :server goes to a channel of a server, where each line mentions it;
:thread goes into the thread that was begun from your last message, :dm goes back. :press WORD presses the newest button
that has it, :edit TEXT changes your last message, :react EMOJI reacts to the bot's newest one, /COMMAND TEXT is a slash
command, :help says this again; Ctrl-D ends."""
_LONGEST_SILENCE_S = 24 * 3600.0
_THREAD_S = 5.0
#: The type of answer that opens one.
_MODAL = 9


class Prompt:
    """One person's DM with the bot, and a channel of a server."""

    def __init__(self, discord: LocalDiscord, person: Person, channel: Place, ask: Ask, write: Write) -> None:
        self._discord = discord
        self._person = person
        self._channel = channel
        self._ask = ask
        self._write = write
        self._place = person.dm
        #: The last message, and where it stands.
        self._said: tuple[MessageSeen, Place] | None = None
        self._printing = Printing()

    async def run(self) -> None:
        """Until the person leaves."""
        watching = asyncio.create_task(self._watch())
        try:
            while (line := await self._ask()) is not None:
                if line.strip():
                    await self._try(line.strip())
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _try(self, line: str) -> None:
        try:
            await self._take(line)
        except (OrderRefused, NeverSeen, ValueError) as error:
            self._print(f"({error})")

    async def _take(self, line: str) -> None:
        match line.split(maxsplit=1):
            case [":server"]:
                await self._go(self._channel)
            case [":dm"]:
                await self._go(self._person.dm)
            case [":thread"] if self._said is not None:
                message, place = self._said
                await self._go(await place.thread_from(message, _THREAD_S))
            case [":press", word]:
                await self._press(word)
            case [":react", emoji]:
                await self._react(emoji)
            case [":edit", text] if self._said is not None:
                message, place = self._said
                self._said = await self._person.edits(message, text, place), place
            case [":submit", *filled]:
                modal = await self._person.modal(timeout_s=0)
                await self._note(await self._person.submits(**filled_in(modal, " ".join(filled))))
            case [":help"]:
                self._write(HELP)
            case [word, *_] if word.startswith(":"):
                self._print(f"({word} can't be done like that; see :help)")
            case [word, *rest] if word.startswith("/"):
                await self._command(word.removeprefix("/"), " ".join(rest))
            case _:
                mention = f"{self._discord.mention} " if self._place is self._channel else ""
                self._said = await self._person.says(mention + line, self._place), self._place

    async def _go(self, place: Place) -> None:
        self._place = place
        self._print(f"(you are in {name_of(await place.look())})")

    async def _command(self, name: str, text: str) -> None:
        """The text is the first of its options."""
        commands = (await self._discord.look()).commands.get("", [])
        command = next((one for one in commands if one["name"] == name), {})
        options = command.get("options")
        first = str(options[0]["name"]) if isinstance(options, list) and options and text else ""
        await self._note(await self._person.commands(name, self._place, **({first: text} if first else {})))
        if not first and text:
            self._print(f"(/{name} takes no words)")

    async def _press(self, word: str) -> None:
        """Wherever it is."""
        found = [
            (message, label, place)
            for place in await self._discord.places()
            for message in (await place.look()).bots
            for label in message.labels
            if word.casefold() in label.casefold()
        ]
        if found:
            message, label, place = max(found, key=lambda one: int(one[0].id))
            await self._note(await self._person.presses(label, message, place))
        else:
            self._print(f"(nothing there is called {word})")

    async def _react(self, emoji: str) -> None:
        bots = (await self._place.look()).bots
        if bots:
            await self._person.reacts(emoji, bots[-1], self._place)

    async def _note(self, answer: AnswerSeen) -> None:
        if not answer.is_answered:
            self._print("(the bot did not answer in time)")
        elif answer.type == _MODAL:
            for line in window_lines(await self._person.modal()):
                self._print(line)

    async def _watch(self) -> None:
        while True:
            version = (await self._discord.look()).version
            for place in await self._discord.places():
                for line in self._printing.news(await place.look(), self._place.id, self._person.id):
                    self._print(line)
            await self._discord.happened(version, _LONGEST_SILENCE_S)

    def _print(self, line: str) -> None:
        self._write(printable(line))


async def talk_to_bot(discord: LocalDiscord, name: str) -> None:
    """At the terminal, or as a pipe tells it."""
    person = await discord.person(name, has_app=True)
    server = await discord.guild("A server", person)
    channel = await server.channel("general")

    async def prompt(ask: Ask, write: Write) -> None:
        write(HELP)
        await Prompt(discord, person, channel, ask, write).run()

    await at_terminal(prompt)
