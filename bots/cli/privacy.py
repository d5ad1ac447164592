"""`banter export`, `banter forget`, `banter retain`: what is remembered of somebody is handed out, or deleted."""

import asyncio
import os
import sys
from contextlib import aclosing
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated

import typer

from bots.cli.options import Loaded, load
from core.errors import BanterError, SettingsError
from core.settings.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Sequence

    from core.memory.forgetting import Erased, Forgetting

_Person = Annotated[
    str, typer.Option("--person", metavar="WHO", help="PLATFORM/ID or PLATFORM/WORKSPACE/ID; linked accounts too.")
]
_Session = Annotated[int, typer.Option("--session", min=0, help="Its number in `banter sessions list`.")]
_Output = Annotated[Path | None, typer.Option("--output", help="A new file, for you alone; else it is printed.")]
_Yes = Annotated[bool, typer.Option("--yes", help="Don't ask.")]


def export(context: typer.Context, person: _Person = "", session: _Session = 0, output: _Output = None) -> None:
    """Hand out what is remembered of a person or a session, as JSON lines."""
    _one_of(person, session)
    asyncio.run(_export(load(context).settings, person, session, output))


def forget(context: typer.Context, person: _Person = "", session: _Session = 0, yes: _Yes = False) -> None:
    """Delete what a person said, on all their platforms, or a session; for good."""
    _one_of(person, session)
    loaded = load(context)
    if not yes:
        whom = f"session {session}" if session else f"everything that {person} ever said, on every linked platform"
        typer.confirm(f"Delete {whom}, with the replies to it, for good?", abort=True)
    asyncio.run(_forget(loaded, person, session))


def retain(context: typer.Context) -> None:
    """Delete what is older than [retention] says; the bots do it by themselves."""
    asyncio.run(_retain(load(context).settings))


def _one_of(person: str, session: int) -> None:
    if bool(person) == bool(session):
        raise typer.BadParameter("say either --person or --session")


async def _export(settings: Settings, person: str, session: int, output: Path | None) -> None:
    from bots.wiring import open_database
    from core.memory.exporting import Consent, Exporting
    from core.memory.identities import parse_identity
    from core.memory.upgrade import prepare

    async with open_database(settings) as database:
        await prepare(database)
        exporting = Exporting(database, Consent(frozenset(settings.privacy.train_on)))
        lines = exporting.person(parse_identity(person)) if person else exporting.session(session)
        async with aclosing(lines):
            with _opened(output) as file:
                async for line in lines:
                    file.write(line + "\n")


def _opened(output: Path | None) -> IO[str]:
    if output is None:
        return os.fdopen(os.dup(sys.stdout.fileno()), "w", encoding="utf-8")
    try:
        return os.fdopen(os.open(output, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8")
    except OSError as error:
        raise SettingsError(f"{output}: {error.strerror}; name a new file in a folder that can be written") from None


async def _forget(loaded: Loaded, person: str, session: int) -> None:
    from bots.wiring import open_database
    from core.memory.compaction import compact
    from core.memory.forgetting import Forgetting
    from core.memory.upgrade import prepare

    async with open_database(loaded.settings) as database:
        await prepare(database)
        erased, names = await _erase(Forgetting(database), person, session)
        typer.echo(f"Forgotten: {erased.turns} turns, {erased.events} events, {erased.people} accounts.")
        await _evict(loaded, names)
        typer.echo("What is left of it on the disk is written over …")
        await compact(database)
    typer.echo("Done. Copies of the database elsewhere, and the platforms themselves, still have it.")


async def _erase(forgetting: "Forgetting", person: str, session: int) -> "tuple[Erased, Sequence[str]]":
    """And the sessions that the engine must forget: of a person's words, any may have read some."""
    from core.memory.identities import parse_identity
    from core.responder import name_for_engine

    if person:
        return await forgetting.person(parse_identity(person)), ()
    known = await forgetting.find(session)
    return await forgetting.session(known), (name_for_engine(known),)


async def _evict(loaded: Loaded, names: "Sequence[str]") -> None:
    """An engine that can't be told is no reason to leave the rest undone."""
    from bots.privacy import evicting

    try:
        await evicting(loaded.settings, loaded.config)(names)
    except BanterError as error:
        typer.echo(f"The engine was not told ({error}); banter engine --stop makes it forget.", err=True)


async def _retain(settings: Settings) -> None:
    from bots.privacy import open_retention
    from bots.wiring import open_database
    from core.memory.upgrade import prepare

    async with open_database(settings) as database:
        await prepare(database)
        removed = await open_retention(settings, database).once()
    told = (
        f"{removed.turns} turns, {removed.events} events, {removed.dead_letters} dead letters, "
        f"{removed.feedback} opinions, {removed.usage} rows of usage, {removed.secrets} secrets"
    )
    typer.echo(f"Deleted: {told}. banter db compact wipes them off the disk too.")
