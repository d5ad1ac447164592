"""The command line: `banter`, or `python -m bots`.

Exit code 0 on success, 1 on an error said in one line, 2 on wrong usage.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

from bots.cli import bench, chat, config, database, doctor, engine, models, pair, privacy, run, sandbox, sessions
from bots.cli.options import Options
from core.clean_text import printable
from core.errors import BanterError

app = typer.Typer(
    name="banter",
    help="A dialogue with a language model on your own hardware.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.command("chat")(chat.chat)
app.command("run")(run.run)
app.command("discord")(run.discord)
app.command("slack")(run.slack)
app.command("telegram")(run.telegram)
app.command("engine")(engine.engine)
app.command("doctor")(doctor.doctor)
app.command("export")(privacy.export)
app.command("forget")(privacy.forget)
app.command("retain")(privacy.retain)
app.add_typer(models.app, name="models")
app.add_typer(sessions.app, name="sessions")
app.add_typer(pair.app, name="pair")
app.add_typer(database.app, name="db")
app.add_typer(config.app, name="config")
app.add_typer(bench.app, name="bench")
app.add_typer(sandbox.app, name="sandbox")


@app.callback()
def _options(
    context: typer.Context,
    config_file: Annotated[
        Path | None, typer.Option("--config", help="Settings; else $BANTER_CONFIG, ./config.toml, the user's own.")
    ] = None,
    _debug: Annotated[bool, typer.Option("--debug", help="Show the trace of an error.")] = False,
) -> None:
    context.obj = Options(config_file)


def main() -> None:
    """Runs a command; whatever goes wrong is one line that says what to do."""
    debug = "--debug" in sys.argv[1:]  # an error may come before any command has parsed its options
    try:
        app()
    except BanterError as error:
        _give_up(str(error), error, debug=debug)
    except KeyboardInterrupt:
        sys.exit(130)
    except Exception as error:  # noqa: BLE001 - the last resort of every command
        _give_up(f"unexpected {type(error).__name__}: {error}; --debug shows the trace", error, debug=debug)


def _give_up(line: str, error: Exception, *, debug: bool) -> None:
    if debug:
        raise error
    print(f"error: {printable(' '.join(line.split()))}", file=sys.stderr)  # noqa: T201 - for people
    sys.exit(1)


if __name__ == "__main__":
    main()
