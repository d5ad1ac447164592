"""Replies that one message can't hold. No small model writes one, so a scripted server does."""

from collections.abc import AsyncIterator

import pytest

from bots.sandbox.local_discord.accounts import May
from bots.sandbox.local_discord.driver import LocalDiscord, local_discord
from bots.sandbox.local_discord.sights import MessageSeen
from core.generation.models import ResolvedModel
from tests.acceptance.conftest import Home, link_model
from tests.acceptance.discord_bots import discord_bot, replies, whole
from tests.acceptance.programs import REPLY_S
from tests.acceptance.test_openai_chat import variables
from tests.acceptance.test_slack_long_reply import slowly
from tests.acceptance.test_telegram_long_reply import LONG, MARK, units
from tests.integration.local_openai import CHAT, Answer, LocalOpenAI, reply

_LIMIT_UNITS = 2000
#: What somebody would be called by who wrote it.
_CALLS = "@everyone and @here, look"


@pytest.fixture
def home(empty_home: Home, default_model: ResolvedModel) -> Home:
    link_model(default_model, empty_home.cache)
    return empty_home


@pytest.fixture
async def discord() -> AsyncIterator[LocalDiscord]:
    async with local_discord() as discord:
        yield discord


def comes_whole(parts: list[MessageSeen]) -> None:
    """All of it, once and in its order; only its end has buttons, and only its beginning makes a sound."""
    assert len(LONG) > 12_000
    assert [mark for part in parts for mark in MARK.findall(part.text)] == MARK.findall(LONG)
    assert all(units(part.text) <= _LIMIT_UNITS for part in parts)
    assert all(part.text.count("```") % 2 == 0 for part in parts)
    assert [bool(part.labels) for part in parts] == [False] * (len(parts) - 1) + [True]
    assert [part.is_silent for part in parts] == [False] + [True] * (len(parts) - 1)
    assert all(part.hides_embeds and not part.is_pinging and not part.repeats for part in parts)


async def test_a_reply_that_is_too_long_for_a_message_goes_on_in_the_next_ones(
    home: Home, discord: LocalDiscord, local_openai: LocalOpenAI
) -> None:
    ann = await discord.person("Ann")
    channel = await (await discord.guild("Friends", ann)).channel("general")
    async with discord_bot(home, discord, variables(local_openai)) as bot:
        local_openai.answers = [slowly()]
        asked = await ann.says(f"{discord.mention} Tell me everything.", channel)
        thread = await channel.thread_from(asked, REPLY_S)
        parts = (await thread.until(lambda seen: len(whole(seen)) == 1, REPLY_S)).bots

        comes_whole(parts)
        assert any(len(part.versions) > 1 for part in parts)
        assert bot.rows("SELECT text FROM turns WHERE role = 'assistant'") == [(LONG,)]
    assert await discord.excesses() == {}


async def test_a_long_answer_to_a_command_goes_on_below_it(
    home: Home, discord: LocalDiscord, local_openai: LocalOpenAI
) -> None:
    ann = await discord.person("Ann")
    channel = await (await discord.guild("Friends", ann)).channel("general")
    async with discord_bot(home, discord, variables(local_openai)):
        await discord.until(lambda state: "" in state.commands)
        local_openai.answers = [slowly()]
        asked = await ann.commands("ask", channel, question="What is there?")
        parts = (await channel.until(lambda seen: len(whole(seen)) == 1, REPLY_S)).bots
        [answer] = await discord.interactions()

    comes_whole(parts)
    assert parts[0].id == answer.message_id
    assert {part.replies_to for part in parts[1:]} == {answer.message_id}
    assert asked.is_answered
    assert await discord.excesses() == {}


async def test_a_long_reply_can_be_attached(home: Home, discord: LocalDiscord, local_openai: LocalOpenAI) -> None:
    ann = await discord.person("Ann")
    attached = variables(local_openai, BANTER_DISCORD__LONG_REPLIES="file")
    async with discord_bot(home, discord, attached):
        local_openai.answers = [reply(CHAT, *LONG.splitlines(keepends=True)), reply(CHAT, "I am here.")]
        await ann.says("Tell me everything.")
        [first] = await replies(ann.dm)
        await ann.says("And now?")
        [_, second] = await replies(ann.dm, 2)

    [file] = first.attachments
    assert (file.filename, file.text) == ("reply.md", LONG)
    assert units(first.text) <= _LIMIT_UNITS
    assert MARK.findall(first.text) == MARK.findall(LONG)[: len(MARK.findall(first.text))] != []
    assert (second.text, second.attachments) == ("I am here.", ())
    assert await discord.excesses() == {}


async def test_nobody_is_called_by_what_a_model_writes(
    home: Home, discord: LocalDiscord, local_openai: LocalOpenAI
) -> None:
    ann, ben = await discord.person("Ann"), await discord.person("Ben")
    server = await discord.guild("Friends", ann, ben, permissions=~May(0))
    channel, lounge = await server.channel("general"), await server.channel("Lounge", "voice")
    role = await server.role("helpers", ben.id)
    calls = f"{_CALLS} {ben.mention} <@&{role}>"
    local_openai.answers = [_says(calls) for _ in range(4)]
    async with discord_bot(home, discord, variables(local_openai)):
        await discord.until(lambda state: "" in state.commands)
        asked = await ann.says(f"{discord.mention} {_CALLS}", channel)
        [in_thread] = await replies(await channel.thread_from(asked, REPLY_S))
        await ann.says(f"{discord.mention} {_CALLS}", lounge)
        [in_lounge] = await replies(lounge)
        await ann.commands("ask", channel, question=calls)
        [below] = await replies(channel)

    for message in (in_thread, in_lounge, below):
        assert message.text == calls
        assert not message.is_pinging
    assert in_lounge.pings.replied == ann.id


def _says(text: str) -> Answer:
    return reply(CHAT, text[:9], text[9:])
