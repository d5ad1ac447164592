"""The settings: config.toml, the environment over it, and a default that works for every key.

Only `bots.wiring` reads them; below it values are passed.
"""

import difflib
import os
import tomllib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

import platformdirs
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from core.errors import SettingsError
from core.generation.request import SamplingParams

ENVIRONMENT_PREFIX = "BANTER_"
