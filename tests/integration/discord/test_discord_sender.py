"""The sender on the local Discord: what people see of a reply."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bots.sandbox.local_discord.accounts import May
from core.dialogue import Opinion
from core.errors import MessageGone, PlatformRefused
from tests.integration.discord.sending import Stage, opinions_of, standing


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with standing() as stage:
        yield stage


async def test_a_reply_grows_in_one_message_below_the_question(stage: Stage) -> None:
    handle = await stage.sender.open(stage.part("Rain"))
    await stage.sender.update(handle, stage.part("Rain is"))
    await stage.sender.close(handle, stage.last("Rain is water."))

    (message,) = await stage.written()
    assert message.id == handle
    assert message.texts == ["Rain", "Rain is", "Rain is water."]
    assert message.replies_to == stage.question.id
    assert message.hides_embeds
    assert not message.is_silent
    assert message.pings.replied == stage.anna.id


async def test_it_can_be_stopped_while_it_grows_and_judged_when_it_is_whole(stage: Stage) -> None:
    handle = await stage.sender.open(stage.part("Rain"))
    (message,) = await stage.written()
    assert opinions_of(message, stage.place.id) == [Opinion.STOP]

    await stage.sender.close(handle, stage.last("Rain."))
    (message,) = await stage.written()
    assert opinions_of(message, stage.place.id) == [Opinion.REGENERATE, Opinion.GOOD, Opinion.BAD]
    assert message.hides_embeds


async def test_a_part_with_a_successor_has_no_buttons_and_later_ones_make_no_sound(stage: Stage) -> None:
    first = await stage.sender.open(stage.part("one"))
    await stage.sender.close(first, stage.part("one", is_closed=True))
    await stage.sent(stage.last("two", 1))

    one, two = await stage.written()
    assert one.labels == []
    assert len(two.labels) == 3
    assert (one.is_silent, two.is_silent) == (False, True)
    assert (one.pings.replied, two.pings.replied) == (stage.anna.id, "")
    assert two.replies_to == stage.question.id


async def test_nobody_is_called_by_what_a_model_wrote(stage: Stage) -> None:
    await stage.server.add_bot(May(~0 & (1 << 40) - 1))
    text = f"@everyone @here {stage.anna.mention} <@&{stage.server.id}>"
    handle = await stage.sender.open(stage.part(text))
    await stage.sender.update(handle, stage.part(text + " again"))
    await stage.sender.close(handle, stage.last(text + " and again"))
    await stage.sent(stage.last(text, 1))

    assert not any(message.is_pinging for message in await stage.written())


async def test_sending_again_gives_the_same_message(stage: Stage) -> None:
    part = stage.part("Rain")
    handles = {await stage.sender.open(part), await stage.sender.open(part), await stage.start_anew().open(part)}

    (message,) = await stage.written()
    assert handles == {message.id}
    assert message.repeats == 2


async def test_a_deleted_message_is_told_of_at_the_end_and_sent_anew(stage: Stage) -> None:
    handle = await stage.sender.open(stage.part("Rain"))
    await stage.place.delete_messages(*await stage.written())
    await stage.sender.update(handle, stage.part("Rain is"))
    await stage.sender.update(handle, stage.part("Rain is w"))
    assert await stage.calls("edit_message") == 1
    with pytest.raises(MessageGone):
        await stage.sender.close(handle, stage.last("Rain is water."))

    again = await stage.sent(stage.last("Rain is water."))

    (message,) = await stage.written()
    assert message.id == again != handle
    assert message.text == "Rain is water."


async def test_a_needless_part_is_taken_away_as_often_as_asked(stage: Stage) -> None:
    handle = await stage.sender.open(stage.part("too much", 1))
    for _ in range(2):
        await stage.sender.withdraw(handle, stage.part("", 1, is_closed=True))

    assert await stage.written() == []


async def test_typing_is_shown_where_the_reply_will_stand_and_makes_no_thread(stage: Stage) -> None:
    await stage.sender.show_typing(stage.key, stage.question.id, "")
    await stage.sender.show_typing(stage.threaded, stage.question.id, "")
    seen = await stage.place.look()
    assert [who for _, who in seen.typing] == [stage.discord.bot_id] * 2
    assert await stage.calls("thread_from_message") == 0

    await stage.sender.open(stage.part("Rain", session_key=stage.threaded))
    await stage.sender.show_typing(stage.threaded, stage.question.id, "")
    assert len((await stage.thread.look()).typing) == 1
    await stage.sender.end_typing(stage.threaded, stage.question.id)


async def test_a_reply_to_nobody_stands_by_itself(stage: Stage) -> None:
    await stage.sent(stage.last("Good morning.", reply_to_id=""))

    (message,) = await stage.written()
    assert message.replies_to == ""


async def test_a_direct_message_is_answered_in_it() -> None:
    async with standing(is_direct=True) as stage:
        await stage.sent(stage.last("Water."))
        (message,) = await stage.written()
        assert message.text == "Water."
        assert message.replies_to == stage.question.id
        assert opinions_of(message, stage.place.id)[0] is Opinion.REGENERATE


async def test_a_person_who_takes_no_direct_messages_ends_that_reply_alone() -> None:
    async with standing(is_direct=True) as stage:
        shy = await stage.discord.person("Shy", takes_dms=False)
        with pytest.raises(PlatformRefused, match="50007"):
            await stage.sender.open(stage.part("hi", session_key=replace(stage.key, channel=shy.dm.id), reply_to_id=""))
        await stage.sent(stage.last("Water."))


@pytest.mark.parametrize("denied", [May.SEND_MESSAGES, May.VIEW_CHANNEL])
async def test_a_channel_in_which_the_bot_may_not_write_is_a_refusal(denied: May) -> None:
    async with standing(denied=denied) as stage:
        with pytest.raises(PlatformRefused, match=r"\(50001\)|\(50013\)"):
            await stage.sender.open(stage.part("Rain"))
        assert await stage.written() == []


async def test_where_the_bot_may_not_read_what_was_said_it_answers_without_pointing_at_it() -> None:
    async with standing(denied=May.READ_MESSAGE_HISTORY) as stage:
        await stage.sender.open(stage.part("Rain"))
        (message,) = await stage.written()
        assert message.replies_to == ""


async def test_a_question_that_was_deleted_is_answered_by_itself(stage: Stage) -> None:
    await stage.anna.deletes(stage.question, stage.place)
    await stage.sender.open(stage.part("Rain"))
    assert [message.text for message in await stage.written()] == ["Rain"]


async def test_a_server_that_threw_the_bot_out_is_a_refusal(stage: Stage) -> None:
    handle = await stage.sender.open(stage.part("Rain"))
    await stage.server.kick_bot()
    with pytest.raises(PlatformRefused):
        await stage.sender.close(handle, stage.last("Rain."))
    with pytest.raises(PlatformRefused):
        await stage.sender.find(stage.part("Rain", 1))


async def test_a_channel_that_was_deleted_is_a_refusal(stage: Stage) -> None:
    handle = await stage.sender.open(stage.part("Rain"))
    await stage.place.delete()
    for call in (stage.sender.close(handle, stage.last("Rain.")), stage.sender.open(stage.part("Rain", 1))):
        with pytest.raises(PlatformRefused) as raised:
            await call
        assert not isinstance(raised.value, MessageGone)
