"""What goes wrong with Discord is one clear line; nothing is lost, and nobody else waits."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bots.sandbox.local_discord.accounts import May
from bots.sandbox.local_discord.driver import LocalDiscord, local_discord
from bots.sandbox.local_discord.limits import NO_RATES
from bots.sandbox.local_discord.options import AppOptions, Options
from bots.sandbox.local_discord.people import Person
from core.generation.models import ResolvedModel
from tests.acceptance.conftest import Home, link_model
from tests.acceptance.discord_bots import Stage, begun, discord_bot, replies, told_of, whole
from tests.acceptance.programs import REPLY_S, Program
from tests.acceptance.test_bad_input import refused
from tests.acceptance.test_openai_chat import variables
from tests.acceptance.test_telegram_trouble import AWAY_S
from tests.integration.local_openai import CHAT, DONE, Answer, LocalOpenAI, words

_WHOLE = "Once upon a time there was an end."


@pytest.fixture
def home(empty_home: Home, default_model: ResolvedModel) -> Home:
    link_model(default_model, empty_home.cache)
    return empty_home


@pytest.fixture
async def discord() -> AsyncIterator[LocalDiscord]:
    async with local_discord(Options(rates=NO_RATES)) as discord:
        yield discord


def halting(go_on: asyncio.Event) -> Answer:
    """A reply that waits in its middle."""
    first, *rest = words(CHAT, "Once upon a time there was", " an end.")
    return Answer([first, rest[0], go_on, *rest[1:], DONE])


@pytest.mark.parametrize(("token", "words"), [("hunter2", "it is no bot token"), ("", "discord.com/developers")])
async def test_a_wrong_token_ends_the_start_in_one_line(
    home: Home, discord: LocalDiscord, token: str, words: str
) -> None:
    given = told_of(discord) | {"BANTER_DISCORD_TOKEN": token, "BANTER_LOG__LEVEL": "warning"}

    told = await asyncio.to_thread(home.banter, "discord", variables=given)

    refused(told, "BANTER_DISCORD_TOKEN", words)
    assert "hunter2" not in told.stderr


async def test_a_token_that_discord_does_not_know_is_said_once_and_loses_nothing(
    home: Home, discord: LocalDiscord, local_openai: LocalOpenAI
) -> None:
    ann = await discord.person("Ann")
    async with discord_bot(home, discord, variables(local_openai)):
        await ann.says("One")
        await replies(ann.dm)
    unknown = variables(local_openai, BANTER_DISCORD_TOKEN=f"{discord.token.rpartition('.')[0]}.hunter2")
    async with discord_bot(home, discord, unknown, is_let_in=False) as bot:
        [line] = await bot.logs(trouble="token")
        await ann.says("Two")

        lines = [line["action"] for line in bot.lines if line["level"] in ("warning", "error")]
        assert "set BANTER_DISCORD_TOKEN" in str(line["message"])
        assert bot.troubles == ["token"]
        assert sorted(map(str, lines)) == ["commands", "login", "receive"]
        assert (await bot.get("/healthz")).status_code == 200
        assert await bot.holding("hunter2") == []
    async with discord_bot(home, discord, variables(local_openai)):
        [_, second] = await replies(ann.dm, 2)

    assert second.text == "I am here."
    assert (await discord.look()).identifies_refused == 0


async def test_a_token_that_is_reset_is_said_once_and_what_is_owed_comes_with_the_new_one(
    home: Home, discord: LocalDiscord, local_openai: LocalOpenAI
) -> None:
    ann, go_on = await discord.person("Ann"), asyncio.Event()
    old = discord.token
    local_openai.answers = [halting(go_on)]
    async with discord_bot(home, discord, variables(local_openai)) as bot:
        await ann.says("One")
        shown = await begun(ann.dm)
        await discord.reset_token()
        [line] = await bot.logs(trouble="token")
        await ann.says("Two")
        go_on.set()
        await bot.logs(action="login")

        assert "set BANTER_DISCORD_TOKEN" in str(line["message"])
        assert bot.troubles == ["token"]
        assert (await bot.get("/healthz")).status_code == 200
        assert await bot.holding(old) == []
    async with discord_bot(home, discord, variables(local_openai)):
        [first, second] = await replies(ann.dm, 2)

    assert (first.id, first.text) == (shown.id, _WHOLE)
    assert second.text == "I am here."


async def test_nothing_is_lost_while_discord_is_away(
    home: Home, discord: LocalDiscord, local_openai: LocalOpenAI
) -> None:
    ann, ben, go_on = await discord.person("Ann"), await discord.person("Ben"), asyncio.Event()
    async with discord_bot(home, discord, variables(local_openai)) as bot:
        await ben.says("One")
        await replies(ben.dm)
        local_openai.answers = [halting(go_on)]
        await ann.says("One")
        await begun(ann.dm)
        await discord.go_away()
        await bot.logs(trouble="away")
        await ben.says("Two")
        go_on.set()
        await asyncio.sleep(AWAY_S)  # it is the time itself that is tried
        assert (await bot.get("/healthz")).status_code == 200
        await discord.come_back()
        await bot.logs(message="the bot is listened to again")
        [first], [_, second] = await replies(ann.dm), await replies(ben.dm, 2)

        assert (first.text, second.text) == (_WHOLE, "I am here.")
        assert [len((await person.dm.look()).bots) for person in (ann, ben)] == [1, 2]
        warnings = [line["action"] for line in bot.lines if line["level"] in ("warning", "error")]
        assert warnings in (["receive"], ["receive", "answer"])  # after a while the open reply is put off
        assert bot.troubles == ["away"]
        assert len(bot.logged(message="the bot is listened to again")) == 1


async def test_who_sends_the_bot_away_keeps_nobody_else_waiting(
    home: Home, discord: LocalDiscord, local_openai: LocalOpenAI
) -> None:
    ann, ben = await discord.person("Ann"), await discord.person("Ben")
    server, other = await discord.guild("Friends", ann), await discord.guild("Others", ann)
    channel, hidden, kicked = (
        await server.channel("general"),
        await server.channel("hidden", "voice"),
        await other.channel("lounge", "voice"),
    )
    silent = await server.channel("silent", "voice", denied=May.SEND_MESSAGES)
    go_on = asyncio.Event()
    local_openai.answers = [halting(go_on) for _ in range(4)]
    async with discord_bot(home, discord, variables(local_openai)) as bot:
        thread = await channel.thread_from(await ann.says(f"{discord.mention} hello", channel), REPLY_S)
        for place in (hidden, kicked):
            await ann.says(f"{discord.mention} hello", place)
        await ben.says("hello")
        for place in (thread, hidden, kicked, ben.dm):
            await begun(place)
        await thread.delete()
        await hidden.deny(May.VIEW_CHANNEL)
        await other.kick_bot()
        go_on.set()
        [reply] = await replies(ben.dm)
        await ann.says(f"{discord.mention} hello", silent)
        await ben.says("and now?")
        await replies(ben.dm, 2)
        await bot.logs(6, action="reply")

        places = (thread, hidden, kicked, silent, ben.dm)
        ends = [ended(bot, place.id) for place in places]
        assert bot.troubles == []
        assert [line for line in bot.lines if line["level"] == "error"] == []
    assert reply.text == _WHOLE
    assert [[state for state, _ in rows] for rows in ends] == [["failed"]] * 4 + [["delivered"] * 2]
    assert [reason for [(_, reason)] in ends[:4]] == [
        "the channel is gone, or the bot was taken out of it (10003)",
        "the bot may not see the channel (50001)",
        "the bot may not see the channel (50001)",
        "the bot lacks a permission there (50013)",
    ]


def ended(bot: Program, place_id: str) -> list[tuple[object, ...]]:
    query = "SELECT state, reason FROM inbox WHERE kind = 'message' AND place LIKE ? ORDER BY id"
    return bot.rows(query, f'%"{place_id}"%')


async def test_where_no_thread_may_be_made_the_reply_stands_in_the_channel(
    home: Home, discord: LocalDiscord, local_openai: LocalOpenAI
) -> None:
    ann = await discord.person("Ann")
    server = await discord.guild("Friends", ann)
    channel = await server.channel("general", denied=May.CREATE_PUBLIC_THREADS)
    async with discord_bot(home, discord, variables(local_openai)):
        asked = await ann.says(f"{discord.mention} hello", channel)
        [reply] = await replies(channel)

    assert (reply.text, reply.replies_to) == ("I am here.", asked.id)


async def test_an_answer_that_comes_after_discords_time_for_it_is_a_message(
    home: Home, discord: LocalDiscord, local_openai: LocalOpenAI
) -> None:
    ann, go_on = await discord.person("Ann"), asyncio.Event()
    channel = await (await discord.guild("Friends", ann)).channel("general")
    local_openai.answers = [halting(go_on)]
    async with discord_bot(home, discord, variables(local_openai)):
        await asks(discord, ann, channel.id)
        await channel.until(lambda seen: any("Once upon" in message.text for message in seen.bots), REPLY_S)
        await discord.advance(901)
        go_on.set()
        seen = await channel.until(lambda seen: any(_WHOLE in message.text for message in whole(seen)), REPLY_S)

    assert [message.text for message in whole(seen)] == [_WHOLE]


async def asks(discord: LocalDiscord, person: Person, channel_id: str) -> None:
    await discord.until(lambda state: "" in state.commands)
    assert (await person.commands("ask", discord.place(channel_id), question="One?")).is_answered


async def test_an_intent_that_is_wanted_and_not_granted_is_done_without(home: Home, local_openai: LocalOpenAI) -> None:
    wanted = variables(local_openai, BANTER_DISCORD__MESSAGE_CONTENT="on")
    async with local_discord(Options(AppOptions(message_content=False), rates=NO_RATES)) as discord:
        ann = await discord.person("Ann")
        async with discord_bot(home, discord, wanted) as bot:
            await ann.says("One")
            [reply] = await replies(ann.dm)
            stage = Stage(discord, bot)

            assert stage.texts(ann.dm) == ["One", reply.text]
            warnings = [line for line in bot.lines if line["level"] == "warning"]
            assert ["Message Content intent is switched off" in str(line["message"]) for line in warnings] == [True]
            assert bot.troubles == []
