"""`banter db`: the database's schema."""

import typer

app = typer.Typer(help="The database: upgrade, downgrade, current.", no_args_is_help=True, rich_markup_mode=None)
