"""The menus of commands that Telegram shows, by where people are and which language they speak.

Telegram shows the narrowest menu that fits a person, and that one alone: so a menu for groups holds what is everywhere
as well. They are asked for first, and set only where they say something else.
"""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import telegram
from telegram import (
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllChatAdministrators,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeDefault,
)

from adapters.telegram.api import translated
from core.errors import PlatformRefused

logger = logging.getLogger(__name__)

_LANGUAGE = re.compile(r"[a-z]{2}")
_NAME = re.compile(r"[a-z0-9_]{1,32}")
_LONGEST_DESCRIPTION_CHARS = 256
_MOST_COMMANDS = 100


class MenuScope(StrEnum):
    """Where a command is offered."""

    EVERYWHERE = "everywhere"
    PRIVATE = "private"
    GROUPS = "groups"
    #: Of groups; they are offered what everybody is offered there, too.
    ADMINISTRATORS = "administrators"


@dataclass(frozen=True, slots=True)
class MenuCommand:
    """One command, without its slash."""

    name: str
    #: Language → what it does; "" is for all others, and has to be there.
    descriptions: Mapping[str, str]
    scope: MenuScope = MenuScope.EVERYWHERE


#: What stands in the menu of a scope.
_HOLDS: Mapping[MenuScope, frozenset[MenuScope]] = {
    MenuScope.EVERYWHERE: frozenset({MenuScope.EVERYWHERE}),
    MenuScope.PRIVATE: frozenset({MenuScope.EVERYWHERE, MenuScope.PRIVATE}),
    MenuScope.GROUPS: frozenset({MenuScope.EVERYWHERE, MenuScope.GROUPS}),
    MenuScope.ADMINISTRATORS: frozenset({MenuScope.EVERYWHERE, MenuScope.GROUPS, MenuScope.ADMINISTRATORS}),
}
_SCOPES: Mapping[MenuScope, BotCommandScope] = {
    MenuScope.EVERYWHERE: BotCommandScopeDefault(),
    MenuScope.PRIVATE: BotCommandScopeAllPrivateChats(),
    MenuScope.GROUPS: BotCommandScopeAllGroupChats(),
    MenuScope.ADMINISTRATORS: BotCommandScopeAllChatAdministrators(),
}


async def set_menus(bot: telegram.Bot, commands: Sequence[MenuCommand]) -> int:
    """Makes Telegram show these and no others; gives how many menus were changed. Raises PlatformError."""
    spoken = [replace(command, descriptions=_by_two_letters(command.descriptions)) for command in commands]
    changed = 0
    for language in sorted({language for command in spoken for language in command.descriptions} | {""}):
        for scope in MenuScope:
            try:
                changed += await _set(bot, _menu(spoken, scope, language), scope, language)
            except PlatformRefused as refusal:
                if not language:
                    raise
                logger.info("no menu in %s: %s", language, refusal, extra={"action": "menus"})
    return changed


async def _set(bot: telegram.Bot, menu: Sequence[BotCommand], scope: MenuScope, language: str) -> bool:
    """Whether it was another one before."""
    where, spoken = _SCOPES[scope], language or None
    with translated():
        if tuple(menu) == tuple(await bot.get_my_commands(where, spoken)):
            return False
        if menu:
            await bot.set_my_commands(menu, where, spoken)
        else:
            await bot.delete_my_commands(where, spoken)
    return True


def _by_two_letters(descriptions: Mapping[str, str]) -> dict[str, str]:
    """Telegram tells no "pt-BR" from "pt"; languages without a code of two letters see the menu for all."""
    found: dict[str, str] = {}
    for tag in sorted(descriptions, key=len):
        language = tag.replace("_", "-").partition("-")[0].lower()
        if not tag or _LANGUAGE.fullmatch(language):
            found.setdefault(language, descriptions[tag])
    return found


def _menu(commands: Sequence[MenuCommand], scope: MenuScope, language: str) -> tuple[BotCommand, ...]:
    """Empty where a wider scope's menu says the same. Raises ValueError for a name that Telegram does not take."""
    if scope is not MenuScope.EVERYWHERE and not any(command.scope is scope for command in commands):
        return ()
    held = [command for command in commands if command.scope in _HOLDS[scope]]
    return tuple(_command(command, language) for command in held[:_MOST_COMMANDS])


def _command(command: MenuCommand, language: str) -> BotCommand:
    if _NAME.fullmatch(command.name) is None:
        raise ValueError(f"{command.name}: Telegram takes small letters, digits and _ for a command, at most 32")
    description = command.descriptions.get(language) or command.descriptions[""]
    return BotCommand(command.name, description[:_LONGEST_DESCRIPTION_CHARS])
