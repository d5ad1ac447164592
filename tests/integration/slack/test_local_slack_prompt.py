"""The prompt of `banter sandbox slack`: lines are messages, what the app does is printed."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bots.sandbox.json_values import object_in
from bots.sandbox.local_slack.driver import LocalSlack
from bots.sandbox.local_slack.people import Person
from bots.sandbox.local_slack.sights import MessageSeen
from bots.sandbox.slack_prompt import HELP, Prompt
from tests.integration.slack.test_local_slack_interactions import BLOCKS, HOME
from tests.integration.terminals import Terminal


@pytest.fixture
async def terminal(ann: Person) -> AsyncIterator[Terminal]:
    """She sits at it until the end."""
    terminal = Terminal()
    prompting = asyncio.create_task(Prompt(ann, ann.dm, terminal.ask, terminal.write).run())
    yield terminal
    terminal.types(None)
    async with asyncio.timeout(20):
        await prompting


async def said(ann: Person, text: str) -> MessageSeen:
    """What she typed, once it is there."""
    seen = await ann.dm.until(lambda dm: any(message.text == text for message in dm.messages))
    return next(message for message in seen.messages if message.text == text)


async def test_lines_are_messages_of_one_thread_and_a_stream_is_printed_as_it_grows(
    client: AsyncWebClient, ann: Person, terminal: Terminal
) -> None:
    terminal.types("hello :)")
    asked = await said(ann, "hello :)")
    ts = (await client.chat_startStream(channel=ann.dm.id, thread_ts=asked.ts))["ts"]
    await client.chat_appendStream(channel=ann.dm.id, ts=ts, markdown_text="I")
    first = await terminal.next()
    await client.chat_appendStream(channel=ann.dm.id, ts=ts, markdown_text=" say\x1b[2J")
    second = await terminal.next()
    await client.chat_stopStream(channel=ann.dm.id, ts=ts, markdown_text=" hello", blocks=BLOCKS)
    third = await terminal.next()
    terminal.types("again")
    again = await said(ann, "again")
    terminal.types(":new")
    terminal.types("something else")
    other = await said(ann, "something else")

    assert [first, second, third] == ["bot › I", "bot ✎ … say[2J", "bot ✎ … hello [Stop] [Good] [Bad]"]
    assert (again.thread_ts, other.thread_ts) == (asked.ts, "")


async def test_messages_are_changed_and_work_is_stopped(
    slack: LocalSlack, client: AsyncWebClient, ann: Person, terminal: Terminal
) -> None:
    terminal.types("helo")
    asked = await said(ann, "helo")
    terminal.types(":edit hello")
    await said(ann, "hello")
    terminal.types(":stop")
    refused = await terminal.next()
    await client.agents_sessions_setStatus(channel_id=ann.dm.id, thread_ts=asked.ts, status="processing")
    terminal.types(":stop")
    terminal.types(":help")
    await terminal.next()
    (stopped,) = await slack.deliveries("agent_session_stopped")

    assert "no session is processing" in refused
    assert object_in(stopped.body["event"])["thread_ts"] == asked.ts


async def test_buttons_are_pressed_and_the_home_is_shown(
    client: AsyncWebClient, ann: Person, terminal: Terminal
) -> None:
    terminal.types(":press Go")
    nothing = await terminal.next()
    await client.views_publish(user_id=ann.id, view=HOME)
    terminal.types(":home")
    home = [await terminal.next(), await terminal.next()]
    terminal.types("/unknown x")
    unknown = await terminal.next()
    terminal.types(":help")

    assert nothing == "(nothing there is called Go)"
    assert home == ["home › Hello", "[Stop]"]
    assert "not a valid command" in unknown
    assert await terminal.next() == HELP
