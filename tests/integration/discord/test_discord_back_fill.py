"""What was said while nobody listened is fetched: once, in its order, and politely where it was long ago."""

from adapters.discord.lanes import LaneLimits
from bots.sandbox.local_discord.accounts import May
from bots.sandbox.local_discord.driver import LocalDiscord
from bots.sandbox.local_discord.people import Person
from bots.sandbox.local_discord.places import Place, Server
from core.dialogue import InboundMessage
from tests.integration.discord.receiving import Kept, at_work, connected, listening, staged


async def test_what_was_said_before_the_bot_first_came_is_nobodys_business(
    discord: LocalDiscord, ann: Person, general: Place, kept: Kept
) -> None:
    before = await ann.says(f"{discord.mention} long ago", general)
    async with listening(discord, kept):
        await ann.says("hello")
        await kept.says("hello")

    assert kept.marks[general.id] == int(before.id)
    assert await discord.calls("get_messages") == []


async def test_what_was_said_while_it_was_down_is_fetched_from_channels_threads_posts_and_dms(
    discord: LocalDiscord, ann: Person, server: Server, general: Place, kept: Kept
) -> None:
    forum = await server.forum("help", "bug")
    thread = await ann.begins_thread("rain", general)
    async with listening(discord, kept):
        await ann.says("hello")
        await ann.says("in the thread", thread)
        await kept.says("hello", "in the thread")
    await ann.says("in the DM")
    asked = await ann.says(f"{discord.mention} in the channel", general)
    await ann.says("more in the thread", thread)
    made = await ann.begins_thread("snow", general, asked)
    await ann.says("in a new thread", made)
    await ann.posts("It broke", "in a post", forum, tags=["bug"])
    late = await server.channel("late", "text")
    await ann.says("in a new channel", late)
    heard = ["hello", "in the thread"]
    missed = ["in the DM", "in the channel", "more in the thread", "in a new thread", "in a new channel"]
    async with listening(discord, kept):
        await kept.says(*heard, *missed, "It broke\n[bug]\n\nin a post")

    keys = {said.text: said.session_key for said in kept.said}
    assert (keys["in the channel"].channel, keys["in the channel"].thread) == (general.id, asked.id)
    assert keys["in a new thread"] == keys["in the channel"]
    assert keys["in the DM"] == keys["hello"]
    assert not any(said.is_late for said in kept.said)


async def test_a_fetched_message_has_the_roles_and_the_name_of_who_said_it(
    discord: LocalDiscord, ann: Person, server: Server, general: Place, kept: Kept
) -> None:
    role = await server.role("helpers", ann.id)
    await server.nickname(ann.id, "Annie")
    async with listening(discord, kept):
        await ann.says("good morning", general)
        await kept.says("good morning")
    await ann.says(f"{discord.mention} hi", general)
    await ann.says(f"{discord.mention} hi again", general)
    async with listening(discord, kept):
        await kept.says("good morning", "hi", "hi again")

    assert (kept.said[-1].person.name, kept.said[-1].roles) == ("Annie", frozenset({role}))
    assert len(await discord.calls("guild_member")) == 1


async def test_hundreds_of_messages_come_in_their_order_and_each_page_is_marked(
    discord: LocalDiscord, ann: Person, general: Place, kept: Kept
) -> None:
    async with listening(discord, kept):
        await ann.says("0", general)
        await kept.says("0")
    said = [await ann.says(f"{number}", general) for number in range(1, 251)]
    async with listening(discord, kept):
        await kept.says(*map(str, range(251)))

    assert kept.texts == [str(number) for number in range(251)]
    assert kept.marks[general.id] == int(said[-1].id)
    assert [batch for batch in kept.batches if batch > 1] == [100, 100, 50]


async def test_what_was_deleted_or_edited_meanwhile_is_fetched_as_it_is(
    discord: LocalDiscord, ann: Person, general: Place, kept: Kept
) -> None:
    async with listening(discord, kept):
        await ann.says("0", general)
        await kept.says("0")
    edited = await ann.says("one", general)
    await ann.edits(edited, "one and a half", general)
    gone = await ann.says("two", general)
    await ann.deletes(gone, general)
    async with listening(discord, kept):
        await kept.says("0", "one and a half")


async def test_a_thread_that_was_put_away_meanwhile_is_fetched(
    discord: LocalDiscord, ann: Person, general: Place, kept: Kept
) -> None:
    thread = await ann.begins_thread("tides", general)
    async with listening(discord, kept):
        await ann.says("0", thread)
        await kept.says("0")
    missed = await ann.says("1", thread)
    await thread.archive()
    async with listening(discord, kept):
        await kept.says("0", "1")
        await kept.marks_up_to(thread.id, missed.id)

    assert {said.session_key.thread for said in kept.said} == {thread.id}
    assert {said.session_key.channel for said in kept.said} == {general.id}


async def test_a_thread_that_is_woken_is_fetched_before_its_mark_moves(
    discord: LocalDiscord, ann: Person, general: Place, kept: Kept
) -> None:
    thread = await ann.begins_thread("tides", general)
    async with listening(discord, kept):
        await ann.says("0", thread)
        await kept.says("0")
    await ann.says("1", thread)
    await thread.archive()
    await discord.fault("answer", "get_channel", times=1000, status=503)
    async with staged(discord, kept) as stage, at_work(stage):
        await discord.called("get_channel")
        newest = await ann.says("2", thread)
        await kept.until(lambda kept: {"0", "1", "2"} <= set(kept.texts))
        await kept.marks_up_to(thread.id, newest.id)


async def test_a_thread_that_is_gone_is_asked_for_once(
    discord: LocalDiscord, ann: Person, general: Place, kept: Kept
) -> None:
    thread = await ann.begins_thread("tides", general)
    async with listening(discord, kept):
        await ann.says("0", thread)
        await kept.says("0")
    await thread.delete()
    async with listening(discord, kept):
        await discord.called("get_channel")
        await ann.says("1", general)
        await kept.says("0", "1")

    assert len(await discord.calls("get_channel")) == 1


async def test_a_channel_that_may_not_be_read_is_not_asked_for(
    discord: LocalDiscord, ann: Person, general: Place, kept: Kept
) -> None:
    async with listening(discord, kept):
        await ann.says("0", general)
        await kept.says("0")
    missed = await ann.says("1", general)
    await general.deny(May.READ_MESSAGE_HISTORY)
    async with listening(discord, kept):
        await kept.marks_up_to(general.id, missed.id)

    assert await discord.calls("get_messages") == []


async def test_a_channel_that_is_refused_all_the_same_is_passed_and_others_are_fetched(
    discord: LocalDiscord, ann: Person, general: Place, kept: Kept
) -> None:
    async with listening(discord, kept):
        await ann.says("0", general)
        await ann.says("0")
        await kept.says("0", "0")
    missed = await ann.says("1", general)
    await ann.says("hello")
    await discord.fault("answer", "get_messages", status=403, error="50001", channel=general.id)
    async with listening(discord, kept):
        await kept.says("0", "0", "hello")
        await kept.marks_up_to(general.id, missed.id)


async def test_an_answer_that_does_not_come_is_asked_for_again(
    discord: LocalDiscord, ann: Person, general: Place, kept: Kept
) -> None:
    async with listening(discord, kept):
        await ann.says("0", general)
        await kept.says("0")
    await ann.says("1", general)
    await discord.fault("drop_before", "get_messages", times=2)
    async with listening(discord, kept):
        await kept.says("0", "1")


async def test_no_mark_moves_past_what_was_not_kept_when_the_process_is_killed(
    discord: LocalDiscord, ann: Person, general: Place, kept: Kept
) -> None:
    async with listening(discord, kept):
        first = await ann.says("0", general)
        await kept.says("0")
        await kept.marks_up_to(general.id, first.id)
        kept.opened.clear()  # the commit hangs, and the process ends meanwhile
        await ann.says("1", general)
        await kept.until(lambda kept: kept.calls > 2)
    assert kept.marks[general.id] == int(first.id)
    kept.opened.set()
    async with listening(discord, kept):
        await kept.says("0", "1")


async def test_a_copy_that_was_kept_without_its_mark_is_handed_over_again_as_the_same(
    discord: LocalDiscord, ann: Person, general: Place, kept: Kept
) -> None:
    async with listening(discord, kept):
        first = await ann.says("0", general)
        await kept.says("0")
        await kept.marks_up_to(general.id, first.id)
        await ann.says("1", general)
        await kept.says("0", "1")
    kept.marks[general.id] = int(first.id)  # killed between the commit and the mark
    async with listening(discord, kept):
        await kept.until(lambda kept: sum(_is_said(one.inbound, "1") for one in kept.arrivals) == 2)

    assert len({one.inbound.event_key for one in kept.arrivals if isinstance(one.inbound, InboundMessage)}) == 2


async def test_while_the_database_is_away_memory_is_bounded_and_nothing_is_lost(
    discord: LocalDiscord, ann: Person, server: Server, general: Place, kept: Kept
) -> None:
    other = await server.channel("other", "text")
    async with listening(discord, kept, lanes=LaneLimits(events=10, all_events=15)):
        kept.is_away = True
        for number in range(60):
            await ann.says(f"{number}", general)
            await ann.says(f"other {number}", other)
        await ann.says("hello")
        kept.is_away = False
        await kept.says("hello", *map(str, range(60)), *(f"other {number}" for number in range(60)))
        newest = await ann.says("after it", general)
        await kept.marks_up_to(general.id, newest.id)


async def test_live_messages_move_no_mark_before_their_channel_has_caught_up(
    discord: LocalDiscord, ann: Person, general: Place, kept: Kept
) -> None:
    async with listening(discord, kept):
        first = await ann.says("0", general)
        await kept.says("0")
    await ann.says("missed", general)
    await discord.fault("delay_before", "get_messages", seconds=1.0)
    async with staged(discord, kept) as stage, at_work(stage) as task:
        await discord.connected(1)
        await discord.called("get_messages", 1)
        await ann.says("live", general)
        await kept.until(lambda kept: "live" in kept.texts)
        assert kept.marks[general.id] == int(first.id)
        await connected(stage, task)
        await kept.says("0", "live", "missed")
        newest = await ann.says("later", general)
        await kept.marks_up_to(general.id, newest.id)


async def test_a_session_that_can_t_be_resumed_is_followed_by_fetching(
    discord: LocalDiscord, ann: Person, general: Place, kept: Kept
) -> None:
    async with listening(discord, kept):
        await ann.says("0", general)
        await kept.says("0")
        await discord.go_away()
        await discord.forget_sessions()
        await ann.says("missed", general)
        await discord.come_back()
        await kept.says("0", "missed")
        await ann.says("live", general)
        await kept.says("0", "missed", "live")


async def test_a_server_that_failed_for_a_while_is_looked_through_again(
    discord: LocalDiscord, ann: Person, server: Server, general: Place, kept: Kept
) -> None:
    async with listening(discord, kept):
        await ann.says("0", general)
        await kept.says("0")
        await server.fails()
        await ann.says("meanwhile", general)
        await server.recovers()
        await kept.says("0", "meanwhile")


def _is_said(inbound: object, text: str) -> bool:
    return isinstance(inbound, InboundMessage) and inbound.text == text
