"""A question in a channel is answered in a thread of its own, or in the channel where that can't be."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bots.sandbox.local_discord.accounts import May
from bots.sandbox.local_discord.limits import NO_RATES, Limits
from bots.sandbox.local_discord.options import Options
from core.dialogue import Opinion
from core.errors import MessageGone, PlatformError, PlatformRefused
from tests.integration.discord.sending import Stage, opinions_of, standing


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with standing() as stage:
        yield stage


async def test_a_question_is_answered_in_a_thread_that_has_its_id_and_its_words(stage: Stage) -> None:
    await stage.sent(stage.last("Water.", session_key=stage.threaded))

    (message,) = await stage.written(stage.thread)
    assert message.text == "Water."
    assert message.replies_to == ""
    (call,) = await stage.discord.calls("create_message")
    assert "message_reference" not in call.body  # it would stand in another channel
    assert opinions_of(message, stage.thread.id)[0] is Opinion.REGENERATE
    assert (await stage.thread.look()).name == "what is rain?"
    assert await stage.written() == []


async def test_the_thread_is_made_once_by_however_many_processes(stage: Stage) -> None:
    part = stage.part("Water.", session_key=stage.threaded)
    handles = {await stage.sender.open(part), await stage.start_anew().open(part), await stage.start_anew().open(part)}

    assert len(handles) == 1
    assert await stage.calls("thread_from_message") == 3
    await stage.sender.open(replace(part, part=1))
    assert await stage.calls("thread_from_message") == 3


async def test_later_questions_are_answered_in_their_thread_below_them(stage: Stage) -> None:
    await stage.sent(stage.last("Water.", session_key=stage.threaded))
    further = await stage.anna.says("and snow?", stage.thread)
    await stage.sent(stage.last("Ice.", session_key=stage.threaded, reply_to_id=further.id, token="other"))

    _, message = await stage.written(stage.thread)
    assert message.replies_to == further.id
    assert await stage.calls("thread_from_message") == 1


async def test_a_thread_is_named_once_it_is_understood_and_not_where_its_name_is_right(stage: Stage) -> None:
    await stage.sent(stage.last("Water.", session_key=stage.threaded))
    await stage.sender.name_thread(stage.threaded, "what is rain?")
    assert await stage.calls("edit_channel") == 0
    await stage.sender.name_thread(stage.threaded, "Rain " + "x" * 200)
    await stage.start_anew().name_thread(stage.threaded, "Rain at last")

    assert [name for _, name in (await stage.thread.look()).names][1:] == ["Rain " + "x" * 95, "Rain at last"]


async def test_a_name_that_comes_first_makes_the_thread(stage: Stage) -> None:
    await stage.sender.name_thread(stage.threaded, "Rain")
    await stage.sent(stage.last("Water.", session_key=stage.threaded))

    assert [name for _, name in (await stage.thread.look()).names] == ["Rain"]
    assert await stage.calls("thread_from_message") == 1


@pytest.mark.parametrize("denied", [May.CREATE_PUBLIC_THREADS, May.SEND_MESSAGES_IN_THREADS])
async def test_where_no_thread_can_be_begun_the_channel_is_written_in(denied: May) -> None:
    async with standing(denied=denied) as stage:
        part = stage.part("Wa", session_key=stage.threaded)
        handle = await stage.sender.open(part)
        await stage.sender.update(handle, replace(part, markdown="Water"))
        last = stage.last("Water.", session_key=stage.threaded)
        await stage.sender.close(handle, last)
        await stage.sender.name_thread(stage.threaded, "Rain")

        (message,) = await stage.written()
        assert message.texts == ["Wa", "Water", "Water."]
        assert message.replies_to == stage.question.id
        assert opinions_of(message, stage.place.id)[0] is Opinion.REGENERATE

        later = stage.start_anew()
        assert await later.find(part) == handle
        await later.close(handle, last)
        assert await stage.start_anew().open(last) == handle
        assert len(await stage.written()) == 1


async def test_a_process_that_was_not_there_then_changes_what_stands_in_the_channel() -> None:
    async with standing(denied=May.CREATE_PUBLIC_THREADS) as stage:
        handle = await stage.sender.open(stage.part("Wa", session_key=stage.threaded))
        await stage.start_anew().close(handle, stage.last("Water.", session_key=stage.threaded))

        (message,) = await stage.written()
        assert message.text == "Water."


async def test_a_channel_without_threads_is_written_in() -> None:
    async with standing(kind="voice") as stage:
        await stage.sent(stage.last("Water.", session_key=stage.threaded))
        (message,) = await stage.written()
        assert message.replies_to == stage.question.id


async def test_too_many_threads_are_no_reason_to_be_silent() -> None:
    async with standing(Options(rates=NO_RATES, limits=Limits(active_threads=0))) as stage:
        await stage.sent(stage.last("Water.", session_key=stage.threaded))
        assert [message.text for message in await stage.written()] == ["Water."]


async def test_a_post_of_a_forum_is_answered_in_it(stage: Stage) -> None:
    forum = await stage.server.forum("help", "bug")
    post = await stage.anna.posts("It rains", "Why?", forum, tags=["bug"])
    key = replace(stage.key, channel=forum.id, thread=post.id)
    await stage.sender.show_typing(key, post.id, "")
    await stage.sent(stage.last("Clouds.", session_key=key, reply_to_id=post.id))

    (message,) = await stage.written(post)
    assert message.text == "Clouds."
    assert opinions_of(message, post.id)[0] is Opinion.REGENERATE


async def test_a_question_that_was_deleted_gets_no_thread(stage: Stage) -> None:
    await stage.anna.deletes(stage.question, stage.place)
    await stage.sent(stage.last("Water.", session_key=stage.threaded))

    assert [message.text for message in await stage.written()] == ["Water."]


async def test_a_question_that_can_not_be_read_now_is_answered_all_the_same(stage: Stage) -> None:
    await stage.discord.fault("answer", "get_message", status=500, times=3)
    await stage.sent(stage.last("Water.", session_key=stage.threaded))

    assert [message.text for message in await stage.written(stage.thread)] == ["Water."]
    assert (await stage.thread.look()).name == "…"


async def test_a_thread_that_sleeps_is_woken_by_what_is_sent_and_for_what_is_changed(stage: Stage) -> None:
    part = stage.part("Wa", session_key=stage.threaded)
    handle = await stage.sender.open(part)
    await stage.thread.archive()
    await stage.sender.update(handle, replace(part, markdown="Water"))
    assert not (await stage.thread.look()).is_archived
    await stage.thread.archive()
    await stage.sender.close(handle, stage.last("Water.", session_key=stage.threaded))
    await stage.thread.archive()
    await stage.sent(stage.last("More.", 1, session_key=stage.threaded))
    await stage.thread.archive()
    await stage.sender.withdraw(handle, part)

    assert [message.text for message in await stage.written(stage.thread)] == ["More."]


async def test_a_locked_thread_is_a_refusal(stage: Stage) -> None:
    part = stage.part("Wa", session_key=stage.threaded)
    handle = await stage.sender.open(part)
    await stage.thread.lock()
    await stage.thread.archive()
    for call in (stage.sender.close(handle, part), stage.sender.open(replace(part, part=1))):
        with pytest.raises(PlatformRefused) as raised:
            await call
        assert not isinstance(raised.value, MessageGone)
    assert await stage.written() == []


async def test_a_deleted_thread_is_a_refusal_and_nothing_is_said_elsewhere(stage: Stage) -> None:
    part = stage.part("Wa", session_key=stage.threaded)
    handle = await stage.sender.open(part)
    await stage.thread.delete()
    for call in (stage.sender.close(handle, part), stage.sender.open(replace(part, part=1))):
        with pytest.raises(PlatformRefused):
            await call
    assert await stage.written() == []


@pytest.mark.parametrize("kind", ["drop_before", "drop_after", "answer", "answer_after"])
@pytest.mark.parametrize("operation", ["thread_from_message", "create_message"])
async def test_a_beginning_in_doubt_is_one_reply_in_one_thread(stage: Stage, kind: str, operation: str) -> None:
    part = stage.part("Wa", session_key=stage.threaded)
    await stage.discord.fault(kind, operation, **({"status": 500} if kind.startswith("answer") else {}))
    with pytest.raises(PlatformError):
        await stage.sender.open(part)

    sender = stage.start_anew()
    assert (await sender.find(part) is not None) == (operation == "create_message" and kind.endswith("after"))
    handle = await stage.patiently(lambda: sender.open(part))

    assert [message.id for message in await stage.written(stage.thread)] == [handle]
    assert await stage.written() == []
