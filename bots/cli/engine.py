"""`banter engine`: the process that holds the models. The bots start it by themselves."""

import asyncio
from pathlib import Path
from typing import Annotated

import typer

from bots.cli.options import load
from core.settings.settings import Settings


def engine(
    context: typer.Context,
    stop: Annotated[bool, typer.Option("--stop", help="End the engine that runs.")] = False,
    status: Annotated[bool, typer.Option("--status", help="Show what the engine does.")] = False,
) -> None:
    """Hold the models and answer the bots; started by itself when it is needed."""
    loaded = load(context)
    if stop:
        from bots.engine import engine_process
        from core.generation.link import end_engine

        ended = asyncio.run(end_engine(engine_process(loaded.settings, loaded.config)))
        typer.echo("The engine ends." if ended else "No engine runs.")
        return
    if status:
        asyncio.run(_show_status(loaded.settings, loaded.config))
        return

    from bots.engine import serve_engine
    from bots.logs import log_to_stderr

    log_to_stderr(loaded.settings.log.level)
    serve_engine(loaded.settings)


async def _show_status(settings: Settings, config: Path | None) -> None:
    from rich.console import Console

    from bots.engine import engine_process
    from bots.engine_views import engine_table, loaded_table
    from core.generation.link import inspect_engine

    statistics = await inspect_engine(engine_process(settings, config))
    if statistics is None:
        typer.echo("No engine runs.")
        return
    Console().print(engine_table(statistics))
    if statistics.models:
        Console().print(loaded_table(statistics))
