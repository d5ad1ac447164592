"""Discord is told which commands there are, where it does not know them yet.

It takes 200 new commands a day, and people's clients load all of them anew, so nothing is told twice.
"""

import logging
from collections.abc import Mapping, Sequence

from discord.http import Route

from adapters.discord.commands import INSTALLS, Command
from adapters.discord.rest import Rest
from adapters.discord.snowflakes import snowflake_in
from adapters.payloads import NotUnderstood, found_in
from core.errors import PlatformAway

logger = logging.getLogger(__name__)

#: What an app's Activity is opened with. It is none of ours, and may not be left out.
_ENTRY_POINT = 4
#: What is said about a command, an option or a choice. Discord adds words of its own.
_SAID = frozenset(
    {
        *("type", "name", "description", "options", "required", "autocomplete", "choices", "value"),
        *("integration_types", "contexts", "default_member_permissions"),
    }
)
_IN_OTHER_LANGUAGES = frozenset({"name_localizations", "description_localizations"})


async def register(rest: Rest, commands: Sequence[Command]) -> bool:
    """Makes Discord offer these and no others; whether it was told so. Raises PlatformError."""
    try:
        application = await rest.application()
        told, path = _installable(commands, application), "/applications/{application_id}/commands"
        application_id = snowflake_in(application, "id")
        known = await rest.request(
            Route("GET", path, application_id=application_id), params={"with_localizations": "true"}
        )
        if not isinstance(known, list) or not all(isinstance(one, dict) for one in known):
            raise NotUnderstood("what should be a list of commands is none")
    except NotUnderstood as error:
        raise PlatformAway(f"Discord's answer can't be read: {error}") from None
    foreign = [one for one in known if one.get("type") == _ENTRY_POINT]
    ours = [one for one in known if one.get("type") != _ENTRY_POINT]
    if _essence(ours) == _essence(told):
        return False
    await rest.request(Route("PUT", path, application_id=application_id), json=[*told, *foreign])
    logger.info("%s commands were set", len(told), extra={"action": "commands"})
    return True


def _installable(commands: Sequence[Command], application: object) -> list[Command]:
    """As far as the app's settings let it be installed; Discord refuses all commands that ask for more."""
    allowed = found_in(application, "integration_types_config")
    if not isinstance(allowed, Mapping) or not allowed:
        return list(commands)
    installs = [install for install in INSTALLS if str(install) in allowed] or list(INSTALLS)
    return [command | {"integration_types": installs} for command in commands]


def _essence(commands: Sequence[object]) -> list[object]:
    """What two lists of commands have in common where they say the same."""
    return sorted((_said(command) for command in commands), key=repr)


def _said(value: object) -> object:
    """Without what says nothing."""
    if isinstance(value, Mapping):
        inner = {name: _said(one) for name, one in value.items() if name in _SAID}
        inner |= {name: tuple(sorted(_pairs(value.get(name)))) for name in _IN_OTHER_LANGUAGES}
        return tuple(sorted((name, one) for name, one in inner.items() if one))
    if isinstance(value, list):
        told = [_said(one) for one in value]
        return tuple(sorted(told, key=repr) if all(isinstance(one, int) for one in told) else told)
    return None if value is False else value


def _pairs(value: object) -> list[tuple[str, str]]:
    return [(str(name), str(one)) for name, one in value.items()] if isinstance(value, Mapping) else []
