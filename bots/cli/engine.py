"""`banter engine`: the process that holds the models. The bots start it by themselves."""

from typing import Annotated

import typer

from bots.cli.options import load


def engine(
    context: typer.Context,
    stop: Annotated[bool, typer.Option("--stop", help="End the engine that runs.")] = False,
) -> None:
    """Hold the models and answer the bots; started by itself when it is needed."""
    loaded = load(context)
    if stop:
        import asyncio

        from bots.engine import engine_process
        from core.generation.link import end_engine

        ended = asyncio.run(end_engine(engine_process(loaded.settings, loaded.config)))
        typer.echo("The engine ends." if ended else "No engine runs.")
        return

    from bots.engine import serve_engine
    from bots.logs import log_to_stderr

    log_to_stderr(loaded.settings.log.level)
    serve_engine(loaded.settings)
