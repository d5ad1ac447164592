"""No token, and no address that opens something, gets out of a Discord bot, whatever goes wrong."""

import asyncio
from collections.abc import AsyncIterator
from urllib.parse import parse_qs, urlsplit

import pytest

from bots.sandbox.json_values import list_in, object_in
from bots.sandbox.local_discord.driver import LocalDiscord, local_discord
from bots.sandbox.local_discord.limits import NO_RATES
from bots.sandbox.local_discord.options import Options
from bots.sandbox.local_discord.people import Document, Person
from bots.sandbox.local_discord.places import Place
from core.generation.models import ResolvedModel
from tests.acceptance.conftest import Home, link_model
from tests.acceptance.discord_bots import AGAIN, BAD, button, discord_bot, replies
from tests.acceptance.programs import REPLY_S
from tests.acceptance.test_openai_chat import variables
from tests.integration.local_openai import LocalOpenAI


@pytest.fixture
def home(empty_home: Home, default_model: ResolvedModel) -> Home:
    link_model(default_model, empty_home.cache)
    return empty_home


@pytest.fixture
async def discord() -> AsyncIterator[LocalDiscord]:
    async with local_discord(Options(rates=NO_RATES)) as discord:
        yield discord


async def test_no_secret_gets_out(home: Home, discord: LocalDiscord, local_openai: LocalOpenAI) -> None:
    ann = await discord.person("Ann")
    channel = await (await discord.guild("Friends", ann)).channel("general")
    async with discord_bot(home, discord, variables(local_openai, BANTER_LOG__LEVEL="debug")) as bot:
        await discord.until(lambda state: "" in state.commands)
        await misuse(discord, ann, channel)
        interactions = [interaction.token for interaction in await discord.interactions()]
        _, *parts = discord.token.split(".")
        secrets = [discord.token, parts[-1], *interactions, *await signatures(discord), "hunter5"]

        assert len(interactions) >= 6
        assert len(secrets) >= len(interactions) + 4
        for secret in secrets:
            assert await bot.holding(secret) == [], secret[:12]
        assert await bot.holding("/callback") == []
        assert await bot.holding("read me") != []
        assert bot.rows("SELECT count(*) > 0 FROM secrets WHERE name LIKE 'discord % interaction %'") == [(1,)]
    assert discord.token not in bot.stderr
    assert bot.others == []


async def misuse(discord: LocalDiscord, ann: Person, channel: Place) -> None:
    """All that brings a secret, and much of what goes wrong with it."""
    for kind, operation in (
        ("drop_before", "create_message"),
        ("drop_after", "create_message"),
        ("drop_after", "edit_message"),
        ("drop_before", "edit_response"),
        ("drop_after", "edit_response"),
    ):
        await discord.fault(kind, operation)
    for status in (400, 403, 404, 429, 500, 502):
        await discord.fault("answer", "typing", status=status)
    await discord.fault("answer", "edit_response", status=500)
    await ann.says("One")
    [reply] = await replies(ann.dm)
    await ann.says("Two", files=[Document("a.txt", b"read me"), Document("b.bin", b"x", "application/octet-stream")])
    await replies(ann.dm, 2)
    assert (await ann.presses(BAD, reply)).is_answered
    assert (await ann.commands("ask", channel, question="Three?")).is_answered
    [below] = await replies(channel)
    assert (await ann.presses(button(below, AGAIN), below, channel)).is_answered
    assert (await ann.commands("help", channel)).is_answered
    assert (await ann.commands("settings")).is_answered
    await ann.modal()
    assert (await ann.submits()).is_answered
    assert (await ann.uses_on("Ask about this", reply)).is_answered
    await ann.modal()
    assert (await ann.submits(question="Four?")).is_answered
    await discord.fault("answer", "callback", status=404, error="10062")
    await ann.commands("help")
    await astray(discord)
    await ann.says("Five")
    await replies(ann.dm, 4)


async def astray(discord: LocalDiscord) -> None:
    """What comes is no sense, and the connection goes."""
    await discord.send_event("MESSAGE_CREATE", {"id": 7, "channel_id": [], "content": "hunter4"})
    await discord.send_event("INTERACTION_CREATE", {"id": "7", "type": 2, "token": "hunter5"})
    await discord.cut()
    await discord.connected()
    await discord.invalidate()
    await discord.go_away()
    await asyncio.sleep(0)
    await discord.come_back()
    await discord.connected(timeout_s=REPLY_S)


async def signatures(discord: LocalDiscord) -> list[str]:
    """Of the addresses of files, as Discord told them."""
    answers = [object_in(call.answer) for call in await discord.calls("get_message")]
    links = [str(object_in(one).get("url")) for answer in answers for one in list_in(answer.get("attachments"))]
    return [signature for link in links for signature in parse_qs(urlsplit(link).query).get("hm", [])]
