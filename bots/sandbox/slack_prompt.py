"""A prompt at which a person talks to an app on the local Slack; what the app writes and shows is printed."""

import asyncio

from bots.sandbox.at_terminal import Ask, Write, at_terminal, grown
from bots.sandbox.local_slack.driver import LocalSlack
from bots.sandbox.local_slack.people import NeverSeen, Person, Place
from bots.sandbox.local_slack.sights import ChannelSeen, MessageSeen
from bots.sandbox.orders import OrderRefused
from core.clean_text import printable

HELP = """Lines are messages to the app, all in one thread. :new begins another one, :press BUTTON presses a button of
the newest message that has it, :stop is Slack's own Stop, :edit TEXT changes your last message, :home shows App Home,
:press-home BUTTON presses a button there, /COMMAND is a slash command, :help says this again; Ctrl-D ends."""
_LONGEST_SILENCE_S = 24 * 3600.0
_HOME_S = 5.0


class Prompt:
    """One person's DM with the app, or a channel."""

    def __init__(self, person: Person, place: Place, ask: Ask, write: Write) -> None:
        self._person = person
        self._place = place
        self._ask = ask
        self._write = write
        self._said: MessageSeen | None = None
        self._thread_ts = ""
        #: ts → how many of its versions were printed.
        self._printed: dict[str, int] = {}

    async def run(self) -> None:
        """Until the person leaves."""
        await self._person.opens_app("messages")
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
        except OrderRefused as error:
            self._write(printable(f"({error})"))

    async def _take(self, line: str) -> None:
        match line.split(maxsplit=1):
            case [":new"]:
                self._thread_ts, self._said = "", None
            case [":press", button]:
                await self._press(button)
            case [":press-home", button]:
                await self._person.presses_in_home(button)
            case [":stop"] if self._said is not None:
                await self._person.stops(self._said, self._place)
            case [":edit", text] if self._said is not None:
                self._said = await self._person.edits(self._said, text, self._place)
            case [":home"]:
                await self._show_home()
            case [":help"]:
                self._write(HELP)
            case [word, *_] if word.startswith("/"):
                await self._person.commands(line, self._place)
            case _:
                self._said = await self._person.says(line, self._place, thread=self._thread_ts)
                self._thread_ts = self._said.root_ts

    async def _press(self, button: str) -> None:
        seen = await self._place.look()
        holding = [message for message in seen.bots if button in message.labels]
        if holding:
            await self._person.presses(button, holding[-1], self._place)
        else:
            self._write(f"(nothing there is called {button})")

    async def _show_home(self) -> None:
        await self._person.opens_app("home")
        try:
            home = await self._person.home(_HOME_S)
        except NeverSeen:
            self._write("(the app shows no home)")
            return
        for text in home.texts:
            self._write(printable(f"home › {text}"))
        self._write(printable(" ".join(f"[{label}]" for label in home.labels)))

    async def _watch(self) -> None:
        while True:
            seen = await self._place.until(self._is_news, _LONGEST_SILENCE_S)
            for message in self._visible(seen):
                self._print(message)

    def _is_news(self, seen: ChannelSeen) -> bool:
        return any(len(message.versions) > self._printed.get(message.ts, 0) for message in self._visible(seen))

    def _visible(self, seen: ChannelSeen) -> list[MessageSeen]:
        return [message for message in seen.bots if message.only_for in {"", self._person.id}]

    def _print(self, message: MessageSeen) -> None:
        for number in range(self._printed.get(message.ts, 0), len(message.versions)):
            if told := _told(message, number):
                self._write(printable(told))
        self._printed[message.ts] = len(message.versions)


async def talk_to_app(slack: LocalSlack, name: str) -> None:
    """At the terminal, or as a pipe tells it."""
    person = await slack.person(name)

    async def prompt(ask: Ask, write: Write) -> None:
        write(HELP)
        await Prompt(person, person.dm, ask, write).run()

    await at_terminal(prompt)


def _told(message: MessageSeen, number: int) -> str:
    """What is new in a version; "" where nothing is."""
    shown = message.versions[number].shown
    before = message.versions[number - 1].shown if number else ""
    more = grown(before, shown)
    is_last = number == len(message.versions) - 1
    labels = [f"[{label}]" for label in message.labels] if is_last else []
    said = " ".join(part for part in (more, *labels) if part)
    return f"{'bot ✎' if before else 'bot ›'} {said}" if said else ""
