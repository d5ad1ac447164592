"""A newcomer's Discord bot: the program as a process, real weights, and a local Discord that keeps to its limits."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.acceptance.conftest import Home
from tests.acceptance.discord_bots import AGAIN, BAD, GOOD, Stage, begun, button, discord_stage, replies, whole
from tests.acceptance.programs import REPLY_S

pytestmark = pytest.mark.asyncio(loop_scope="module")

CAPITAL = "What is the capital of France?"
STORY = "Tell me a long story about a village by the sea."
LONG = {"BANTER_SAMPLING__MAX_NEW_TOKENS": "200"}

#: The second reply of a dialogue is what the platform shows.
_SHOWN_TWICE = """
    SELECT count(*) FROM platform_messages p WHERE p.channel = ? AND p.direction = 'out' AND p.turn_id = (
        SELECT max(t.id) FROM turns t JOIN sessions s ON s.id = t.session_id
        WHERE s.channel = ? AND t.role = 'assistant' HAVING count(*) = 2
    )
"""


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory, shared_cache: Path) -> AsyncIterator[Stage]:
    async with discord_stage(Home(tmp_path_factory.mktemp("discord"), shared_cache), LONG) as stage:
        yield stage


async def test_a_direct_message_begins_a_dialogue_that_remembers(stage: Stage) -> None:
    ann = await stage.discord.person("Ann")
    asked = await ann.says(CAPITAL)
    [first] = await replies(ann.dm)
    await ann.says("Which country did I ask about?")
    [_, second] = await replies(ann.dm, 2)
    session = stage.sessions(ann.dm)[0]
    prompt = await asyncio.to_thread(stage.bot.home.banter, "sessions", "show", str(session), "--prompt")
    seen = await ann.dm.look()

    assert "Paris" in first.text
    assert second.text.strip()
    assert prompt.stdout.index(CAPITAL) < prompt.stdout.index(first.text) < prompt.stdout.index("Which country")
    assert [message.author_id for message in seen.messages] == [ann.id, stage.discord.bot_id] * 2
    assert stage.texts(ann.dm)[:2] == [CAPITAL, first.text]
    assert (first.replies_to, first.repeats) == (asked.id, 0)
    assert first.nonce
    assert first.hides_embeds
    assert all(later.startswith(earlier) for earlier, later in zip(second.texts, second.texts[1:], strict=False))
    assert seen.typing


async def test_a_mention_opens_a_thread_for_all(stage: Stage) -> None:
    discord = stage.discord
    ann, ben = await discord.person("Ann"), await discord.person("Ben")
    server = await discord.guild("Friends", ann, ben)
    channel = await server.channel("general")
    await ann.says("Rain again today.", channel)
    asked = await ann.says(f"{discord.mention} {CAPITAL}", channel)
    thread = await channel.thread_from(asked, REPLY_S)
    [first] = await replies(thread)
    await ben.says("And of Italy?", thread)
    [_, second] = await replies(thread, 2)
    await ann.says("Rain, rain, rain.", channel)
    await ben.says(f"{ann.mention} Rain!", channel)
    seen = await thread.look()

    assert "Paris" in first.text
    assert (first.replies_to, second.replies_to != "") == ("", True)
    assert (await channel.look()).bots == []
    assert seen.name != ""
    assert stage.texts(thread)[::2] == [CAPITAL, "And of Italy?"]
    assert stage.is_forgotten("Rain")
    assert stage.bot.rows("SELECT count(*) FROM turns WHERE text LIKE '%<@%'") == [(0,)]


async def test_three_threads_of_a_channel_are_three_dialogues_at_once(stage: Stage) -> None:
    discord = stage.discord
    ann, ben = await discord.person("Ann"), await discord.person("Ben")
    server = await discord.guild("Friends", ann, ben)
    channel = await server.channel("countries")
    countries = ("France", "Italy", "Spain")
    asked = [await ann.says(f"{discord.mention} What is the capital of {country}?", channel) for country in countries]
    threads = [await channel.thread_from(one, REPLY_S) for one in asked]
    answers = [(await replies(thread))[0] for thread in threads]
    await asyncio.gather(*(ben.says("And which language do they speak?", thread) for thread in threads))
    for thread in threads:
        await replies(thread, 2)

    assert max(answer.times[0] for answer in answers) < min(answer.times[-1] for answer in answers)
    assert "Paris" in answers[0].text
    for thread, country, answer in zip(threads, countries, answers, strict=True):
        texts = stage.texts(thread)
        assert texts[:3] == [f"What is the capital of {country}?", answer.text, "And which language do they speak?"]
        assert len(texts) == 4
    assert (await channel.look()).bots == []


async def test_a_forum_post_is_read_with_its_title_and_tags(stage: Stage) -> None:
    discord = stage.discord
    ann, ben = await discord.person("Ann"), await discord.person("Ben")
    server = await discord.guild("Travellers", ann, ben)
    forum = await server.forum("help", "geography", "food")
    post = await ann.posts("France", f"{discord.mention} What is the capital?", forum, tags=["geography"])
    [first] = await replies(post)
    await ben.says("And of Italy?", post)
    await replies(post, 2)
    elsewhere = await ann.posts("Pears", "They are ripe.", forum)

    assert "Paris" in first.text
    assert stage.texts(post)[::2] == ["France\n[geography]\n\nWhat is the capital?", "And of Italy?"]
    assert len(stage.sessions(post)) == 1
    assert (await elsewhere.look()).bots == []


async def test_the_chat_of_a_voice_channel_is_one_dialogue(stage: Stage) -> None:
    discord = stage.discord
    ann = await discord.person("Ann")
    lounge = await (await discord.guild("Friends", ann)).channel("Lounge", "voice")
    asked = await ann.says(f"{discord.mention} {CAPITAL}", lounge)
    [first] = await replies(lounge)

    assert "Paris" in first.text
    assert first.replies_to == asked.id
    assert first.pings.replied == ann.id
    assert stage.texts(lounge) == [CAPITAL, first.text]


async def test_stop_ends_the_reply(stage: Stage) -> None:
    ann = await stage.discord.person("Ann")
    await ann.says(STORY)
    shown = await begun(ann.dm)
    stopped = await ann.presses(button(shown, "⏹"), shown)
    [reply] = await replies(ann.dm)

    assert stopped.is_answered
    assert (reply.id, reply.text[:20]) == (shown.id, shown.text[:20])
    query = "SELECT t.finish_reason FROM turns t JOIN sessions s ON s.id = t.session_id WHERE s.channel = ?"
    assert stage.bot.rows(f"{query} AND t.role = 'assistant'", ann.dm.id) == [("cancelled",)]
    assert stage.texts(ann.dm)[1].strip() == reply.text.strip()


async def test_another_reply_stands_where_the_first_one_stood(stage: Stage) -> None:
    ann = await stage.discord.person("Ann")
    await ann.says(CAPITAL)
    [first] = await replies(ann.dm)
    joined = "feedback f JOIN turns t ON t.id = f.turn_id JOIN sessions s ON s.id = t.session_id WHERE s.channel = ?"
    opinions = f"SELECT f.opinion FROM {joined} ORDER BY f.opinion"
    assert (await ann.presses(BAD, first)).is_answered
    await stage.bot.keeps([("bad",)], opinions, ann.dm.id)
    assert (await ann.presses(button(first, AGAIN), first)).is_answered
    await stage.bot.keeps([(1,)], _SHOWN_TWICE, ann.dm.id, ann.dm.id)
    [second] = await replies(ann.dm)
    await ann.reacts(GOOD, second)

    await stage.bot.keeps([("bad",), ("good",), ("regenerate",)], opinions, ann.dm.id)
    bad, good, regenerated = stage.bot.rows(f"SELECT f.turn_id FROM {joined} ORDER BY f.opinion", ann.dm.id)
    assert bad == regenerated != good
    assert [message.id for message in (await ann.dm.look()).bots] == [first.id]


async def test_an_edited_question_is_answered_anew_where_its_reply_stands(stage: Stage) -> None:
    ann = await stage.discord.person("Ann")
    asked = await ann.says(CAPITAL)
    [first] = await replies(ann.dm)
    await ann.edits(asked, "What is the capital of Italy?")
    seen = await ann.dm.until(lambda channel: any("Rome" in message.text for message in whole(channel)), REPLY_S)

    assert "Paris" in first.text
    assert [message.id for message in seen.bots] == [first.id]
    assert stage.texts(ann.dm)[0] == "What is the capital of Italy?"
    query = "SELECT count(*) FROM inbox WHERE inbound LIKE '%capital of France%' AND inbound LIKE ?"
    assert stage.bot.rows(query, f"%{asked.id}%") == [(0,)]


async def test_a_question_that_is_deleted_while_it_is_answered_takes_its_reply_along(stage: Stage) -> None:
    ann = await stage.discord.person("Ann")
    asked = await ann.says(f"{STORY} Name it Quokkaville.")
    await begun(ann.dm)
    await ann.deletes(asked)
    await ann.dm.until(lambda channel: not channel.bots, REPLY_S)

    await stage.bot.keeps([(0,)], "SELECT count(*) FROM inbox WHERE inbound LIKE '%Quokkaville%'")
    assert stage.texts(ann.dm) == []


async def test_a_question_that_is_deleted_is_forgotten(stage: Stage) -> None:
    ann = await stage.discord.person("Ann")
    await ann.says(CAPITAL)
    await replies(ann.dm)
    regretted = await ann.says("My cat is called Quokka. What is the capital of Spain?")
    await replies(ann.dm, 2)
    await ann.deletes(regretted)
    await ann.says("What is the capital of Italy?")
    [first, _, third] = await replies(ann.dm, 3)

    assert stage.texts(ann.dm) == [CAPITAL, first.text, "What is the capital of Italy?", third.text]
    assert stage.is_forgotten("Quokka")
