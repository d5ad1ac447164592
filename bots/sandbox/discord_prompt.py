"""A prompt at which a person talks to a bot on the local Discord; what the bot writes anywhere is printed."""

import asyncio

from bots.sandbox.at_terminal import Ask, Write, at_terminal, grown
from bots.sandbox.local_discord.driver import LocalDiscord
from bots.sandbox.local_discord.interaction_sights import AnswerSeen
from bots.sandbox.local_discord.people import Person
from bots.sandbox.local_discord.places import Place
from bots.sandbox.local_discord.sights import MessageSeen
from bots.sandbox.orders import OrderRefused
from core.clean_text import printable

HELP = """Lines are messages to the bot, in its DM. :server goes to a channel of a server, where each line mentions it;
:thread goes into the thread that was begun from your last message, :dm goes back. :press BUTTON presses a button of the
newest message that has it, :edit TEXT changes your last message, :react EMOJI reacts to the bot's newest one,
/COMMAND TEXT is a slash command, :submit FIELD=TEXT sends the open modal, :help says this again; Ctrl-D ends."""
_LONGEST_SILENCE_S = 24 * 3600.0
_THREAD_S = 2.0
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
        self._said: MessageSeen | None = None
        #: message id → how many of its versions were printed.
        self._printed: dict[str, int] = {}

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
        except (OrderRefused, AssertionError) as error:
            self._write(printable(f"({error})"))

    async def _take(self, line: str) -> None:
        match line.split(maxsplit=1):
            case [":server"]:
                self._place = self._channel
            case [":dm"]:
                self._place = self._person.dm
            case [":thread"] if self._said is not None:
                self._place = await self._place.thread_from(self._said, _THREAD_S)
            case [":press", button]:
                await self._press(button)
            case [":react", emoji]:
                await self._react(emoji)
            case [":edit", text] if self._said is not None:
                self._said = await self._person.edits(self._said, text, self._place)
            case [":submit", filled]:
                field, _, text = filled.partition("=")
                self._note(await self._person.submits(**{field: text}))
            case [":help"]:
                self._write(HELP)
            case [word, *rest] if word.startswith("/"):
                await self._command(word.removeprefix("/"), " ".join(rest))
            case _:
                mention = f"{self._discord.mention} " if self._place is self._channel else ""
                self._said = await self._person.says(mention + line, self._place)

    async def _command(self, name: str, text: str) -> None:
        """The text is the first of its options."""
        commands = (await self._discord.look()).commands[""]
        command = next((one for one in commands if one["name"] == name), {})
        options = command.get("options")
        first = str(options[0]["name"]) if isinstance(options, list) and options and text else ""
        self._note(await self._person.commands(name, self._place, **({first: text} if first else {})))
        if not first and text:
            self._write(f"(/{name} takes no words)")

    async def _press(self, button: str) -> None:
        holding = [message for message in (await self._place.look()).bots if button in message.labels]
        if holding:
            self._note(await self._person.presses(button, holding[-1], self._place))
        else:
            self._write(f"(nothing there is called {button})")

    async def _react(self, emoji: str) -> None:
        bots = (await self._place.look()).bots
        if bots:
            await self._person.reacts(emoji, bots[-1], self._place)

    def _note(self, answer: AnswerSeen) -> None:
        if not answer.is_answered:
            self._write("(the bot did not answer in time)")
        elif answer.type == _MODAL:
            self._write(printable(f"modal › {answer.data.get('title')}"))

    async def _watch(self) -> None:
        while True:
            version = (await self._discord.look()).version
            for place in await self._discord.places():
                for message in (await place.look()).bots:
                    if message.only_for in {"", self._person.id}:
                        self._print(message)
            await self._discord.happened(version, _LONGEST_SILENCE_S)

    def _print(self, message: MessageSeen) -> None:
        for number in range(self._printed.get(message.id, 0), len(message.versions)):
            if told := _told(message, number):
                self._write(printable(told))
        self._printed[message.id] = len(message.versions)


async def talk_to_bot(discord: LocalDiscord, name: str) -> None:
    """At the terminal, or as a pipe tells it."""
    person = await discord.person(name, has_app=True)
    server = await discord.guild("A server", person)
    channel = await server.channel("general")

    async def prompt(ask: Ask, write: Write) -> None:
        write(HELP)
        await Prompt(discord, person, channel, ask, write).run()

    await at_terminal(prompt)


def _told(message: MessageSeen, number: int) -> str:
    """What is new in a version; "" where nothing is."""
    version = message.versions[number]
    before = message.versions[number - 1].content if number else ""
    is_last = number == len(message.versions) - 1
    more = [f"[{label}]" for label in message.labels] if is_last else []
    more += [f"({file.filename})" for file in version.attachments] if is_last else []
    said = " ".join(part for part in (grown(before, version.content), *more) if part)
    return f"{'bot ✎' if before else 'bot ›'} {said}" if said else ""
