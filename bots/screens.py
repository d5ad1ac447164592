"""Where a terminal chat is read and written: a person's terminal, or a pipe.

What comes from the model is untrusted text: nothing in it reaches the terminal as an order.
"""

import asyncio
import contextlib
import io
import os
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from prompt_toolkit import PromptSession
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.keys import Keys
from rich.console import Console, RenderableType
from rich.progress import Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.progress_bar import ProgressBar
from rich.text import Text

from bots.word_wrap import WordWrap
from core.clean_text import printable
from core.generation.request import Waiting


class Screen(Protocol):
    #: Whether a person watches.
    interactive: bool

    def greet(self, persona: str, model: str) -> None: ...

    async def ask(self) -> str | None:
        """The next line; None when the person leaves."""
        ...

    @contextmanager
    def answering(self, interrupt: Callable[[], None]) -> Iterator[None]:
        """While a reply is written; `interrupt` is called for every Ctrl-C that is typed."""
        ...

    def wait(self, waiting: Waiting) -> None: ...

    def say(self, text: str) -> None:
        """A piece of the reply."""
        ...

    def sign(self, summary: str, ending: str) -> None:
        """Ends the reply. `summary` is for people who watch; `ending` says why it ended early, "" where it did not."""
        ...

    def answer_command(self, text: str) -> None: ...

    def note(self, text: str) -> None: ...

    def error(self, text: str) -> None: ...


class PipeScreen:
    """Plain text: replies on the standard output, everything else on the standard error."""

    interactive = False

    def __init__(self) -> None:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(errors="replace")
        self._lines = LineReader()
        self._speaking = False

    def greet(self, persona: str, model: str) -> None: ...

    async def ask(self) -> str | None:
        loop = asyncio.get_running_loop()
        line: asyncio.Future[bytes] = loop.create_future()
        # A thread that may be left behind: a read from a pipe can't be called off.
        threading.Thread(target=self._lines.read_for, args=(loop, line), daemon=True).start()
        return (await line).decode(errors="replace") or None

    @contextmanager
    def answering(self, interrupt: Callable[[], None]) -> Iterator[None]:  # noqa: ARG002 - Ctrl-C comes as a signal
        yield

    def wait(self, waiting: Waiting) -> None: ...

    def say(self, text: str) -> None:
        self._speaking = True
        sys.stdout.write(printable(text))
        sys.stdout.flush()

    def sign(self, summary: str, ending: str) -> None:  # noqa: ARG002 - nobody watches
        self._end_speech()
        if ending:
            self.note(ending)

    def answer_command(self, text: str) -> None:
        self.say(text)
        self._end_speech()

    def note(self, text: str) -> None:
        self._end_speech()
        sys.stderr.write(f"{printable(text)}\n")

    def error(self, text: str) -> None:
        self.note(f"error: {text}")

    def _end_speech(self) -> None:
        if self._speaking:
            sys.stdout.write("\n")
            sys.stdout.flush()
        self._speaking = False


class LineReader:
    """Lines of the standard input, read from its descriptor: Python's own buffer can't be left while it waits."""

    def __init__(self, descriptor: int = 0) -> None:
        self._descriptor = descriptor
        self._unread = b""

    def read_for(self, loop: asyncio.AbstractEventLoop, line: "asyncio.Future[bytes]") -> None:
        """In a thread of its own: gives the next line, b"" at the end."""
        read = self._read()
        with contextlib.suppress(RuntimeError):  # the loop was closed meanwhile
            loop.call_soon_threadsafe(_resolve, line, read)

    def _read(self) -> bytes:
        parts = [self._unread]
        while b"\n" not in parts[-1]:
            try:
                parts.append(os.read(self._descriptor, 1 << 16))
            except OSError:  # there is no standard input
                parts.append(b"")
            if not parts[-1]:
                break
        line, newline, self._unread = b"".join(parts).partition(b"\n")
        return line + newline


class TerminalScreen:
    """A person's terminal: a line editor, colours, a bar while a model is loaded."""

    interactive = True

    def __init__(self) -> None:
        self._console = Console(highlight=False)
        self._lines: PromptSession[str] = PromptSession(history=InMemoryHistory())
        self._bar: Progress | None = None
        self._speaker = ""
        self._speaking = False
        self._wrap = WordWrap(self._console.width)
        #: Typed while a reply was written: it begins the next line.
        self._typed_ahead = ""
        self._warned = False

    def greet(self, persona: str, model: str) -> None:
        self._speaker = printable(persona)
        told = f" with {printable(model)}. /help lists commands; Ctrl-D leaves."
        self._console.print(Text(printable(persona), style="bold") + Text(told, style="not bold"))

    async def ask(self) -> str | None:
        while True:
            typed, self._typed_ahead = self._typed_ahead, ""
            try:
                line = await self._lines.prompt_async("you › ", default=typed, handle_sigint=False)
            except EOFError:
                return None
            except KeyboardInterrupt:
                if self._warned:
                    return None
                self._warned = True
                self.note("Ctrl-C once more leaves, Ctrl-D too.")
                continue
            self._warned = False
            return line

    @contextmanager
    def answering(self, interrupt: Callable[[], None]) -> Iterator[None]:
        keyboard = self._lines.input

        def take_keys() -> None:
            for press in keyboard.read_keys():
                if press.key == Keys.ControlC:
                    interrupt()
                elif len(press.key) == 1:
                    self._typed_ahead += press.key

        self._start_bar()
        # As a key and not as a signal: Ctrl-C is for the reply, not for `make` around it.
        with keyboard.raw_mode(), keyboard.attach(take_keys):
            try:
                yield
            finally:
                self._stop_bar()
                self._end_speech()

    def wait(self, waiting: Waiting) -> None:
        if self._bar is None:
            return
        task = self._bar.task_ids[0]
        if waiting.loading:
            self._bar.update(task, description=f"loading {waiting.loading}", total=1, completed=waiting.fraction)
        elif waiting.position or waiting.expected_wait_s:
            self._bar.update(task, description=place_in_queue(waiting), total=None)

    def say(self, text: str) -> None:
        if not self._speaking:
            self._stop_bar()
            self._speaking = True
            self._console.print(Text(f"{self._speaker} › ", style="bold cyan"), end="")
            self._wrap = WordWrap(self._console.width, column=len(self._speaker) + 3)
        self._console.out(self._wrap.push(printable(text)), end="", highlight=False)

    def sign(self, summary: str, ending: str) -> None:
        self._stop_bar()
        self._end_speech()
        self._console.print(f"{summary} · {ending}" if ending else summary, style="dim", markup=False)

    def answer_command(self, text: str) -> None:
        self._console.print(printable(text), markup=False)

    def note(self, text: str) -> None:
        self._end_speech()
        self._console.print(printable(text), style="yellow", markup=False)

    def error(self, text: str) -> None:
        self._stop_bar()
        self._end_speech()
        self._console.print(f"error: {printable(text)}", style="red", markup=False)

    def _end_speech(self) -> None:
        if self._speaking:
            self._console.out(self._wrap.flush(), highlight=False)
        self._speaking = False

    def _start_bar(self) -> None:
        columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), _KnownBar())
        self._bar = Progress(*columns, console=self._console, transient=True)
        self._bar.add_task("thinking", total=None)
        self._bar.start()

    def _stop_bar(self) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None


class _KnownBar(ProgressColumn):
    """Nothing while it is not known how much there is to do."""

    def render(self, task: Task) -> RenderableType:
        return Text() if task.total is None else ProgressBar(task.total, task.completed, width=24)


def place_in_queue(waiting: Waiting) -> str:
    place = f"waiting: {waiting.position} before you" if waiting.position else "waiting: you are next"
    return f"{place}, about {max(round(waiting.expected_wait_s), 1)} s" if waiting.expected_wait_s else place


def _resolve(line: "asyncio.Future[bytes]", read: bytes) -> None:
    if not line.done():
        line.set_result(read)
