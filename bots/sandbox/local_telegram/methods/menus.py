"""The menu of commands, by scope and language."""

import json
import re

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_telegram.parameters import Parameters
from bots.sandbox.local_telegram.refusals import bad_request
from bots.sandbox.local_telegram.world import World

_SCOPES: dict[str, tuple[str, ...]] = {
    "default": (),
    "all_private_chats": (),
    "all_group_chats": (),
    "all_chat_administrators": (),
    "chat": ("chat_id",),
    "chat_administrators": ("chat_id",),
    "chat_member": ("chat_id", "user_id"),
}
_COMMAND = re.compile("[a-z0-9_]+")
_LANGUAGE = re.compile("[a-z]{2}")
_LONGEST_COMMAND = 32
_LONGEST_DESCRIPTION = 256


async def set_my_commands(world: World, parameters: Parameters) -> object:
    given = parameters.json("commands")
    if not isinstance(given, list):
        raise bad_request("expected an Array of BotCommand")
    if len(given) > world.limits.commands:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    commands = [_command(item) for item in given]
    place = _place(world, parameters)
    if commands:
        world.account.menus[place] = commands
    else:
        world.account.menus.pop(place, None)
    world.changes.happen()
    return True


async def get_my_commands(world: World, parameters: Parameters) -> object:
    return world.account.menus.get(_place(world, parameters), [])


async def delete_my_commands(world: World, parameters: Parameters) -> object:
    world.account.menus.pop(_place(world, parameters), None)
    world.changes.happen()
    return True


def _command(item: object) -> JsonObject:
    if not isinstance(item, dict):
        raise bad_request("can't parse BotCommand: expected an Object")
    command, description = item.get("command"), item.get("description")
    if not isinstance(command, str) or not isinstance(description, str):
        raise bad_request("can't parse BotCommand: can't find field \"command\"")
    command, description = command.strip().removeprefix("/"), description.strip()
    if not command:
        raise bad_request("command must be non-empty")
    if len(command) > _LONGEST_COMMAND:
        raise bad_request(f"command length must not exceed {_LONGEST_COMMAND}")
    if not _COMMAND.fullmatch(command):
        raise bad_request("BOT_COMMAND_INVALID")
    if not description:
        raise bad_request("command description must be non-empty")
    if len(description) > _LONGEST_DESCRIPTION:
        raise bad_request(f"command description length must not exceed {_LONGEST_DESCRIPTION}")
    return {"command": command, "description": description}


def _number(value: object) -> int:
    """0 where it is none."""
    try:
        return int(str(value))
    except ValueError:
        return 0


def _place(world: World, parameters: Parameters) -> tuple[str, str]:
    """(scope as JSON, language), which a menu is kept by."""
    scope = parameters.json_object("scope", "BotCommandScope") or {"type": "default"}
    kind = str(scope.get("type", ""))
    if kind not in _SCOPES:
        raise bad_request("can't parse BotCommandScope: unsupported type specified")
    named: JsonObject = {"type": kind}
    for name in _SCOPES[kind]:
        named[name] = _number(scope.get(name))
        if not named[name]:
            raise bad_request(f"can't parse BotCommandScope: empty {name} specified")
    if "chat_id" in named:
        world.chat(int(str(named["chat_id"])))
    language = parameters.text("language_code")
    if language and not _LANGUAGE.fullmatch(language):
        raise bad_request("invalid language code specified")
    return json.dumps(named), language
