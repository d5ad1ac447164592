"""`banter bench`: the figures of the README, taken on this machine. Each benchmark is a process of its own."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import typer

from core.errors import SettingsError

app = typer.Typer(help="Measure: engine, queue, lag, start, recall, walk.", no_args_is_help=True, rich_markup_mode=None)
#: All options are the benchmark's own, --help too.
_AS_THEY_ARE = {"allow_extra_args": True, "ignore_unknown_options": True, "help_option_names": []}


@app.command(context_settings=_AS_THEY_ARE)
def engine(context: typer.Context) -> None:
    """The engine beside generate(), static batching and others; --quick, --help."""
    raise typer.Exit(_run("engine", context.args))


@app.command(context_settings=_AS_THEY_ARE)
def start(context: typer.Context) -> None:
    """From the command to the first word; in the project's folder."""
    raise typer.Exit(_run("start", context.args, in_project=True))


@app.command(context_settings=_AS_THEY_ARE)
def recall(context: typer.Context) -> None:
    """Recall with little and with much in the database; in the project's folder."""
    raise typer.Exit(_run("recall", context.args, in_project=True))


@app.command(context_settings=_AS_THEY_ARE)
def walk(context: typer.Context) -> None:
    """The whole way of a message with a model that needs no time; in the project's folder."""
    raise typer.Exit(_run("walk", context.args, in_project=True))


@app.command(context_settings=_AS_THEY_ARE)
def queue(context: typer.Context) -> None:
    """The engine's queue while it is full."""
    raise typer.Exit(_run("queue", context.args))


@app.command(context_settings=_AS_THEY_ARE)
def lag(context: typer.Context) -> None:
    """How late a bot's event loop is beside 32 streams."""
    raise typer.Exit(_run("lag", context.args))


def _run(name: str, arguments: list[str], *, in_project: bool = False) -> int:
    """Its exit code."""
    folder = _project() if in_project else None
    command = [sys.executable, "-P", "-m", f"benchmarks.{name}", *arguments]
    return subprocess.run(command, check=False, cwd=folder).returncode


def _project() -> Path:
    found = find_spec("benchmarks")
    folder = Path(found.origin).parents[1] if found and found.origin else Path()
    if not (folder / "Makefile").is_file() or not (folder / "tests").is_dir():
        raise SettingsError("this benchmark needs the project's folder with its tests, not an installed package")
    return folder
