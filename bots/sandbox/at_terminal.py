"""Where the prompt of a sandbox reads and writes: a person's terminal, or a pipe."""

import os
import sys
from collections.abc import Awaitable, Callable

#: The next line; None when the person leaves.
Ask = Callable[[], Awaitable[str | None]]
Write = Callable[[str], None]


async def at_terminal(prompt: Callable[[Ask, Write], Awaitable[None]]) -> None:
    """Until the prompt is done."""
    if not (os.isatty(0) and os.isatty(1)):
        from bots.screens import PipeScreen

        await prompt(PipeScreen().ask, write)
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
        await prompt(ask, write)


def write(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def grown(before: str, shown: str) -> str:
    """What of a text is new; all of it where it did not grow from the one before."""
    if not before or not shown.startswith(before):
        return shown.strip()
    return f"…{more.rstrip()}" if (more := shown.removeprefix(before)).strip() else ""
