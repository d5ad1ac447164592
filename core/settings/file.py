"""config.toml and the environment → `Settings`, or one clear sentence for every mistake in them."""

import difflib
import os
import tomllib
from collections.abc import Iterable
from pathlib import Path
from typing import TypeGuard, get_args, get_origin

import platformdirs
from pydantic import BaseModel, SecretStr, ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import SettingsError as EnvironmentSettingsError

from core.errors import SettingsError
from core.settings.settings import ENVIRONMENT_PREFIX, TOKEN_VARIABLES, Settings

CONFIG_VARIABLE = "BANTER_CONFIG"
_HIDDEN = "(hidden)"
#: Mistakes that show when everything is read → the key to mend.
_OF_SEVERAL_KEYS = {
    "unknown_persona": "persona",
    "unknown_place_persona": "places",
    "no_server": "openai.base_url",
    "no_engine": "generation.backend",
}


def find_config(path: Path | None) -> Path | None:
    """The file that was named, else ./config.toml, else config.toml in the user's configuration folder.

    Raises SettingsError when a named file is not there or can't be looked at.
    """
    named = path or (Path(os.environ[CONFIG_VARIABLE]) if os.environ.get(CONFIG_VARIABLE) else None)
    if named is not None:
        return _named_file(named)
    usual = (Path("config.toml"), Path(platformdirs.user_config_dir("banter")) / "config.toml")
    return next((candidate for candidate in usual if _is_there(candidate)), None)


def _named_file(file: Path) -> Path:
    try:
        if file.is_file():
            return file
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror}; make it readable or name another with --config") from None
    raise SettingsError(f"{file}: no such file; copy config.example.toml there or leave --config out")


def _is_there(file: Path) -> bool:
    """A folder that may not be looked into has nothing for us."""
    try:
        return file.is_file()
    except OSError:
        return False


def load_settings(path: Path | None = None) -> Settings:
    """Reads the file at `path` (None: none) and the environment over it.

    Raises SettingsError, naming every wrong key, its value and what would be right.
    """
    unknown = _unknown_variables()
    if unknown:
        raise SettingsError(*unknown)
    try:
        return Settings(**tomllib.loads(_read(path)))
    except ValidationError as error:
        raise SettingsError(*(_explain(detail, path) for detail in error.errors(include_url=False))) from None
    except EnvironmentSettingsError as error:
        raise SettingsError(f"environment: {error}; set its keys one by one, as BANTER_SECTION__KEY") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"{path}: not valid TOML: {error}") from None


def _read(path: Path | None) -> str:
    if path is None:
        return ""
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        raise SettingsError(f"{path}: not UTF-8 text; save it as UTF-8") from None
    except OSError as error:
        raise SettingsError(f"{path}: {error.strerror}; make it readable or name another with --config") from None


def _unknown_variables() -> tuple[str, ...]:
    known = [*(f"{ENVIRONMENT_PREFIX}{name.upper()}" for name in Settings.model_fields), *TOKEN_VARIABLES]
    return tuple(
        f"environment variable {name}: unknown{_nearest(name.split('__')[0], known)}"
        for name in sorted(os.environ)
        if name.startswith(ENVIRONMENT_PREFIX) and name != CONFIG_VARIABLE and name.upper().split("__")[0] not in known
    )


def _explain(detail: ErrorDetails, path: Path | None) -> str:
    location = tuple(str(part) for part in detail["loc"] if not str(part).startswith("function-"))
    key, where = ".".join(location), _where(location, path)
    if detail["type"] in _OF_SEVERAL_KEYS:
        return f"{where}{_OF_SEVERAL_KEYS[detail['type']]}: {detail['msg']}"
    if detail["type"] == "extra_forbidden":
        return f"{where}{key}: unknown key{_nearest(location[-1], _keys_beside(location))}"
    is_secret = detail["type"] == "secret_in_address" or _is_secret(location)
    value = _HIDDEN if is_secret else repr(detail["input"])
    return f"{where}{key} = {value}: {detail['msg'].removeprefix('Input ')}"


def _where(location: tuple[str, ...], path: Path | None) -> str:
    variable = ENVIRONMENT_PREFIX + "__".join(location).upper()
    if variable in os.environ:
        return f"environment variable {variable}: "
    return f"{path}: " if path else ""


def _nearest(word: str, known: Iterable[str]) -> str:
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1)
    return f"; did you mean {close[0]}?" if close else f"; known are {', '.join(names)}"


def _keys_beside(location: tuple[str, ...]) -> list[str]:
    section = _annotation(location[:-1])
    return list(section.model_fields) if _is_section(section) else []


def _is_secret(location: tuple[str, ...]) -> bool:
    """Also a whole section: what stands in its place may be the secret that belongs into it."""
    found = _annotation(location)
    return found is SecretStr or get_origin(found) is dict or _is_section(found)


def _is_section(annotation: object) -> TypeGuard[type[BaseModel]]:
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def _annotation(location: tuple[str, ...]) -> object:
    """The type that the settings have at a location; None where there is nothing."""
    found: object = Settings
    for name in location:
        if get_origin(found) is dict:
            found = get_args(found)[1]
        elif _is_section(found) and name in found.model_fields:
            found = found.model_fields[name].annotation
        else:
            return None
    return found
