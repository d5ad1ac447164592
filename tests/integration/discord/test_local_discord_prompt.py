"""The prompt of `banter sandbox discord`: lines are messages, what the bot does is printed."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bots.sandbox.discord_prompt import HELP, Prompt
from bots.sandbox.local_discord.driver import LocalDiscord
from bots.sandbox.local_discord.people import Person
from bots.sandbox.local_discord.places import Place
from bots.sandbox.local_discord.sights import MessageSeen
from tests.integration.discord.interacting import ASK, FORM, ROW, Interacting
from tests.integration.discord.plain_clients import Noting, Rest, online
from tests.integration.terminals import Terminal


@pytest.fixture
async def terminal(local: LocalDiscord, ann: Person, general: Place) -> AsyncIterator[Terminal]:
    """She sits at it until the end."""
    terminal = Terminal()
    prompting = asyncio.create_task(Prompt(local, ann, general, terminal.ask, terminal.write).run())
    yield terminal
    terminal.types(None)
    async with asyncio.timeout(20):
        await prompting


async def said(place: Place, text: str) -> MessageSeen:
    """What she typed, once it is there."""
    seen = await place.until(lambda seen: any(message.text == text for message in seen.messages))
    return next(message for message in seen.messages if message.text == text)


async def test_lines_are_messages_and_an_answer_is_printed_as_it_grows(
    rest: Rest, ann: Person, terminal: Terminal
) -> None:
    terminal.types("helo")
    await said(ann.dm, "helo")
    terminal.types(":edit hello")
    await said(ann.dm, "hello")
    posted = await rest.says(ann.dm.id, "I", components=[ROW])
    first = await terminal.next()
    await rest.edits(ann.dm.id, str(posted.body["id"]), "I say\x1b[2J")
    second = await terminal.next()
    terminal.types(":react 👍")
    seen = await ann.dm.until(lambda seen: bool(seen.bots[0].reactions))
    terminal.types(":help")

    assert first == "bot › I [Stop] [👍] [Off]"
    assert second == "bot ✎ … say[2J"
    assert seen.bots[0].reactions == {"👍": [ann.id]}
    assert await terminal.next() == HELP


async def test_a_server_and_its_threads_can_be_gone_to(
    local: LocalDiscord, rest: Rest, ann: Person, general: Place, terminal: Terminal
) -> None:
    terminal.types(":server")
    moved = await terminal.next()
    terminal.types("hello")
    asked = await said(general, f"{local.mention} hello")
    await rest.ask("POST", f"/channels/{general.id}/messages/{asked.id}/threads", {"name": "a talk"})
    terminal.types(":thread")
    entered = await terminal.next()
    terminal.types("and now?")
    await said(general.thread_of(asked), "and now?")
    await rest.says(asked.id, "here")
    near = await terminal.next()
    await rest.says(general.id, "there")
    far = await terminal.next()
    terminal.types(":dm")
    assert await terminal.next() == "(you are in the DM)"
    await rest.says(asked.id, "and here")
    other = await terminal.next()
    terminal.types("psst")

    assert (moved, entered) == ("(you are in #general)", "(you are in the thread “a talk”)")
    assert (near, far) == ("bot › here", "bot in #general › there")
    assert other == "bot in the thread “a talk” › and here"
    assert (await said(ann.dm, "psst")).author_id == ann.id


async def test_commands_buttons_and_modals_are_used(
    local: LocalDiscord, rest: Rest, ann: Person, terminal: Terminal
) -> None:
    await rest.ask("PUT", f"/applications/{local.application_id}/commands", [ASK])
    async with online(local, Noting()) as client:
        app = Interacting(client, rest)
        terminal.types("/ask why?")
        await app.next()
        await app.answers(4, {"content": "because", "components": [ROW]})
        answered = await terminal.next()
        terminal.types(":press stop")
        await app.next()
        await app.answers(9, FORM)
        opened = [await terminal.next() for _ in range(4)]
        terminal.types(":submit Colour=red")
        no_such = await terminal.next()
        terminal.types(":submit language = español")
        filled = await app.next()
        await app.answers(4, {"content": "saved", "flags": 64})
        saved = await terminal.next()
        terminal.types("/ask why?")
        await app.next()
        await local.advance(4)
        late = await terminal.next()
    terminal.types("/unknown")
    unknown = await terminal.next()
    terminal.types(":press Nothing")

    assert (answered, saved) == ("bot › because [Stop] [👍] [Off]", "bot to you alone › saved")
    assert opened[:3] == ["window › Settings", "  Language: English (English | Español)", "  Name: "]
    assert no_such == "(the window has Language, Name)"
    assert "'es'" in str(filled)
    assert late == "(the bot did not answer in time)"
    assert "there is no command unknown" in unknown
    assert await terminal.next() == "(nothing there is called Nothing)"
