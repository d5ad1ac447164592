"""Application commands: what the app registers, globally and for one server."""

import re

from bots.sandbox.json_values import JsonObject, list_in, object_in
from bots.sandbox.local_discord.asking import Asked
from bots.sandbox.local_discord.refusals import Refused, invalid
from bots.sandbox.local_discord.world import World

_CHAT, _USER, _MESSAGE = 1, 2, 3
_MOST = {_CHAT: 100, _USER: 15, _MESSAGE: 15}
_NAME = re.compile(r"[-_'\w]{1,32}")
_DESCRIPTION, _OPTIONS, _CHOICES, _CHARS = 100, 25, 25, 8000
_LOCALES = frozenset((
    "id", "da", "de", "en-GB", "en-US", "es-ES", "es-419", "fr", "hr", "it", "lt", "hu", "nl", "no", "pl", "pt-BR",
    "ro", "fi", "sv-SE", "vi", "tr", "cs", "el", "bg", "ru", "uk", "hi", "th", "zh-CN", "ja", "zh-TW", "ko",
))  # fmt: skip
_LOCALISED = ("name_localizations", "description_localizations")


async def get_commands(asked: Asked) -> object:
    commands = _list_of(asked)
    if asked.body.query.get("with_localizations", "").lower() in {"true", "1"}:
        return commands
    return [_without_localisations(command) for command in commands]


async def put_commands(asked: Asked) -> object:
    """All of them at once; those of before that are not among them are gone."""
    given = list(asked.body.listed)
    before = {(one["name"], one["type"]): one for one in _list_of(asked)}
    made = [_made(asked.world, one, before, f"{number}") for number, one in enumerate(given)]
    for kind, most in _MOST.items():
        if sum(one["type"] == kind for one in made) > most:
            raise Refused(400, 30032)
    if len({(one["name"], one["type"]) for one in made}) < len(made):
        raise invalid("name", "APPLICATION_COMMANDS_DUPLICATE_NAME", "Application command names must be unique")
    asked.world.commands[asked.where.get("guild", "")] = made
    asked.world.changes.happen()
    return made


async def create_command(asked: Asked) -> object:
    """One of the same name is replaced."""
    commands = _list_of(asked)
    before = {(one["name"], one["type"]): one for one in commands}
    made = _made(asked.world, dict(asked.body.values), before, "0")
    others = [one for one in commands if (one["name"], one["type"]) != (made["name"], made["type"])]
    asked.world.commands[asked.where.get("guild", "")] = [*others, made]
    return made


async def delete_command(asked: Asked) -> object:
    commands = _list_of(asked)
    left = [one for one in commands if one["id"] != asked.where["command"]]
    if len(left) == len(commands):
        raise Refused(404, 10063)
    asked.world.commands[asked.where.get("guild", "")] = left
    return None


def _list_of(asked: Asked) -> list[JsonObject]:
    """Raises Refused."""
    if asked.where["application"] != asked.world.app_id:
        raise Refused(403, 20012)
    guild_id = asked.where.get("guild", "")
    if guild_id and asked.world.bot.id not in asked.world.guild(guild_id).members:
        raise Refused(403, 50001)
    return asked.world.commands.get(guild_id, [])


def _made(world: World, given: JsonObject, before: dict[tuple[object, object], JsonObject], where: str) -> JsonObject:
    """Checked, with what Discord adds to it. Raises Refused."""
    kind = given.get("type", _CHAT)
    _check(given, kind, where)
    told: JsonObject = {
        "application_id": world.app_id,
        "type": kind,
        "name": given["name"],
        "name_localizations": given.get("name_localizations"),
        "description": given.get("description", ""),
        "description_localizations": given.get("description_localizations"),
        "default_member_permissions": given.get("default_member_permissions"),
        "dm_permission": given.get("dm_permission", True),
        "contexts": given.get("contexts"),
        "integration_types": given.get("integration_types") or _installs(world),
        "nsfw": given.get("nsfw", False),
    }
    if given.get("options"):
        told["options"] = given["options"]
    known = before.get((given["name"], kind), {})
    if {name: known.get(name) for name in told} == told:
        return known
    return {"id": known.get("id") or world.ids.next(), **told, "version": world.ids.next()}


def _installs(world: World) -> list[int]:
    """As the app's settings have it."""
    app = world.options.app
    return [number for number, is_on in enumerate((app.guild_install, app.user_install)) if is_on]


def _check(given: JsonObject, kind: object, where: str) -> None:
    """Raises Refused."""
    name = str(given.get("name") or "")
    if kind == _CHAT and (not _NAME.fullmatch(name) or name != name.lower()):
        raise invalid(f"{where}.name", "APPLICATION_COMMAND_INVALID_NAME", "Command name is invalid")
    if kind != _CHAT and not 1 <= len(name) <= 32:
        raise invalid(f"{where}.name", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 32 in length.")
    if kind == _CHAT:
        _check_description(given, where)
        _check_options(list_in(given.get("options")), where)
    elif given.get("description") or given.get("options"):
        raise invalid(f"{where}.description", "APPLICATION_COMMAND_INVALID_DESCRIPTION", "Context menus have none")
    _check_locales(given, where, is_chat=kind == _CHAT)
    if _size(given) > _CHARS:
        raise invalid(where, "APPLICATION_COMMAND_TOO_LARGE", "Command exceeds maximum size (8000)")


def _check_description(given: JsonObject, where: str) -> None:
    if not 1 <= len(str(given.get("description") or "")) <= _DESCRIPTION:
        raise invalid(f"{where}.description", "BASE_TYPE_BAD_LENGTH", "Must be between 1 and 100 in length.")


def _check_options(options: list[object], where: str) -> None:
    if len(options) > _OPTIONS:
        raise invalid(f"{where}.options", "BASE_TYPE_MAX_LENGTH", f"Must be {_OPTIONS} or fewer in length.")
    was_optional = False
    for number, option in enumerate(object_in(one) for one in options):
        here = f"{where}.options.{number}"
        if not _NAME.fullmatch(str(option.get("name") or "")):
            raise invalid(f"{here}.name", "APPLICATION_COMMAND_INVALID_NAME", "Option name is invalid")
        _check_description(option, here)
        _check_locales(option, here, is_chat=True)
        if option.get("required") and was_optional:
            told = "Required options must be placed before non-required options"
            raise invalid(here, "APPLICATION_COMMAND_OPTIONS_REQUIRED_INVALID", told)
        was_optional = not option.get("required")
        if option.get("autocomplete") and option.get("choices"):
            raise invalid(here, "APPLICATION_COMMAND_OPTIONS_CHOICES", "autocomplete and choices exclude each other")
        if len(list_in(option.get("choices"))) > _CHOICES:
            raise invalid(f"{here}.choices", "BASE_TYPE_MAX_LENGTH", f"Must be {_CHOICES} or fewer in length.")


def _check_locales(given: JsonObject, where: str, *, is_chat: bool) -> None:
    for name in _LOCALISED:
        for locale, text in object_in(given.get(name)).items():
            if locale not in _LOCALES:
                raise invalid(f"{where}.{name}", "ENUM_TYPE_COERCE", f"Value '{locale}' is not a locale.")
            is_name = name.startswith("name")
            if is_name and is_chat and (not _NAME.fullmatch(str(text)) or str(text) != str(text).lower()):
                raise invalid(f"{where}.{name}.{locale}", "APPLICATION_COMMAND_INVALID_NAME", "Name is invalid")
            if not 1 <= len(str(text)) <= (32 if is_name else _DESCRIPTION):
                raise invalid(f"{where}.{name}.{locale}", "BASE_TYPE_BAD_LENGTH", "Has a wrong length.")


def _size(given: JsonObject) -> int:
    """Of names, descriptions and values; of localisations the longest counts."""
    total = 0
    for name in ("name", "description"):
        texts = [str(given.get(name) or ""), *map(str, object_in(given.get(f"{name}_localizations")).values())]
        total += max(map(len, texts))
    for inner in (*list_in(given.get("options")), *list_in(given.get("choices"))):
        total += _size(object_in(inner))
    return total + len(str(given.get("value") or ""))


def _without_localisations(command: JsonObject) -> JsonObject:
    return {name: value for name, value in command.items() if name not in _LOCALISED}
