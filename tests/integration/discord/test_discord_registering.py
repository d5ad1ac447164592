"""Discord is told the commands once, and again when they changed."""

from collections.abc import AsyncIterator

import pytest
from discord.http import Route

from adapters.discord.api import DiscordRest
from adapters.discord.commands import commands_of
from adapters.discord.endpoint import speak_to
from adapters.discord.labels import CommandLabels, NativeLabels, Worded
from adapters.discord.registering import register
from bots.discord_texts import label_book
from bots.sandbox.local_discord.driver import LocalDiscord, local_discord
from bots.sandbox.local_discord.limits import NO_RATES
from bots.sandbox.local_discord.options import AppOptions, Options
from core.errors import PlatformAway, PlatformError
from core.texts import Texts

COMMANDS = commands_of(label_book(Texts(), "en").by_language)


@pytest.fixture
async def discord() -> AsyncIterator[LocalDiscord]:
    async with local_discord(Options(rates=NO_RATES)) as discord:
        speak_to(discord.api_url)
        yield discord
        speak_to()


@pytest.fixture
async def rest(discord: LocalDiscord) -> AsyncIterator[DiscordRest]:
    rest = DiscordRest(discord.token)
    yield rest
    await rest.aclose()


async def names(discord: LocalDiscord) -> list[str]:
    return [str(command["name"]) for command in (await discord.look()).commands.get("", [])]


async def test_all_commands_are_registered_once(discord: LocalDiscord, rest: DiscordRest) -> None:
    assert await register(rest, COMMANDS)
    assert not await register(rest, COMMANDS)

    assert await names(discord) == [command["name"] for command in COMMANDS]
    assert len(await discord.calls("put_commands")) == 1


@pytest.mark.parametrize(
    "changed",
    [
        CommandLabels(new=Worded("new", "begin again")),
        CommandLabels(ask_about_this="What is this?"),
        CommandLabels(question=Worded("question", "ask away")),
        CommandLabels(session="That dialogue"),
    ],
)
async def test_another_word_is_told(discord: LocalDiscord, rest: DiscordRest, changed: CommandLabels) -> None:
    await register(rest, commands_of({}))

    assert await register(rest, commands_of({"en": NativeLabels(commands=changed)}))
    assert len(await discord.calls("put_commands")) == 2


async def test_another_word_in_one_language_alone_is_told(rest: DiscordRest) -> None:
    await register(rest, commands_of({"de": NativeLabels(commands=CommandLabels(new=Worded("neu", "neu beginnen")))}))

    assert await register(
        rest, commands_of({"de": NativeLabels(commands=CommandLabels(new=Worded("neu", "von vorn")))})
    )
    assert not await register(
        rest, commands_of({"de": NativeLabels(commands=CommandLabels(new=Worded("neu", "von vorn")))})
    )


async def test_a_command_of_before_goes(discord: LocalDiscord, rest: DiscordRest) -> None:
    await register(rest, COMMANDS)

    assert await register(rest, COMMANDS[1:])
    assert "ask" not in await names(discord)


async def test_what_was_registered_for_somebody_else_once_goes(discord: LocalDiscord, rest: DiscordRest) -> None:
    await register(rest, COMMANDS)
    route = Route("POST", "/applications/{application_id}/commands", application_id=discord.application_id)
    await rest.request(route, json={"name": "sing", "description": "a song", "type": 1})

    assert await register(rest, COMMANDS)
    assert "sing" not in await names(discord)


async def test_the_door_of_an_activity_stays(discord: LocalDiscord, rest: DiscordRest) -> None:
    route = Route("PUT", "/applications/{application_id}/commands", application_id=discord.application_id)
    await rest.request(route, json=[{"name": "launch", "type": 4, "handler": 2}])

    assert await register(rest, COMMANDS)
    assert not await register(rest, COMMANDS)
    assert "launch" in await names(discord)


@pytest.mark.parametrize(
    ("app", "installs"),
    [(AppOptions(), [0, 1]), (AppOptions(user_install=False), [0]), (AppOptions(guild_install=False), [1])],
)
async def test_commands_are_installed_as_far_as_the_app_is(app: AppOptions, installs: list[int]) -> None:
    async with local_discord(Options(app=app, rates=NO_RATES)) as discord:
        speak_to(discord.api_url)
        rest = DiscordRest(discord.token)
        await register(rest, COMMANDS)
        assert not await register(rest, COMMANDS)
        commands = (await discord.look()).commands[""]
        await rest.aclose()

    assert [command["integration_types"] for command in commands] == [installs] * len(COMMANDS)


async def test_a_discord_that_is_away_is_told_later(discord: LocalDiscord, rest: DiscordRest) -> None:
    await discord.fault("answer", "put_commands", status=400, error="50035", times=1)
    with pytest.raises(PlatformError):
        await register(rest, COMMANDS)

    assert await register(rest, COMMANDS)


class Muttering:
    """A Discord whose answers are none."""

    def __init__(self, application: object, commands: object) -> None:
        self._application = application
        self._commands = commands

    async def application(self) -> object:
        return self._application

    async def request(self, route: Route, **_told: object) -> object:
        assert route.method == "GET"
        return self._commands


@pytest.mark.parametrize(
    ("application", "commands"), [({}, []), ("", []), ({"id": "5"}, ""), ({"id": "5"}, {"a": 1}), ({"id": "5"}, [None])]
)
async def test_an_answer_that_is_none_changes_nothing(application: object, commands: object) -> None:
    with pytest.raises(PlatformAway):
        await register(Muttering(application, commands), COMMANDS)
