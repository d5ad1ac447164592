"""`banter models`: what can be talked to, and how it gets here."""

import asyncio
from typing import Annotated

import typer

from bots.cli.options import Loaded, load
from core.clean_text import printable

app = typer.Typer(help="The models: list, pull, check.", no_args_is_help=True, rich_markup_mode=None)

Name = Annotated[str, typer.Argument(help="A name from `banter models list` or the hub, a folder, or a .pkl file.")]


@app.command("list")
def list_models(context: typer.Context) -> None:
    """What is known by name, and what is on this machine."""
    from rich.console import Console
    from rich.filesize import decimal
    from rich.table import Table
    from rich.text import Text

    from bots.wiring import open_models

    table = Table("model", "here", "size", "licence", "what it is", box=None, pad_edge=False)
    for model in open_models(load(context).settings).list():
        here = "broken" if model.problem else "yes" if model.on_disk else "no"
        size = decimal(model.weights_bytes) if model.weights_bytes else ""
        cells = (model.name, here, size, model.licence, model.problem or model.summary)
        table.add_row(*(Text(printable(cell)) for cell in cells))
    Console().print(table)


@app.command()
def pull(context: typer.Context, name: Name) -> None:
    """Download a model, and convert it where that is needed."""
    from rich.console import Console

    from bots.progress import shown_progress
    from bots.wiring import open_models

    models = open_models(load(context).settings)
    with shown_progress(Console(stderr=True)) as progress:
        model = models.pull(name, progress)
    typer.echo(f"{model.name} is here: {model.folder}")


@app.command()
def check(context: typer.Context, name: Name) -> None:
    """Load a model in the engine and let it say something."""
    asyncio.run(_check(load(context), name))


async def _check(loaded: Loaded, name: str) -> None:
    from bots.model_check import check_model

    async for line in check_model(loaded.settings, loaded.config, name):
        typer.echo(line)
