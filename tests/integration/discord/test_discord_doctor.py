"""`banter doctor` asks Discord about the bot, says what to do, and changes nothing."""

from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import pytest
from pydantic import SecretStr

from bots.discord_doctor import NEEDED, examine_discord
from bots.doctor import Finding
from bots.sandbox.local_discord.accounts import May
from bots.sandbox.local_discord.driver import LocalDiscord, local_discord
from bots.sandbox.local_discord.options import AppOptions, Options
from core.settings.discord import DiscordSettings
from core.settings.settings import Settings

_SECRET = "local-sandbox-secret-that-opens-nothing"


@pytest.fixture
async def discord() -> AsyncIterator[LocalDiscord]:
    async with local_discord() as discord:
        yield discord


async def seen(discord: LocalDiscord, **changes: object) -> list[Finding]:
    told = DiscordSettings(token=SecretStr(discord.token), api_url=discord.api_url)
    findings = await examine_discord(Settings(discord=told.model_copy(update=changes)))
    assert not any(secret in finding.told for finding in findings for secret in (_SECRET, "hunter2"))
    return findings


def named(findings: list[Finding], name: str) -> list[tuple[bool, str]]:
    return [(finding.good, finding.told) for finding in findings if finding.name == name]


async def test_it_says_where_the_bot_is_and_changes_nothing(discord: LocalDiscord) -> None:
    await discord.guild("Friends")
    findings = await seen(discord)
    await discord.guild("Travellers")

    assert [finding.good for finding in findings] == [True] * 3
    assert named(findings, "Discord") == [(True, f"Banter ({discord.application_id}), in 1 server")]
    assert named(await seen(discord), "Discord")[0][1].endswith("in 2 servers")
    assert named(findings, "Discord's gateway") == [(True, "1 shard; 1000 of 1000 starts of today are left")]
    state = await discord.look()
    assert (state.connections, state.identifies) == ((), ())
    assert {call.operation for call in await discord.calls()} == {"me", "application", "my_guilds", "gateway_bot"}


async def test_a_bot_in_no_server_is_told_by_which_link_it_is_let_in(discord: LocalDiscord) -> None:
    [(good, told)] = named(await seen(discord), "Discord")
    link = urlsplit(told.rpartition(" ")[2])

    assert not good
    assert f"({discord.application_id}) is in no server; let it in: " in told
    assert f"{link.scheme}://{link.netloc}{link.path}" == "https://discord.com/oauth2/authorize"
    assert parse_qs(link.query) == {
        "client_id": [discord.application_id],
        "scope": ["bot applications.commands"],
        "permissions": [str(NEEDED.value)],
    }


async def test_missing_permissions_are_named_by_server(discord: LocalDiscord) -> None:
    await discord.guild("Friends")
    await discord.guild("Quiet", permissions=May.SEND_MESSAGES | May.READ_MESSAGE_HISTORY)

    lacking = "view channels, attach files, create public threads, send messages in threads"
    assert named(await seen(discord), "Discord's permissions") == [
        (False, f"Quiet: {lacking}; give them to the bot's role there")
    ]


async def test_many_servers_that_lack_something_are_counted(discord: LocalDiscord) -> None:
    for number in range(7):
        await discord.guild(f"Server {number}", permissions=May.VIEW_CHANNEL)
    told = [words for _, words in named(await seen(discord), "Discord's permissions")]

    assert [words.partition(":")[0] for words in told] == [f"Server {number}" for number in range(5)] + [
        "and in 2 more servers"
    ]


async def test_what_is_lost_without_message_content_is_told_and_how_to_switch_it_on() -> None:
    async with local_discord(Options(AppOptions(message_content=False))) as discord:
        [(good, told)] = named(await seen(discord), "Message Content")
        [(is_well, _)] = named(await seen(discord, message_content="on"), "Message Content")
        [(is_chosen, chosen)] = named(await seen(discord, message_content="off"), "Message Content")

    assert (good, is_well, is_chosen) == (True, False, True)
    assert told.startswith("not granted: it reads private chats, messages that mention it, replies to it and commands")
    assert "in a thread every message has to mention it" in told
    assert "Privileged Gateway Intents" in told
    assert chosen.startswith('discord.message_content = "off": it reads private chats')
    assert "switch it on" not in chosen


async def test_message_content_that_is_granted_is_told(discord: LocalDiscord) -> None:
    [(good, told)] = named(await seen(discord), "Message Content")

    assert good
    assert told.startswith("granted")


async def test_few_starts_that_are_left_are_a_warning(discord: LocalDiscord) -> None:
    await discord.spend_starts(970)

    assert named(await seen(discord, shards=2), "Discord's gateway") == [
        (False, "2 shards; 30 of 1000 starts of today are left: something starts the bot again and again; see its log")
    ]


@pytest.mark.parametrize("told", ["hunter2", ""])
async def test_a_token_that_is_none_is_told_and_nobody_is_asked(discord: LocalDiscord, told: str) -> None:
    [finding] = await seen(discord, token=SecretStr(told))

    assert (finding.name, finding.good) == ("Discord", False)
    assert finding.told.startswith("BANTER_DISCORD_TOKEN: ")
    assert await discord.calls() == []


async def test_a_token_that_discord_does_not_know_is_told_by_its_setting(discord: LocalDiscord) -> None:
    first = discord.token.partition(".")[0]
    [finding] = await seen(discord, token=SecretStr(f"{first}.aaaaaa.hunter2"))

    assert not finding.good
    assert finding.told.startswith("BANTER_DISCORD_TOKEN: Discord does not know the token")


async def test_a_discord_that_is_away_is_told_by_its_host(discord: LocalDiscord) -> None:
    [finding] = await seen(discord, api_url="http://127.0.0.1:9/api/v10")

    assert not finding.good
    assert finding.told.startswith("127.0.0.1:9: ")
