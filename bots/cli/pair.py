"""`banter pair`: who may speak to the bots in private, where unknown people are asked for a code."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from bots.cli.options import load
from core.settings.settings import Settings

app = typer.Typer(help="People whom the bots know: code, list, revoke.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def code(
    context: typer.Context,
    hours: Annotated[float, typer.Option("--hours", min=0.1, max=24 * 365, help="It is valid for so long.")] = 24.0,
) -> None:
    """Print a code. The first who sends it to a bot in private may speak to the bots of that platform from then on."""
    asyncio.run(_code(load(context).settings, timedelta(hours=hours)))


@app.command("list")
def list_people(
    context: typer.Context, limit: Annotated[int, typer.Option("--limit", min=1, help="At most so many.")] = 100
) -> None:
    """Who has said a code, the newest first, by the platform's names for them."""
    asyncio.run(_list(load(context).settings, limit))


@app.command()
def revoke(
    context: typer.Context, person: Annotated[str, typer.Argument(help="As `banter pair list` names them.")]
) -> None:
    """Ask somebody for another code."""
    asyncio.run(_revoke(load(context).settings, person))


async def _code(settings: Settings, valid_for: timedelta) -> None:
    from bots.wiring import open_pairings
    from core.pairing import hash_of, new_code

    made, now = new_code(), datetime.now(UTC)
    async with open_pairings(settings) as pairings:
        await pairings.add_code(hash_of(made), now, now + valid_for)
    typer.echo(made)
    if settings.answering.unknown_people != "pair":
        typer.echo('Nobody is asked for it unless answering.unknown_people is "pair".', err=True)


async def _list(settings: Settings, limit: int) -> None:
    from bots.wiring import open_pairings

    async with open_pairings(settings) as pairings:
        people, codes = await pairings.list_all(limit), await pairings.open_codes(datetime.now(UTC))
    for one in people:
        typer.echo(f"{one.platform}/{one.workspace}/{one.person}  since {one.paired_at:%Y-%m-%d %H:%M} UTC")
    typer.echo(f"{len(people)} people; {codes} codes wait for somebody", err=True)


async def _revoke(settings: Settings, person: str) -> None:
    from bots.wiring import open_pairings
    from core.dialogue import Person, Platform
    from core.errors import SettingsError

    platform, workspace, platform_id = [*person.split("/", 2), "", ""][:3]
    if platform not in list(Platform) or not platform_id:
        raise SettingsError(f"{person}: no such person; name them as `banter pair list` does: telegram//42")
    async with open_pairings(settings) as pairings:
        gone = await pairings.revoke(Person(Platform(platform), workspace, platform_id, ""))
    typer.echo(f"{person} needs another code now." if gone else f"{person} had said no code.")
