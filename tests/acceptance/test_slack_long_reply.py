"""Replies that one stream of Slack's can't hold. No small model writes one, so a scripted server does."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bots.sandbox.local_slack.driver import LocalSlack, local_slack
from bots.sandbox.local_slack.sights import MessageSeen
from core.generation.models import ResolvedModel
from tests.acceptance.conftest import Home, link_model
from tests.acceptance.programs import REPLY_S
from tests.acceptance.slack_assistants import replies, slack_assistant, whole
from tests.acceptance.test_openai_chat import variables
from tests.acceptance.test_telegram_long_reply import LONG, MARK, pieces, units
from tests.acceptance.test_telegram_trouble import halting
from tests.integration.local_openai import CHAT, DONE, Answer, LocalOpenAI, spaced, words

#: Of one stream, with a margin below what Slack takes; of a message that is changed.
_STREAM_UNITS, _EDITED_UNITS = 9000, 3900
#: After this Slack ends a stream.
_TOO_OLD_S = 301.0
_PIECE_S = 0.045


@pytest.fixture
def home(empty_home: Home, default_model: ResolvedModel) -> Home:
    link_model(default_model, empty_home.cache)
    return empty_home


@pytest.fixture
async def slack() -> AsyncIterator[LocalSlack]:
    async with local_slack() as slack:
        yield slack


def slowly() -> Answer:
    """The long reply, within about ten seconds."""
    return Answer([*spaced(words(CHAT, *pieces(LONG)), _PIECE_S), DONE])


def comes_whole(parts: list[MessageSeen], limit_units: int) -> None:
    """All of it, once and in its order; nothing that was seen was ever taken back, and only the end has buttons."""
    assert len(LONG) > 2 * limit_units
    assert [mark for part in parts for mark in MARK.findall(part.text)] == MARK.findall(LONG)
    assert all(units(part.raw) <= limit_units for part in parts)
    assert all(part.text.count("```") % 2 == 0 for part in parts)
    assert [bool(part.labels) for part in parts] == [False] * (len(parts) - 1) + [True]
    assert not any(part.fires for part in parts)


async def test_a_reply_that_is_too_long_for_a_stream_goes_on_in_the_next_one(
    home: Home, slack: LocalSlack, local_openai: LocalOpenAI
) -> None:
    ann = await slack.person("Ann")
    async with slack_assistant(home, slack, variables(local_openai)) as assistant:
        local_openai.answers = [slowly()]
        await ann.says("Tell me everything.")
        parts = (await ann.dm.until(lambda channel: len(whole(channel)) == 1, REPLY_S)).bots

    comes_whole(parts, _STREAM_UNITS)
    streamed = [part for part in parts if part.stream is not None]
    assert len(streamed) >= 2
    for part in streamed:
        assert all(later.startswith(before) for before, later in zip(part.texts, part.texts[1:], strict=False))
    assert await slack.calls("chat.update") == []
    assert assistant.rows("SELECT text FROM turns WHERE role = 'assistant'") == [(LONG,)]
    assert await slack.excesses() == {}


async def test_where_there_are_no_streams_a_long_reply_is_posted_and_changed(
    home: Home, slack: LocalSlack, local_openai: LocalOpenAI
) -> None:
    await slack.take_streams_away()
    ann, go_on = await slack.person("Ann"), asyncio.Event()
    local_openai.answers = [halting(go_on)]
    async with slack_assistant(home, slack, variables(local_openai)) as assistant:
        asked = await ann.says("One")
        await slack.called("chat.startStream", timeout_s=REPLY_S)  # so that the program knows it by now
        go_on.set()
        [first] = await replies(ann.dm)
        local_openai.answers = [slowly()]
        again = await ann.says("Tell me everything.")
        [*_, last] = await replies(ann.dm, 1, again)
        parts = (await ann.dm.look()).in_thread(again.ts)

    assert first.root_ts == asked.ts
    assert last.ts == parts[-1].ts
    comes_whole(parts, _EDITED_UNITS)
    assert len(await slack.calls("chat.update")) >= 3
    assert any(len(part.versions) > 1 for part in parts[:-1])
    assert assistant.rows("SELECT text FROM turns WHERE role = 'assistant' ORDER BY id")[1] == (LONG,)
    assert await slack.excesses() == {}


async def test_a_stream_that_slack_found_too_old_is_made_whole(
    home: Home, slack: LocalSlack, local_openai: LocalOpenAI
) -> None:
    ann, go_on = await slack.person("Ann"), asyncio.Event()
    local_openai.answers = [halting(go_on)]
    async with slack_assistant(home, slack, variables(local_openai)):
        await ann.says("One")
        await ann.dm.until(lambda channel: any("Once upon" in message.text for message in channel.bots), REPLY_S)
        await slack.advance(_TOO_OLD_S)
        go_on.set()
        [reply] = await replies(ann.dm)

    assert reply.text == "Once upon a time there was an end."
    assert reply.stream is not None
    assert reply.stream.state == "expired"
    assert len((await ann.dm.look()).bots) == 1
