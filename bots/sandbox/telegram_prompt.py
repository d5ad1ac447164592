"""A prompt at which a person talks to a bot on the local Bot API server; what the bot writes is printed."""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable

from bots.sandbox.local_telegram.driver import LocalTelegram
from bots.sandbox.local_telegram.people import Person
from bots.sandbox.local_telegram.sights import ChatSeen, MessageSeen
from core.clean_text import printable

HELP = """Lines are messages to the bot. :press BUTTON presses a button of the bot's newest message that has it,
:edit TEXT changes your last message, :topic NAME goes on in a new topic, :topic alone leaves it,
:help says this again; Ctrl-D ends."""
_LONGEST_SILENCE_S = 24 * 3600.0

Ask = Callable[[], Awaitable[str | None]]


class Prompt:
    """One person's chat with the bot."""

    def __init__(self, person: Person, ask: Ask, write: Callable[[str], None]) -> None:
        self._person = person
        self._ask = ask
        self._write = write
        self._thread_id = 0
        self._said: MessageSeen | None = None
        #: message id → how many of its versions were printed.
        self._printed: dict[int, int] = {}

    async def run(self) -> None:
        """Until the person leaves."""
        watching = asyncio.create_task(self._watch())
        try:
            while (line := await self._ask()) is not None:
                if line.strip():
                    await self._take(line.strip())
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _take(self, line: str) -> None:
        match line.split(maxsplit=1):
            case [":press", button]:
                await self._press(button)
            case [":edit", text] if self._said is not None:
                self._said = await self._person.edits(self._said, text)
            case [":topic", name]:
                self._thread_id = await self._person.opens_topic(name)
            case [":topic"]:
                self._thread_id = 0
            case [":help"]:
                self._write(HELP)
            case _:
                self._said = await self._person.says(line, thread_id=self._thread_id)

    async def _press(self, button: str) -> None:
        seen = await self._person.chat.look()
        holding = [message for message in seen.bots if any(button in row for row in message.buttons)]
        if holding:
            await self._person.presses(button, holding[-1])
        else:
            self._write(f"(nothing there is called {button})")

    async def _watch(self) -> None:
        while True:
            seen = await self._person.chat.until(self._is_news, _LONGEST_SILENCE_S)
            for message in seen.bots:
                self._print(message)

    def _is_news(self, seen: ChatSeen) -> bool:
        return any(len(message.versions) > self._printed.get(message.id, 0) for message in seen.bots)

    def _print(self, message: MessageSeen) -> None:
        printed = self._printed.get(message.id, 0)
        for number in range(printed, len(message.versions)):
            self._write(printable(_told(message, number)))
        self._printed[message.id] = len(message.versions)


async def talk_to_bot(telegram: LocalTelegram, name: str) -> None:
    """At the terminal, or as a pipe tells it."""
    person = await telegram.person(name)
    _write(HELP)
    if not (os.isatty(0) and os.isatty(1)):
        from bots.screens import PipeScreen

        await Prompt(person, PipeScreen().ask, _write).run()
        return

    from prompt_toolkit import PromptSession
    from prompt_toolkit.patch_stdout import patch_stdout

    lines: PromptSession[str] = PromptSession("you › ")

    async def ask() -> str | None:
        try:
            return await lines.prompt_async()
        except (EOFError, KeyboardInterrupt):
            return None

    with patch_stdout():
        await Prompt(person, ask, _write).run()


def _told(message: MessageSeen, number: int) -> str:
    version = message.versions[number]
    before = message.versions[number - 1].text if number else ""
    grown = f"…{version.text[len(before) :]}" if before and version.text.startswith(before) else version.text
    buttons = " ".join(f"[{text}]" for row in version.buttons for text in row)
    mark = "bot ✎" if number else "bot ›"
    return " ".join(part for part in (mark, grown.strip(), buttons) if part)


def _write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
