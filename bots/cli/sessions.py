"""`banter sessions`: what is remembered."""

import asyncio
from typing import Annotated

import typer

from bots.cli.options import load
from core.settings.settings import Settings

app = typer.Typer(help="The dialogues: list, show.", no_args_is_help=True, rich_markup_mode=None)


@app.command("list")
def list_sessions(
    context: typer.Context, limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 50
) -> None:
    """The dialogues, the newest first."""
    asyncio.run(_list(load(context).settings, limit))


@app.command()
def show(
    context: typer.Context,
    session: Annotated[int, typer.Argument(help="Its number in `banter sessions list`.")],
    limit: Annotated[int, typer.Option("--limit", min=1, help="The newest turns, at most so many.")] = 100,
    prompt: Annotated[bool, typer.Option("--prompt", help="Show the prompt of the last reply instead.")] = False,
) -> None:
    """What was said in a dialogue, and how each reply came about."""
    settings = load(context).settings
    asyncio.run(_show_prompt(settings, session) if prompt else _show(settings, session, limit))


async def _list(settings: Settings, limit: int) -> None:
    from rich.console import Console

    from bots.session_views import session_table
    from bots.wiring import open_memory

    async with open_memory(settings) as memory:
        Console().print(session_table(await memory.list_sessions(limit)))


async def _show(settings: Settings, session: int, limit: int) -> None:
    from rich.console import Console

    from bots.session_views import one_session, transcript_lines
    from bots.wiring import open_memory

    async with open_memory(settings) as memory:
        await one_session(memory, session)
        console = Console(highlight=False)
        for line in transcript_lines(await memory.transcript(session, limit)):
            console.print(line, soft_wrap=True)


async def _show_prompt(settings: Settings, session: int) -> None:
    from bots.session_views import last_prompt
    from bots.wiring import open_memory, open_voices, recollection_limits
    from core.recollection import Recollection

    async with open_memory(settings) as memory:
        recollection = Recollection(memory, recollection_limits(settings))
        typer.echo(await last_prompt(memory, recollection, open_voices(settings), session))
