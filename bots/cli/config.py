"""`banter config`: are the settings right, and which ones are in force."""

from collections.abc import Iterator

import typer
from pydantic import BaseModel, SecretStr

from bots.cli.options import Options, load
from core.clean_text import printable
from core.errors import SettingsError
from core.settings.file import find_config

app = typer.Typer(help="The settings: check, show.", no_args_is_help=True, rich_markup_mode=None)


@app.command()
def check(context: typer.Context) -> None:
    """Name every mistake in the settings."""
    options: Options = context.obj
    try:
        load(context)
    except SettingsError as error:
        for problem in error.problems[:-1]:
            typer.echo(printable(f"error: {problem}"), err=True)
        raise SettingsError(error.problems[-1]) from None
    typer.echo(f"{find_config(options.config_file) or 'No file, so all defaults'}: good.")


@app.command()
def show(context: typer.Context) -> None:
    """Print the settings in force, secrets hidden."""
    loaded = load(context)
    typer.echo(f"# {loaded.config or 'no file: defaults and environment'}")
    for key, value in _flat(loaded.settings):
        typer.echo(printable(f"{key} = {value}"))


def _flat(section: BaseModel, prefix: str = "") -> Iterator[tuple[str, str]]:
    for name in type(section).model_fields:
        yield from _shown(prefix + name, getattr(section, name))


def _shown(key: str, value: object) -> Iterator[tuple[str, str]]:
    match value:
        case BaseModel():
            yield from _flat(value, f"{key}.")
        case dict():
            for name, item in value.items():
                yield from _shown(f'{key}."{name}"', item)
        case SecretStr():
            yield key, "(hidden)" if value.get_secret_value() else "(not set)"
        case None:
            yield key, "(the model's own)"
        case _:
            yield key, repr(str(value)) if not isinstance(value, int | float | tuple) else str(value)
