"""`banter doctor`."""

import typer


def doctor(context: typer.Context) -> None:
    """Look at everything that Banter needs, and say what to do."""
