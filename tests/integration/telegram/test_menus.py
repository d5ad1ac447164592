"""The menus of commands, on the local Bot API server."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import telegram

from adapters.telegram.api import open_bot
from adapters.telegram.menus import MenuCommand, MenuScope, set_menus
from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_telegram.driver import LocalTelegram, local_telegram

HELP = MenuCommand("help", {"": "what I can do", "de": "was ich kann"})
FORGET = MenuCommand("forget", {"": "forget what was said", "de": "vergessen"}, MenuScope.PRIVATE)
QUIET = MenuCommand("quiet", {"": "be quiet"}, MenuScope.ADMINISTRATORS)


def scope(kind: str) -> JsonObject:
    return {"type": kind}


@pytest.fixture
async def server() -> AsyncIterator[LocalTelegram]:
    async with local_telegram() as server:
        yield server


@pytest.fixture
async def bot(server: LocalTelegram) -> AsyncIterator[telegram.Bot]:
    async with open_bot(server.token, server.base_url) as bot:
        yield bot


async def test_each_place_and_language_has_its_menu(server: LocalTelegram, bot: telegram.Bot) -> None:
    await set_menus(bot, [HELP, FORGET, QUIET])

    assert await server.menu() == {"help": "what I can do"}
    assert await server.menu(language="de") == {"help": "was ich kann"}
    private = scope("all_private_chats")
    assert await server.menu(private) == {"help": "what I can do", "forget": "forget what was said"}
    assert await server.menu(private, "de") == {"help": "was ich kann", "forget": "vergessen"}
    assert await server.menu(scope("all_group_chats")) == {}
    administrators = scope("all_chat_administrators")
    assert await server.menu(administrators, "de") == {"help": "was ich kann", "quiet": "be quiet"}


async def test_menus_that_are_right_are_not_set_again(server: LocalTelegram, bot: telegram.Bot) -> None:
    assert await set_menus(bot, [HELP, FORGET]) == 4

    assert await set_menus(bot, [HELP, FORGET]) == 0

    assert len(await server.calls("setMyCommands")) == 4


async def test_a_menu_that_says_something_else_now_is_changed(server: LocalTelegram, bot: telegram.Bot) -> None:
    await set_menus(bot, [HELP, FORGET])

    changed = await set_menus(bot, [replace(HELP, descriptions={"": "help", "de": "was ich kann"})])

    assert changed == 3
    assert await server.menu() == {"help": "help"}
    assert await server.menu(scope("all_private_chats")) == {}
    assert await server.menu(scope("all_private_chats"), "de") == {}


async def test_a_long_description_is_cut(server: LocalTelegram, bot: telegram.Bot) -> None:
    await set_menus(bot, [MenuCommand("long", {"": "x" * 500})])

    assert await server.menu() == {"long": "x" * 256}


async def test_a_name_that_telegram_does_not_take_is_a_fault_of_the_program(bot: telegram.Bot) -> None:
    with pytest.raises(ValueError, match="small letters"):
        await set_menus(bot, [MenuCommand("No-Way", {"": "x"})])


async def test_telegram_knows_languages_by_two_letters(server: LocalTelegram, bot: telegram.Bot) -> None:
    spoken = {"": "help", "pt-BR": "ajuda", "pt": "ajuda!", "zh_Hans": "帮助", "haw": "kōkua"}

    await set_menus(bot, [MenuCommand("help", spoken)])

    assert await server.menu(language="pt") == {"help": "ajuda!"}
    assert await server.menu(language="zh") == {"help": "帮助"}
    languages = {call.parameters.get("language_code", "") for call in await server.calls("setMyCommands")}
    assert languages == {"", "pt", "zh"}


async def test_a_language_that_is_refused_keeps_no_other_one_from_its_menu(
    server: LocalTelegram, bot: telegram.Bot
) -> None:
    await server.fault("answer", "setMyCommands", after=1, status=400)

    await set_menus(bot, [MenuCommand("help", {"": "help", "de": "hilfe", "es": "ayuda"})])

    assert await server.menu() == {"help": "help"}
    assert await server.menu(language="de") == {}
    assert await server.menu(language="es") == {"help": "ayuda"}
