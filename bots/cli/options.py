"""What every command shares: which settings file."""

from dataclasses import dataclass
from pathlib import Path

import typer

from core.settings.file import find_config, load_settings
from core.settings.settings import Settings


@dataclass(frozen=True, slots=True)
class Options:
    config_file: Path | None


@dataclass(frozen=True, slots=True)
class Loaded:
    settings: Settings
    #: The file that they came from; None where there is none.
    config: Path | None


def load(context: typer.Context) -> Loaded:
    """Raises SettingsError."""
    options: Options = context.obj
    config = find_config(options.config_file)
    return Loaded(load_settings(config), config)
