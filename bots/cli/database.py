"""`banter db`: the database's schema."""

import asyncio
from typing import Annotated

import typer

from bots.cli.options import load
from core.settings import Settings

app = typer.Typer(help="The database: upgrade, downgrade, current.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def upgrade(context: typer.Context) -> None:
    """Bring the database to this program's schema; every start does it too."""
    asyncio.run(_upgrade(load(context).settings))


@app.command()
def downgrade(
    context: typer.Context,
    revision: Annotated[str, typer.Argument(help='An older revision, or "base". What newer tables hold is lost.')],
) -> None:
    """Go back to an older schema."""
    asyncio.run(_downgrade(load(context).settings, revision))


@app.command()
def current(context: typer.Context) -> None:
    """Print the database's revision, and the newest one."""
    asyncio.run(_current(load(context).settings))


async def _upgrade(settings: Settings) -> None:
    from bots.wiring import open_database
    from core.memory.upgrade import head, prepare

    async with open_database(settings) as database:
        await prepare(database)
    typer.echo(f"The database is at {head()}.")


async def _downgrade(settings: Settings, revision: str) -> None:
    from bots.wiring import open_database
    from core.memory.upgrade import downgrade

    async with open_database(settings) as database:
        await downgrade(database, revision)
    typer.echo(f"The database is at {revision}.")


async def _current(settings: Settings) -> None:
    from bots.wiring import open_database
    from core.memory.upgrade import current, head

    async with open_database(settings) as database:
        revision = await current(database)
    typer.echo(f"{revision or 'empty'} (newest: {head()})")
