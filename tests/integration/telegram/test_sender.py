"""The sender, over python-telegram-bot, on the local Bot API server."""

import asyncio
from itertools import pairwise

import pytest

from adapters.telegram.outbound import new_splitter
from adapters.telegram.pace import Pace
from bots.sandbox.local_telegram.options import Options
from core.dialogue import Opinion
from core.errors import MessageGone
from tests.integration.telegram.senders import Stage, standing

REPLY = "**bold** words"
JUDGED = [["👍", "👎", "🔄"]]
STOP = [["⏹"]]


class TestAReply:
    async def test_begins_as_a_placeholder_that_can_be_stopped(self, stage: Stage) -> None:
        handle = await stage.sender.open(stage.part())

        [message] = (await stage.anna.chat.look()).bots
        assert handle == str(message.id)
        assert message.text == "…"
        assert message.buttons == STOP

    async def test_grows_by_edits_and_ends_with_buttons_that_work(self, stage: Stage) -> None:
        handle = await stage.sender.open(stage.part())
        await stage.update(handle, stage.part("**bold**"))
        await stage.sender.close(handle, stage.part(REPLY, is_closed=True, is_last=True))

        [message] = (await stage.anna.chat.look()).bots
        assert message.texts == ["…", "bold", "bold words"]
        assert [version.buttons for version in message.versions] == [STOP, STOP, JUDGED]
        assert [(entity["type"], entity["offset"], entity["length"]) for entity in message.entities] == [("bold", 0, 4)]
        [call] = await stage.telegram.calls("sendMessage")
        assert call.parameters["link_preview_options"] == '{"is_disabled": true}'

    async def test_has_no_buttons_where_the_model_did_not_write_it(self, stage: Stage) -> None:
        handle = await stage.sender.open(stage.part(is_drawn=False))
        await stage.sender.close(handle, stage.part("help", is_drawn=False, is_closed=True, is_last=True))

        [message] = (await stage.anna.chat.look()).bots
        assert [version.buttons for version in message.versions] == [[], []]

    async def test_loses_the_buttons_of_a_part_that_another_one_follows(self, stage: Stage) -> None:
        first = await stage.sender.open(stage.part())
        await stage.sender.close(first, stage.part("one", is_closed=True))
        second = await stage.sender.open(stage.part(part=1))
        await stage.sender.close(second, stage.part("two", part=1, is_closed=True, is_last=True))

        seen = (await stage.anna.chat.look()).bots
        assert [(message.text, message.buttons) for message in seen] == [("one", []), ("two", JUDGED)]

    async def test_says_the_same_thing_twice_without_an_error(self, stage: Stage) -> None:
        handle = await stage.sender.open(stage.part())
        for _ in range(2):
            await stage.update(handle, stage.part("same"))
        for _ in range(2):
            await stage.sender.close(handle, stage.part("same", is_closed=True, is_last=True))

        [message] = (await stage.anna.chat.look()).bots
        assert message.texts == ["…", "same", "same"]

    async def test_can_be_taken_away_twice(self, stage: Stage) -> None:
        handle = await stage.sender.open(stage.part())
        for _ in range(2):
            await stage.sender.withdraw(handle, stage.part(is_closed=True))

        assert (await stage.anna.chat.look()).bots == []

    async def test_is_a_reply_to_the_question_even_where_that_is_gone(self, stage: Stage) -> None:
        question = await stage.anna.says("what?")
        await stage.sender.open(stage.part(reply_to_id=str(question.id)))
        await stage.sender.open(stage.part(reply_to_id=str(question.id), part=1))
        await stage.sender.open(stage.part(reply_to_id="999"))

        seen = (await stage.anna.chat.look()).bots
        assert [message.reply_to_id for message in seen] == [question.id, 0, 0]

    async def test_has_all_of_its_parts_below_the_question_in_a_group(self, stage: Stage) -> None:
        group = await stage.telegram.group("G", stage.anna)
        question = await stage.anna.says("what?", group)
        await stage.sender.open(stage.part(chat=group, reply_to_id=str(question.id)))
        await stage.sender.open(stage.part(chat=group, reply_to_id=str(question.id), part=1))

        assert [message.reply_to_id for message in (await group.look()).bots] == [question.id, question.id]

    async def test_of_20000_characters_is_whole_in_its_parts(self, stage: Stage) -> None:
        code = "```python\n" + "".join(f"value_{line} = {line}\n" for line in range(900)) + "```"
        reply = f"{'Some words. ' * 400}\n\n{code}\n\n| a | b |\n|---|---|\n" + "| 1 | 2 |\n" * 200
        splitter = new_splitter()()
        splitter.append(reply)
        splitter.finish()
        for number, part in enumerate(splitter.closed):
            shown = stage.part(part.text, part=number, is_closed=True)
            handle = await stage.sender.open(stage.part(part=number))
            await stage.sender.close(handle, shown)

        seen = (await stage.anna.chat.look()).bots
        assert len(reply) > 20_000
        assert "".join(message.text for message in seen).count("value_") == 900
        assert await stage.telegram.excesses() == {}


class TestAMessageThatAPersonDeletes:
    async def test_is_left_alone_until_the_answer_is_whole_and_then_the_core_is_told(self, stage: Stage) -> None:
        handle = await stage.sender.open(stage.part())
        [placeholder] = (await stage.anna.chat.look()).bots
        await stage.anna.chat.delete_message(placeholder)

        for text in ("one", "one two"):
            await stage.update(handle, stage.part(text))
        assert (await stage.anna.chat.look()).bots == []
        for _ in range(2):
            with pytest.raises(MessageGone):
                await stage.sender.close(handle, stage.part("one two three", is_closed=True, is_last=True))

        assert (await stage.anna.chat.look()).bots == []
        assert len(await stage.telegram.calls("editMessageText")) == 1

    async def test_is_missed_at_the_end_where_nothing_was_shown_before(self, stage: Stage) -> None:
        handle = await stage.sender.open(stage.part())
        [placeholder] = (await stage.anna.chat.look()).bots
        await stage.anna.chat.delete_message(placeholder)

        with pytest.raises(MessageGone):
            await stage.sender.close(handle, stage.part("one", is_closed=True, is_last=True))

    async def test_is_not_missed_when_it_is_to_be_taken_away(self, stage: Stage) -> None:
        handle = await stage.sender.open(stage.part())
        [placeholder] = (await stage.anna.chat.look()).bots
        await stage.anna.chat.delete_message(placeholder)

        await stage.update(handle, stage.part("one"))
        await stage.sender.withdraw(handle, stage.part(is_closed=True))

        assert (await stage.anna.chat.look()).bots == []


@pytest.mark.parametrize(("kind", "interval_s"), [("private", 1.1), ("supergroup", 3.1)])
async def test_two_replies_in_a_chat_earn_no_429_by_the_clock_on_the_wall(kind: str, interval_s: float) -> None:
    async with standing(server=Options(), pace=Pace()) as stage:
        chat = stage.anna.chat if kind == "private" else await stage.telegram.group("G", stage.anna)

        async def reply(token: str) -> None:
            handle = await stage.sender.open(stage.part(chat=chat, token=token))
            await stage.sender.close(handle, stage.part("all", chat=chat, token=token, is_closed=True, is_last=True))

        await asyncio.gather(reply("a" * 20), reply("b" * 20))

        messages = (await chat.look()).bots
        times = sorted(time for message in messages for time in message.times)
        assert [message.texts for message in messages] == [["…", "all"]] * 2
        assert all(later - earlier >= interval_s for earlier, later in pairwise(times))
        assert await stage.telegram.excesses() == {}


async def test_a_press_of_the_senders_button_is_understood(stage: Stage) -> None:
    await stage.sender.open(stage.part())
    [message] = (await stage.anna.chat.look()).bots
    assert message.keyboard is not None
    rows = message.keyboard["inline_keyboard"]
    assert isinstance(rows, list)
    data = str(rows[0][0]["callback_data"])

    assert stage.buttons.opinion(data, str(stage.anna.id)) is Opinion.STOP
