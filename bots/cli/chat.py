"""`banter chat`: a dialogue in the terminal."""

import asyncio
import sys
from typing import Annotated

import typer

from bots.cli.options import load


def chat(
    context: typer.Context,
    persona: Annotated[str, typer.Option("--persona", help="Who you talk to.")] = "",
    model: Annotated[str, typer.Option("--model", help="The model, for this time.")] = "",
    new: Annotated[bool, typer.Option("--new", help="Begin a new dialogue.")] = False,
) -> None:
    """Talk in the terminal; piped input is answered line by line, as plain text."""
    from bots.logs import log_to_file
    from bots.terminal import chat_in_terminal

    loaded = load(context)
    settings = loaded.settings.chosen(persona=persona, model=model)
    log_to_file(settings.paths.data / "banter.log", settings.log.level)
    sys.exit(asyncio.run(chat_in_terminal(settings, loaded.config, persona=persona, new=new)))
