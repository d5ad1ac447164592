"""A chat in the terminal. It needs no token, and remembers the dialogue as the bots do."""

import asyncio
import contextlib
import getpass
import os
import secrets
import signal
import threading
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from bots.progress import shown_progress
from bots.screens import PipeScreen, Screen, TerminalScreen
from bots.wiring import Program, open_models, open_program
from core.access import Rank
from core.clean_text import clean_text
from core.commands.command import Asker, Command, CommandReply, parse
from core.dialogue import (
    FinishReason,
    InboundMessage,
    Person,
    Platform,
    SessionKey,
    Turn,
)
from core.errors import BanterError, ModelError
from core.generation.request import Piece, Waiting
from core.memory.sessions import Session
from core.responder import Answered, Written
from core.settings.settings import Settings

_ENDINGS = {
    FinishReason.LENGTH: "cut at the longest reply (sampling.max_new_tokens)",
    FinishReason.CANCELLED: "stopped",
    FinishReason.DEADLINE: "cut: out of time (generation.timeout_s)",
    FinishReason.LOOP: "cut: it went in circles",
}


async def chat_in_terminal(settings: Settings, config: Path | None, *, persona: str, new: bool) -> int:
    """Returns the exit code: 1 when a piped message could not be answered, 143 after SIGTERM.

    `persona` is the one that was asked for; "" goes on with the dialogue's own.
    """
    await _pull_if_missing(settings, settings.persona)
    screen: Screen = TerminalScreen() if os.isatty(0) and os.isatty(1) else PipeScreen()
    async with open_program(settings, config) as program:
        session = await _open_session(program, persona, new=new)
        await _pull_if_missing(settings, session.persona)
        chat = TerminalChat(program, screen, session)
        await chat.run()
    if chat.terminated:
        return 128 + signal.SIGTERM
    return 1 if chat.failures and not screen.interactive else 0


class TerminalChat:
    """One person, one session at a time."""

    def __init__(self, program: Program, screen: Screen, session: Session) -> None:
        self._program = program
        self._screen = screen
        self._session = session
        self._answering: asyncio.Task[None] | None = None
        self._stopping: asyncio.Task[bool] | None = None
        self._leaving = False
        #: Messages that ended in an error.
        self.failures = 0
        #: Whether somebody else ended the program.
        self.terminated = False

    async def run(self) -> None:
        """Until the person leaves."""
        persona = self._program.voices.persona(self._session.persona)
        self._screen.greet(persona.name, persona.model)
        async with self._interruptible():
            while not self._leaving and (line := await self._screen.ask()) is not None:
                try:
                    await self._take(line)
                except BanterError as error:
                    self.failures += 1
                    self._screen.error(str(error))

    async def _take(self, line: str) -> None:
        text = clean_text(line)
        if not text:
            if line.strip():
                self._screen.note("There was nothing to read in that message.")
            return
        said = parse(text)
        if isinstance(said, str):
            await self._answer(await self._record(said))
            return
        reply = await self._carry_out(said)
        if reply.answer_again is not None:
            await self._answer(reply.answer_again, reply.continues)

    async def _carry_out(self, command: Command) -> CommandReply:
        """Whoever sits at the terminal runs the program, and nobody else reads there."""
        asker = Asker(_person(), Rank.OPERATOR, is_alone=True)
        async with self._program.memory.transaction() as steps:
            reply = await self._program.commands.run(steps, self._session, command, asker)
        self._session = reply.session
        if reply.text:
            self._screen.answer_command(reply.text)
        return reply

    async def _record(self, text: str) -> Turn:
        message = InboundMessage(self._session.key, _person(), secrets.token_hex(8), text, datetime.now(UTC))
        return await self._program.memory.record_message(self._session.id, message)

    async def _answer(self, question: Turn, continues: Turn | None = None) -> None:
        self._answering = asyncio.create_task(self._show_answer(question, continues))
        self._stopping = None
        try:
            with self._screen.answering(self._interrupt):
                await self._answering
        except asyncio.CancelledError:
            if not self._leaving:
                raise
        finally:
            self._answering = None

    async def _show_answer(self, question: Turn, continues: Turn | None) -> None:
        async with contextlib.aclosing(self._program.responder.answer(self._session, question, continues)) as events:
            async for event in events:
                match event:
                    case Waiting():
                        self._screen.wait(event)
                    case Piece():
                        self._screen.say(event.text)
                    case Answered():
                        written = event.written
                        if written.prompt.note:
                            self._screen.note(written.prompt.note)
                        self._screen.sign(_summary(written), _ENDINGS.get(written.finish_reason, ""))

    def _interrupt(self) -> None:
        """Ctrl-C: the first one stops the reply, the second one leaves."""
        if self._answering is not None and self._stopping is None:
            self._stopping = asyncio.create_task(self._program.responder.stop(self._session.id))
            return
        self._leave()

    def _terminate(self) -> None:
        self.terminated = True
        self._leave()

    def _leave(self) -> None:
        self._leaving = True
        (self._answering or self._running).cancel()

    @contextlib.asynccontextmanager
    async def _interruptible(self) -> AsyncIterator[None]:
        running = asyncio.current_task()
        assert running is not None  # noqa: S101 - this is a coroutine
        self._running = running
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self._interrupt)
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._terminate)
        try:
            yield
        except asyncio.CancelledError:
            if not self._leaving:
                raise
            running.uncancel()
        finally:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                loop.remove_signal_handler(number)
            if self._stopping is not None:
                await asyncio.gather(self._stopping, return_exceptions=True)


def _summary(written: Written) -> str:
    """Which model, how much and how fast."""
    timings, tokens = written.completion.timings, len(written.completion.best.token_ids)
    parts = [written.model, f"{tokens} tokens"]
    writing_s = timings.total_s - timings.first_token_s
    if tokens > 1 and writing_s > 0:
        parts += [f"{(tokens - 1) / writing_s:.1f} tokens/s"]
    if timings.first_token_s:
        parts += [f"first after {timings.first_token_s:.2f} s"]
    return " · ".join(parts)


async def _open_session(program: Program, persona_name: str, *, new: bool) -> Session:
    key = SessionKey(Platform.TERMINAL, bot="banter", workspace="", channel=_user())
    default = program.voices.persona(program.persona)
    if new:
        return await program.memory.begin_session(key, default.name, default.model)
    session = await program.memory.open_session(key, default.name, default.model)
    persona = default if persona_name else program.voices.personas.get(session.persona, default)
    if (persona.name, persona.model) == (session.persona, session.model):
        return session
    return await program.memory.set_persona(session.id, persona.name, persona.model)


def _person() -> Person:
    return Person(Platform.TERMINAL, workspace="", platform_id=_user(), name=_user())


def _user() -> str:
    """Who talks. A user id without a name has its number."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "me"


async def _pull_if_missing(settings: Settings, persona_name: str) -> None:
    persona = settings.known_personas[persona_name]
    name = persona.model or settings.generation.model
    called_off = threading.Event()
    with shown_progress(Console(stderr=True)) as progress:

        def tell(step: str, fraction: float | None, /) -> None:
            if called_off.is_set():
                raise ModelError(f"the download of {name} was called off")
            progress(step, fraction)

        try:
            await asyncio.to_thread(open_models(settings).pull, name, tell)
        except asyncio.CancelledError:
            called_off.set()
            raise
