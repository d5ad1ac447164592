"""`banter db`: the database's schema."""

import asyncio
from typing import Annotated

import typer

from bots.cli.options import load
from core.settings.settings import Settings

app = typer.Typer(help="The database: upgrade, compact, reseal, …", no_args_is_help=True, rich_markup_mode=None)


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


@app.command()
def compact(context: typer.Context) -> None:
    """Wipe off the disk what was deleted; takes as long as a copy of the database."""
    asyncio.run(_compact(load(context).settings))


@app.command()
def reseal(context: typer.Context) -> None:
    """Write all texts anew as privacy.encrypt says, with the newest key. Stop the bots first."""
    asyncio.run(_reseal(load(context).settings))


@app.command("rotate-key")
def rotate_key(context: typer.Context) -> None:
    """Make a new key and write everything that is sealed anew with it. Stop the bots first."""
    from core.errors import SettingsError
    from core.secret_key import add_key

    settings = load(context).settings
    if settings.privacy.key.get_secret_value():
        raise SettingsError(
            "privacy.key: put the new key before the old one there, with a comma; then banter db reseal"
        )
    add_key(settings.key_file)
    asyncio.run(_reseal(settings))
    typer.echo(f"{settings.key_file} has the new key. The old one stays in it, for old copies of the database.")


async def _compact(settings: Settings) -> None:
    from bots.wiring import open_database
    from core.memory.compaction import compact
    from core.memory.upgrade import prepare

    async with open_database(settings) as database:
        await prepare(database)
        await compact(database)
    typer.echo("What was deleted is gone from the disk.")


async def _reseal(settings: Settings) -> None:
    from bots.wiring import open_database, open_event_secret, open_sealing
    from core.memory.compaction import compact
    from core.memory.resealing import reseal
    from core.memory.upgrade import prepare

    async with open_database(settings) as database:
        await prepare(database)
        await open_event_secret(settings, database)
        rows = await reseal(database, open_sealing(settings))
        await compact(database)
    how = "sealed" if settings.privacy.encrypt else "in the clear"
    typer.echo(f"{rows} rows were written anew; texts are {how} now.")


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
