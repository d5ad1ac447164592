"""A newcomer's Slack assistant: the program as a process, real weights, and a local Slack. One process for each way."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from bots.sandbox.local_slack.driver import LocalSlack, local_slack
from tests.acceptance.conftest import Home
from tests.acceptance.programs import REPLY_S, Program
from tests.acceptance.slack_assistants import BAD, GOOD, replies, slack_assistant, whole

pytestmark = pytest.mark.asyncio(loop_scope="module")

CAPITAL = "What is the capital of France?"
STORY = "Tell me a long story about a village by the sea."
LONG = {"BANTER_SAMPLING__MAX_NEW_TOKENS": "200"}


@dataclass(frozen=True, slots=True)
class Stage:
    slack: LocalSlack
    assistant: Program

    def texts(self, *threads: str) -> list[str]:
        """What was said in these threads, as it is remembered."""
        asked = ",".join("?" * len(threads))
        rows = self.assistant.rows(
            f"SELECT t.text FROM turns t JOIN sessions s ON s.id = t.session_id WHERE s.thread IN ({asked}) "
            "ORDER BY t.id",
            *threads,
        )
        return [str(text) for (text,) in rows]


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["socket", "http"])
async def stage(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, shared_cache: Path
) -> AsyncIterator[Stage]:
    """Slack's tiers are kept to as strictly as they can be read."""
    home = Home(tmp_path_factory.mktemp("slack"), shared_cache)
    async with (
        local_slack() as slack,
        slack_assistant(home, slack, LONG, over_http=request.param == "http") as assistant,
    ):
        yield Stage(slack, assistant)
        assert await slack.excesses() == {}
        assert assistant.others == []


async def test_a_dialogue_with_the_agent_remembers_what_was_said(stage: Stage) -> None:
    ann = await stage.slack.person("Ann")
    await ann.opens_app("messages")
    asked = await ann.says(CAPITAL)
    [first] = await replies(ann.dm)
    await ann.says("Which country did I ask about?", thread=asked)
    [_, second] = await replies(ann.dm, 2)
    session = stage.assistant.rows("SELECT id FROM sessions WHERE thread = ?", asked.ts)[0][0]
    prompt = await asyncio.to_thread(stage.assistant.home.banter, "sessions", "show", str(session), "--prompt")
    seen = await ann.dm.look()

    assert "Paris" in first.text
    assert second.text.strip()
    assert prompt.stdout.index(CAPITAL) < prompt.stdout.index(first.text) < prompt.stdout.index("Which country")
    assert [(message.is_bots, message.root_ts) for message in seen.messages] == [
        (is_bots, asked.ts) for is_bots in (False, True, False, True)
    ]
    assert stage.texts(asked.ts)[1] == first.text
    assert first.stream is not None
    assert all(later.startswith(earlier) for earlier, later in zip(first.texts, first.texts[1:], strict=False))
    agent = seen.thread(asked.ts).session
    assert agent is not None
    assert (agent.title, agent.status) == (CAPITAL, "active")
    assert [status for _, status in agent.history] == ["processing", "active"] * 2
    assert "What can you do?" in {prompt["title"] for prompt in seen.thread("").prompts}


async def test_slacks_own_stop_ends_the_reply(stage: Stage) -> None:
    ann = await stage.slack.person("Ann")
    asked = await ann.says(STORY)
    seen = await ann.dm.until(lambda channel: any(len(message.text) > 20 for message in channel.bots), REPLY_S)
    [shown] = seen.bots
    stopped = await ann.stops(asked)
    [reply] = await replies(ann.dm)

    assert stopped == [shown.ts] == [reply.ts]
    assert reply.text.startswith(shown.text[:20])
    session = (await ann.dm.look()).thread(asked.ts).session
    assert session is not None
    assert session.status == "active"
    query = "SELECT t.finish_reason FROM turns t JOIN sessions s ON s.id = t.session_id WHERE s.thread = ?"
    assert stage.assistant.rows(f"{query} AND t.role = 'assistant'", asked.ts) == [("cancelled",)]
    assert stage.texts(asked.ts)[1].strip() == reply.text.strip()


async def test_three_threads_of_a_channel_are_three_dialogues_at_once(stage: Stage) -> None:
    slack = stage.slack
    ann, ben = await slack.person("Ann"), await slack.person("Ben")
    channel = await slack.channel("countries", ann, ben)
    countries = ("France", "Italy", "Spain")
    roots = await asyncio.gather(
        *(ann.says(f"{slack.mention} What is the capital of {country}?", channel) for country in countries)
    )
    answers = [(await replies(channel, 1, root))[0] for root in roots]
    seen = await channel.look()
    await asyncio.gather(*(ben.says("And which language do they speak?", channel, thread=root) for root in roots))
    for root in roots:
        await replies(channel, 2, root)

    sessions = [session for root in roots if (session := seen.thread(root.ts).session)]
    begun, ended = ([session.history[at][0] for session in sessions] for at in (0, -1))
    assert len(sessions) == 3
    assert max(begun) < min(ended)
    assert "Paris" in answers[0].text
    for root, country, answer in zip(roots, countries, answers, strict=True):
        texts = stage.texts(root.ts)
        assert texts[:3] == [f"What is the capital of {country}?", answer.text, "And which language do they speak?"]
        assert len(texts) == 4
    assert {message.root_ts for message in (await channel.look()).bots} == {root.ts for root in roots}


async def test_in_a_channel_whoever_calls_it_begins_a_dialogue_for_all(stage: Stage) -> None:
    slack = stage.slack
    ann, ben = await slack.person("Ann"), await slack.person("Ben")
    channel = await slack.channel("friends", ann, ben)
    aside = await ann.says("Rain again today.", channel)
    await ben.says("Rain, rain.", channel, thread=aside)
    asked = await ann.says(f"{slack.mention} {CAPITAL}", channel)
    [first] = await replies(channel)
    await ben.says("And of Italy?", channel, thread=asked)
    await replies(channel, 2, asked)
    await ann.says("Rain, rain, rain.", channel)
    await slack.settled()

    assert "Paris" in first.text
    assert [message.root_ts for message in (await channel.look()).bots] == [asked.ts] * 2
    assert stage.texts(asked.ts)[2] == "And of Italy?"
    query = "SELECT count(*) FROM inbox WHERE raw LIKE '%Rain%'"
    assert stage.assistant.rows(query) == [(0,)]
    assert stage.assistant.rows("SELECT count(*) FROM turns WHERE text LIKE '%Rain%' OR text LIKE '%<@%'") == [(0,)]


async def test_a_command_is_answered_for_one_persons_eyes(stage: Stage) -> None:
    slack = stage.slack
    ann, ben = await slack.person("Ann"), await slack.person("Ben")
    channel = await slack.channel("commands", ann, ben)
    assert (await ann.commands("/banter help", channel)).is_ack
    [told] = await channel.answers()
    assert (await ann.commands(f"/banter ask {CAPITAL}", channel)).is_ack
    [_, answer] = await channel.answers(2, timeout_s=REPLY_S)

    assert "/persona" in told.text
    assert "Paris" in answer.text
    assert {message.only_for for message in (told, answer)} == {ann.id}


async def test_an_edited_question_is_answered_anew(stage: Stage) -> None:
    ann = await stage.slack.person("Ann")
    asked = await ann.says(CAPITAL)
    [first] = await replies(ann.dm)
    await ann.edits(asked, "What is the capital of Italy?")
    [_, second] = await replies(ann.dm, 2)

    assert "Paris" in first.text
    assert "Rome" in second.text
    assert stage.texts(asked.ts)[0] == "What is the capital of Italy?"
    query = "SELECT count(*) FROM inbox WHERE inbound LIKE '%capital of France%' AND inbound LIKE ?"
    assert stage.assistant.rows(query, f"%{asked.ts}%") == [(0,)]


async def test_a_question_that_is_deleted_while_it_is_answered_takes_its_reply_along(stage: Stage) -> None:
    ann = await stage.slack.person("Ann")
    asked = await ann.says(f"{STORY} Name it Quokkaville.")
    await ann.dm.until(lambda channel: any(len(message.text) > 20 for message in channel.bots), REPLY_S)
    await ann.deletes(asked)
    await ann.dm.until(lambda channel: not channel.bots, REPLY_S)

    await stage.assistant.keeps([(0,)], "SELECT count(*) FROM inbox WHERE inbound LIKE '%Quokkaville%'")
    assert stage.texts(asked.ts) == []


async def test_a_question_that_is_deleted_is_forgotten(stage: Stage) -> None:
    ann = await stage.slack.person("Ann")
    asked = await ann.says(CAPITAL)
    await replies(ann.dm)
    regretted = await ann.says("My cat is called Quokka. What is the capital of Spain?", thread=asked)
    await replies(ann.dm, 2)
    await ann.deletes(regretted)
    await ann.says("What is the capital of Italy?", thread=asked)
    [first, _, third] = await replies(ann.dm, 3)

    assert stage.texts(asked.ts) == [CAPITAL, first.text, "What is the capital of Italy?", third.text]
    for table, column in (("turns", "text"), ("inbox", "raw"), ("inbox", "inbound"), ("deliveries", "text")):
        query = f"SELECT count(*) FROM {table} WHERE {column} LIKE '%Quokka%'"
        assert stage.assistant.rows(query) == [(0,)], table


async def test_another_reply_and_what_people_think_of_it(stage: Stage) -> None:
    ann = await stage.slack.person("Ann")
    asked = await ann.says(CAPITAL)
    [first] = await replies(ann.dm)
    assert (await ann.presses(BAD, first)).is_ack
    again = next(label for label in first.labels if label not in (GOOD, BAD))
    assert (await ann.presses(again, first)).is_ack
    [_, second] = await replies(ann.dm, 2)
    await ann.reacts("+1", second)

    joined = "feedback f JOIN turns t ON t.id = f.turn_id JOIN sessions s ON s.id = t.session_id WHERE s.thread = ?"
    told: list[tuple[object, ...]] = [("bad",), ("good",), ("regenerate",)]
    await stage.assistant.keeps(told, f"SELECT f.opinion FROM {joined} ORDER BY f.opinion", asked.ts)
    bad, good, regenerated = stage.assistant.rows(f"SELECT f.turn_id FROM {joined} ORDER BY f.opinion", asked.ts)
    assert bad == regenerated != good


async def test_whoever_wants_to_be_forgotten_is(stage: Stage) -> None:
    ann, ben = await stage.slack.person("Ann"), await stage.slack.person("Ben")
    mine = await ann.says(f"My name is Quetzalcoatlus. {CAPITAL}")
    other = await ben.says(CAPITAL)
    await replies(ann.dm)
    await replies(ben.dm)
    await ann.opens_app()
    shown = await ann.home()
    assert (await ann.presses_in_home("Forget me")).is_ack
    await ann.dm.until(lambda channel: any("forgotten" in message.text for message in channel.bots), REPLY_S)
    await stage.slack.called("views.publish", 2)
    emptied = await ann.home()

    assert f"My name is Quetzalcoatlus. {CAPITAL}" in shown.texts
    assert "There are none yet." in emptied.texts
    assert stage.texts(mine.ts) == []
    assert stage.texts(other.ts)[0] == CAPITAL
    for table, column in (("turns", "text"), ("inbox", "raw"), ("inbox", "inbound"), ("deliveries", "text")):
        query = f"SELECT count(*) FROM {table} WHERE {column} LIKE '%Quetzalcoatlus%'"
        assert stage.assistant.rows(query) == [(0,)], table


async def test_nothing_crosses_companies_in_a_shared_channel(stage: Stage) -> None:
    slack = stage.slack
    globex = await slack.team("Globex")
    theirs = await slack.installs(globex)
    ann, omar = await slack.person("Ann"), await slack.person("Omar", globex, theirs)
    bridge = await slack.channel("bridge", ann, omar, installs=[slack.install, theirs], shared_with=[globex])
    inside = await slack.channel("inside", ann)
    own = await ann.says(f"{slack.mention} Our margin is Ptarmigan. {CAPITAL}", inside)
    await replies(inside)
    secret = await omar.says("Our price is Wolverine.", bridge)
    await omar.edits(secret, "Our price is Wolverine again.", bridge)
    asked = await omar.says(f"{slack.mention} {CAPITAL}", bridge)
    [answer] = await replies(bridge)
    await omar.says("Wolverine, among us.", bridge, thread=asked)
    await omar.says(f"<@{theirs.bot_user_id}> Wolverine, for ours.", bridge, thread=asked)
    again = await ann.says(f"{slack.mention} And of Italy?", bridge, thread=asked)
    await replies(bridge, 2)
    session = stage.assistant.rows("SELECT id FROM sessions WHERE thread = ?", asked.ts)[0][0]
    prompt = await asyncio.to_thread(stage.assistant.home.banter, "sessions", "show", str(session), "--prompt")
    await slack.settled()

    assert "Paris" in answer.text
    assert [text for text in stage.texts(asked.ts) if text != answer.text][:2] == [CAPITAL, "And of Italy?"]
    assert await stage.assistant.holding("Wolverine") == []
    assert "Ptarmigan" in "".join(stage.texts(own.ts))
    assert "Ptarmigan" not in prompt.stdout
    assert CAPITAL in prompt.stdout
    assert {message.install for message in (await bridge.look()).bots} == {slack.install.id}
    assert [call.install for call in await slack.calls("chat.startStream") if call.install == theirs.id] == []
    assert again.ts not in {message.root_ts for message in (await bridge.look()).bots}
    assert len(whole(await bridge.look())) == 2
