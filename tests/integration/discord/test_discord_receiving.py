"""What people do on Discord reaches the core, in order, with everything that it needs to know."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from discord.http import Route

from adapters.discord.application import Wanted
from adapters.discord.lanes import LaneLimits
from bots.sandbox.local_discord.driver import LocalDiscord, local_discord
from bots.sandbox.local_discord.limits import NO_RATES
from bots.sandbox.local_discord.options import AppOptions, Options
from bots.sandbox.local_discord.people import Document, Person
from bots.sandbox.local_discord.places import Place, Server
from core.dialogue import Called, Deletion, Edit, Feedback, Opinion
from tests.integration.discord.receiving import Kept, Stage, at_work, connected, lines, listening, staged


@pytest.fixture
async def stage(discord: LocalDiscord, general: Place) -> AsyncIterator[Stage]:
    async with listening(discord) as stage:
        yield stage


async def test_a_direct_message_and_its_mark_are_kept(discord: LocalDiscord, stage: Stage, ann: Person) -> None:
    asked = await ann.says("hello")
    await stage.kept.says("hello")

    [said] = stage.kept.said
    assert (said.message_id, said.person.platform_id, said.person.name) == (asked.id, ann.id, "Ann")
    assert (said.session_key.bot, said.session_key.channel) == (discord.bot_id, ann.dm.id)
    assert said.called == Called(directly=True)
    await stage.kept.marks_up_to(f"@{ann.dm.id}", asked.id)


async def test_what_is_said_in_a_server_comes_with_roles_and_nicknames(
    discord: LocalDiscord, ann: Person, server: Server, general: Place
) -> None:
    role = await server.role("helpers", ann.id)
    await server.nickname(ann.id, "Annie")
    async with listening(discord) as stage:
        asked = await ann.says(f"{discord.mention} see <#{general.id}> and <@&{role}>", general)
        await stage.kept.says("see #general and @helpers")

    [said] = stage.kept.said
    assert (said.person.name, said.roles) == ("Annie", frozenset({role}))
    assert (said.session_key.channel, said.session_key.thread, said.wants_title) == (general.id, asked.id, True)


async def test_the_bots_own_role_calls_it(discord: LocalDiscord, stage: Stage, ann: Person, general: Place) -> None:
    guild = general.guild_id
    await ann.says(f"<@&{stage.servers.own_role(guild)}> hi", general)
    await stage.kept.says("hi")

    assert stage.kept.said[0].called == Called(by_mention=True)


async def test_a_thread_and_a_post_are_known_when_something_is_said_in_them(
    stage: Stage, ann: Person, server: Server, general: Place
) -> None:
    thread = await ann.begins_thread("rain", general)
    await ann.says("in the thread", thread)
    forum = await server.forum("help", "bug", "idea")
    post = await ann.posts("It broke", "what now?", forum, tags=["bug"])
    await stage.kept.says("in the thread", "It broke\n[bug]\n\nwhat now?")

    keys = {said.text: said.session_key for said in stage.kept.said}
    assert (keys["in the thread"].channel, keys["in the thread"].thread) == (general.id, thread.id)
    [posted] = [key for text, key in keys.items() if text.startswith("It broke")]
    assert (posted.channel, posted.thread) == (forum.id, post.id)


async def test_a_thread_that_nobody_told_of_is_asked_for_once(stage: Stage, ann: Person, general: Place) -> None:
    thread = await ann.begins_thread("rain", general)
    async with asyncio.timeout(10):
        while stage.servers.place(thread.id) is None:  # noqa: ASYNC110 - nothing else asks
            await asyncio.sleep(0.01)
    stage.servers.learn("THREAD_DELETE", {"id": thread.id})
    await ann.says("one", thread)
    await ann.says("two", thread)
    await stage.kept.says("one", "two")

    assert {said.session_key.channel for said in stage.kept.said} == {general.id}
    assert len(await stage.discord.calls("get_channel")) == 1


async def test_edits_and_deletions_of_messages_that_came_before_this_process_are_heard(
    discord: LocalDiscord, ann: Person, general: Place
) -> None:
    kept = await ann.says(f"{discord.mention} one", general)
    gone = await ann.says(f"{discord.mention} two", general)
    async with listening(discord) as stage:
        await ann.edits(kept, f"{discord.mention} one and a half", general)
        await ann.deletes(gone, general)
        await stage.kept.until(lambda kept: len(kept.arrivals) == 2)
        edit, deletion = (one.inbound for one in stage.kept.arrivals)

    assert isinstance(edit, Edit)
    assert (edit.message_id, edit.text, bool(edit.revision)) == (kept.id, "one and a half", True)
    assert isinstance(deletion, Deletion)
    assert (deletion.message_id, deletion.session_key.channel) == (gone.id, general.id)


async def test_a_thumb_tells_its_message_and_what_is_taken_back(stage: Stage, ann: Person, general: Place) -> None:
    route = Route("POST", "/channels/{channel_id}/messages", channel_id=general.id)
    await stage.rest.request(route, json={"content": "it is"})
    [speak] = await general.answers()
    await ann.reacts("👍", speak, general)
    await ann.takes_back("👍", speak, general)
    await stage.kept.until(lambda kept: sum(isinstance(one.inbound, Feedback) for one in kept.arrivals) == 2)

    good, back = (one.inbound for one in stage.kept.arrivals if isinstance(one.inbound, Feedback))
    assert isinstance(good, Feedback)
    assert isinstance(back, Feedback)
    assert (good.opinion, good.is_withdrawn, back.is_withdrawn) == (Opinion.GOOD, False, True)
    assert good.event_id != back.event_id


async def test_a_file_is_told_by_what_gives_it_out(stage: Stage, ann: Person) -> None:
    asked = await ann.says("read this", files=[Document("a.txt", b"words")])
    await stage.kept.says("read this")

    [file] = stage.kept.said[0].attachments
    assert (file.name, file.size_bytes) == ("a.txt", 5)
    assert file.handle.startswith(f"{ann.dm.id}/{asked.id}/")
    assert "http" not in stage.kept.arrivals[0].raw  # its address is signed for whoever holds it


async def test_without_the_intent_only_who_calls_the_bot_is_heard(ann: Person) -> None:
    options = Options(app=AppOptions(message_content=False), rates=NO_RATES)
    async with local_discord(options) as discord:
        bea = await discord.person("Bea")
        general = await (await discord.guild("Friends", bea)).channel("general", "text")
        async with listening(discord) as stage:
            await bea.says("nobody hears this", general)
            await bea.says(f"{discord.mention} hi", general)
            await bea.says("and this", bea.dm)
            await stage.kept.says("hi", "and this")
            assert len((await discord.look()).identifies) == 1  # it was not refused: the flags were asked for


async def test_an_intent_that_is_refused_is_done_without_and_that_is_said_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    options = Options(app=AppOptions(message_content=False), rates=NO_RATES)
    async with local_discord(options) as discord:
        bea = await discord.person("Bea")
        async with listening(discord, content=Wanted.ON) as stage:
            await bea.says("hello")
            await stage.kept.says("hello")

    assert sum("Message Content intent is switched off" in line for line in lines(caplog)) == 1


async def test_a_wrong_token_is_said_once_and_the_right_one_goes_on(
    discord: LocalDiscord, ann: Person, caplog: pytest.LogCaptureFixture
) -> None:
    async with staged(discord) as stage:
        await discord.fault("answer", "me", times=3, after=1, status=401, error="0")
        async with at_work(stage) as task:
            await connected(stage, task)
            await ann.says("hello")
            await stage.kept.says("hello")

    assert sum("does not know the token" in line for line in lines(caplog)) == 1
    assert discord.token not in caplog.text


async def test_one_channel_that_can_t_be_kept_keeps_no_other_waiting(
    discord: LocalDiscord, ann: Person, general: Place
) -> None:
    async with listening(discord, lanes=LaneLimits(events=2)) as stage:
        stage.kept.is_away = True
        for number in range(8):
            await ann.says(f"{number}", general)
        await stage.kept.until(lambda kept: kept.calls > 3)
        stage.kept.is_away = False
        await stage.kept.says(*map(str, range(8)))
        newest = stage.kept.said[-1]
        await stage.kept.marks_up_to(general.id, max(said.message_id for said in stage.kept.said))
        assert newest.session_key.channel == general.id


async def test_interactions_go_to_whoever_answers_them(stage: Stage, discord: LocalDiscord) -> None:
    await discord.send_event("INTERACTION_CREATE", {"id": "900000000000000001", "type": 2, "token": "a-token"})
    async with asyncio.timeout(10):
        while not stage.interactions.received:  # noqa: ASYNC110 - nothing else asks
            await asyncio.sleep(0.01)

    assert stage.interactions.received[0]["id"] == "900000000000000001"
    assert stage.kept.arrivals == []


async def test_a_channel_is_marked_when_it_is_made_so_that_its_first_words_can_be_fetched(
    discord: LocalDiscord, ann: Person, server: Server, general: Place
) -> None:
    """Without that mark it would look like one that was hidden before, once something was said elsewhere."""
    kept = Kept()
    async with listening(discord, kept):
        made = await server.channel("made", "text")
        thread = await ann.begins_thread("rain", general)
        await kept.marks_up_to(made.id, str(int(made.id) - 1))
        await kept.marks_up_to(thread.id, str(int(thread.id) - 1))
        await ann.says("elsewhere", general)
        await kept.says("elsewhere")
    await ann.says("first words", made)
    async with listening(discord, kept):
        await kept.says("elsewhere", "first words")
