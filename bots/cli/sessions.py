"""`banter sessions`: what is remembered."""

import typer

app = typer.Typer(help="The dialogues: list, show.", no_args_is_help=True, rich_markup_mode=None)
