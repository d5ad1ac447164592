"""A Discord bot that goes and comes again in the middle of dialogues, and one that Discord lets read little."""

from collections.abc import AsyncIterator

import pytest

from bots.sandbox.local_discord.driver import LocalDiscord, local_discord
from bots.sandbox.local_discord.options import AppOptions, Options
from tests.acceptance.conftest import Home
from tests.acceptance.discord_bots import BAD, Stage, begun, discord_bot, discord_stage, replies, whole
from tests.acceptance.programs import REPLY_S
from tests.acceptance.test_discord import CAPITAL, LONG, STORY

_TOKENS = "SELECT count(*) FROM secrets WHERE name LIKE 'discord % interaction %'"
_GOES_IN_TIME = "julianday(expires_at) BETWEEN julianday('now') AND julianday('now', '+15 minutes')"
#: Between two sessions that begin, as Discord wants it.
_APART_S = 6.0
_TOKEN_AGE_S = 901.0


@pytest.fixture
async def discord() -> AsyncIterator[LocalDiscord]:
    async with local_discord() as discord:
        yield discord


async def test_what_was_said_while_it_was_down_is_answered(home: Home, discord: LocalDiscord) -> None:
    ann, ben = await discord.person("Ann"), await discord.person("Ben")
    server = await discord.guild("Friends", ann, ben)
    channel, forum = await server.channel("general"), await server.forum("help")
    async with discord_bot(home, discord, LONG) as bot:
        await ben.says(CAPITAL)
        [before] = await replies(ben.dm)
        asked = await ann.says(f"{discord.mention} {CAPITAL}", channel)
        thread = await channel.thread_from(asked, REPLY_S)
        await replies(thread)
        await ann.says(STORY, thread)
        shown = await begun(thread)
    await ben.says("And of Italy?", thread)
    await ben.says("What is the capital of Spain?")
    missed = await ann.says(f"{discord.mention} What is the capital of Italy?", channel)
    post = await ann.posts("Italy", f"{discord.mention} What is the capital?", forum)
    await ann.says("Rain again today.", channel)
    await discord.advance(_APART_S)
    async with discord_bot(home, discord) as bot:
        [_, story, last] = await replies(thread, 3)
        [_, in_private] = await replies(ben.dm, 2)
        [in_time] = await replies(channel.thread_of(missed))
        [in_post] = await replies(post)
        assert (await ben.presses(BAD, before)).is_answered
        await bot.keeps([("bad",)], "SELECT opinion FROM feedback")
        stage = Stage(discord, bot)

        assert (story.id, story.text[:20]) == (shown.id, shown.text[:20])
        assert last.text.strip()
        assert "Madrid" in in_private.text
        assert "Rome" in in_time.text
        assert "Rome" in in_post.text
        assert stage.texts(thread)[::2] == [CAPITAL, STORY, "And of Italy?"]
        assert stage.texts(ben.dm)[::2] == [CAPITAL, "What is the capital of Spain?"]
        assert (await channel.look()).bots == []
        assert stage.is_forgotten("Rain")
    assert await discord.excesses() == {}


async def test_an_interaction_can_be_answered_after_a_restart_and_its_token_goes(
    home: Home, discord: LocalDiscord
) -> None:
    ann = await discord.person("Ann")
    channel = await (await discord.guild("Friends", ann)).channel("general")
    async with discord_bot(home, discord, LONG) as bot:
        await discord.until(lambda state: "" in state.commands)
        asked = await ann.commands("ask", channel, question=STORY)
        shown = await begun(channel)
    await discord.advance(_APART_S)
    async with discord_bot(home, discord, LONG) as bot:
        [reply] = await replies(channel)
        [kept] = await discord.interactions()

        assert reply.id == shown.id == kept.message_id
        assert bot.rows(_TOKENS) == bot.rows(f"{_TOKENS} AND {_GOES_IN_TIME}") == [(1,)]
        assert await bot.holding(asked.token) == []
    await discord.advance(_TOKEN_AGE_S)
    bot.changes("UPDATE secrets SET expires_at = '2026-01-01 00:00:00' WHERE name LIKE 'discord % interaction %'")
    async with discord_bot(home, discord) as bot:
        await bot.keeps([(0,)], _TOKENS)


async def test_without_the_message_content_intent_it_answers_whoever_calls_it(home: Home) -> None:
    options = Options(AppOptions(message_content=False))
    async with discord_stage(home, {}, options) as stage:
        discord = stage.discord
        ann, ben = await discord.person("Ann"), await discord.person("Ben")
        server = await discord.guild("Friends", ann, ben)
        channel, forum = await server.channel("general"), await server.forum("help")
        asked = await ann.says(f"{discord.mention} {CAPITAL}", channel)
        thread = await channel.thread_from(asked, REPLY_S)
        [first] = await replies(thread)
        await ben.says("And who called nobody?", thread)
        await ben.says("Me neither.", thread, reply_to=first)
        await replies(thread, 2)
        await ann.says(f"{discord.mention} What is the capital of Italy?", thread)
        [_, _, third] = await replies(thread, 3)
        post = await ben.posts("France", f"{discord.mention} What is the capital?", forum)
        [in_post] = await replies(post)
        await ben.says(CAPITAL)
        [in_private] = await replies(ben.dm)

        assert "Rome" in third.text
        assert ["Paris" in reply.text for reply in (first, in_post, in_private)] == [True] * 3
        assert stage.texts(thread)[::2] == [CAPITAL, "Me neither.", "What is the capital of Italy?"]
        assert len(whole(await thread.look())) == 3
        assert stage.bot.troubles == []
