"""`banter doctor`: is everything here that Banter needs?"""

import asyncio

import typer

from bots.cli.options import load
from core.clean_text import printable
from core.errors import BanterError


def doctor(context: typer.Context) -> None:
    """Look at everything that Banter needs, and say what to do."""
    from rich.console import Console
    from rich.text import Text

    from bots.doctor import examine

    console = Console(highlight=False)
    loaded = load(context)
    findings = asyncio.run(examine(loaded.settings, loaded.config))
    for finding in findings:
        mark = Text("✓ ", style="green") if finding.good else Text("✗ ", style="bold red")
        console.print(mark + Text(f"{finding.name}: ", style="bold") + Text(printable(finding.told)), soft_wrap=True)
    failed = [finding.name for finding in findings if not finding.good]
    if failed:
        raise BanterError(f"to be mended: {', '.join(failed)}")
