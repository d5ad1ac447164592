"""The sender, over python-telegram-bot, on the local Bot API server."""

import asyncio
import logging
from collections.abc import AsyncIterator
from dataclasses import replace
from itertools import pairwise

import pytest

from adapters.telegram.api import open_bot
from adapters.telegram.outbound import new_splitter
from adapters.telegram.pace import Pace
from adapters.telegram.sender import SenderOptions
from bots.sandbox.local_telegram.limits import Limits
from bots.sandbox.local_telegram.options import NO_RATES, Options
from bots.sandbox.local_telegram.people import Document
from core.dialogue import Attachment, Opinion
from core.errors import MessageGone, PlatformAway, PlatformError, PlatformRefused, RateLimited, SendUnclear
from tests.integration.telegram.senders import Stage, standing

REPLY = "**bold** words"
JUDGED = [["👍", "👎", "🔄"]]
STOP = [["⏹"]]


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with standing() as stage:
        yield stage


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


class TestPlaces:
    async def test_a_topic_gets_what_is_for_it(self, stage: Stage) -> None:
        forum = await stage.telegram.group("F", stage.anna, is_forum=True)
        thread = await stage.anna.opens_topic("Cats", forum)
        await stage.anna.says("in it", forum, thread_id=thread)

        await stage.sender.open(stage.part(chat=forum, thread=str(thread)))
        await stage.sender.open(stage.part(chat=forum))

        assert [message.thread_id for message in (await forum.look()).bots] == [thread, 0]

    async def test_a_business_chat_is_not_the_bots_own(self, stage: Stage) -> None:
        bob = await stage.telegram.person("Bob")
        business = await stage.telegram.business(stage.anna, bob)
        await bob.says("hello", business)

        handle = await stage.sender.open(stage.part(chat=business))
        await stage.sender.close(handle, stage.part("yes", chat=business, is_closed=True, is_last=True))

        assert [message.text for message in (await business.look()).bots] == ["yes"]
        assert handle.endswith(f"@{business.business}")

    async def test_a_business_message_is_taken_away_by_its_own_method(self, stage: Stage) -> None:
        bob = await stage.telegram.person("Bob")
        business = await stage.telegram.business(stage.anna, bob)
        await bob.says("hello", business)
        handle = await stage.sender.open(stage.part(chat=business))

        with pytest.raises(PlatformRefused, match="method not found"):  # of the local server, which knows it not
            await stage.sender.withdraw(handle, stage.part(chat=business, is_closed=True))

        [call] = await stage.telegram.calls("deleteBusinessMessages")
        assert call.parameters["business_connection_id"] == business.business
        assert call.parameters["message_ids"] == f"[{handle.partition('@')[0]}]"

    async def test_a_channels_direct_message_names_its_topic(self, stage: Stage) -> None:
        channel = await stage.telegram.group("C", stage.anna, is_direct=True)
        await stage.anna.says("hello", channel)
        part = stage.part(chat=channel, thread=f"d{stage.anna.id}")

        await stage.sender.open(part)
        await stage.sender.show_typing(part.session_key, "", "")

        [message] = (await channel.look()).bots
        assert message.direct_topic_id == stage.anna.id
        assert await stage.telegram.calls("sendChatAction") == []

    async def test_a_group_that_moved_is_told_of(self, stage: Stage) -> None:
        group = await stage.telegram.group("G", stage.anna, kind="group")
        moved = await group.upgrade()

        with pytest.raises(PlatformAway, match="another id"):
            await stage.sender.open(stage.part(chat=group))

        assert stage.moves == [(str(group.id), str(moved.id))]

    async def test_typing_is_seen_where_the_question_was(self, stage: Stage) -> None:
        forum = await stage.telegram.group("F", stage.anna, is_forum=True)
        thread = await stage.anna.opens_topic("Cats", forum)

        await stage.sender.show_typing(stage.part(chat=forum, thread=str(thread)).session_key, "", "")

        [action] = (await forum.look()).actions
        assert (action.action, action.thread_id) == ("typing", thread)

    async def test_a_topic_is_named(self, stage: Stage) -> None:
        await stage.telegram.set_bot(has_topics_enabled=True, users_create_topics=True)
        thread = await stage.anna.opens_topic("New", is_name_implicit=True)
        key = stage.part(thread=str(thread)).session_key

        await stage.sender.name_thread(key, f"  What\nare {'cats ' * 60}")

        [topic] = (await stage.anna.chat.look()).topics
        assert topic.name.startswith("What are cats cats")
        assert len(topic.name) <= 128

    async def test_a_topic_that_the_bot_may_not_name_keeps_its_name(self, stage: Stage) -> None:
        forum = await stage.telegram.group("F", stage.anna, is_forum=True)
        thread = await stage.anna.opens_topic("Cats", forum)

        await stage.sender.name_thread(stage.part(chat=forum, thread=str(thread)).session_key, "Dogs")

        assert [topic.name for topic in (await forum.look()).topics] == ["Cats"]


class TestRefusals:
    async def test_whoever_blocked_the_bot_gets_nothing_more(self, stage: Stage) -> None:
        handle = await stage.sender.open(stage.part())
        await stage.anna.blocks()

        with pytest.raises(PlatformRefused, match="blocked"):
            await stage.update(handle, stage.part("more"))
        with pytest.raises(PlatformRefused, match="blocked"):
            await stage.sender.close(handle, stage.part("more", is_closed=True, is_last=True))

    async def test_a_closed_topic_is_closed(self, stage: Stage) -> None:
        forum = await stage.telegram.group("F", stage.anna, is_forum=True)
        thread = await stage.anna.opens_topic("Cats", forum)
        await stage.anna.closes_topic(thread, forum)

        with pytest.raises(PlatformRefused, match="topic is closed"):
            await stage.sender.open(stage.part(chat=forum, thread=str(thread)))

    async def test_a_deleted_topic_gets_nothing_more_though_a_reply_was_begun(self, stage: Stage) -> None:
        forum = await stage.telegram.group("F", stage.anna, is_forum=True)
        thread = await stage.anna.opens_topic("Cats", forum)
        part = stage.part(chat=forum, thread=str(thread))
        handle = await stage.sender.open(part)
        [message] = (await forum.look()).bots
        await forum.delete_message(message)
        await forum.delete_topic(thread)

        with pytest.raises(MessageGone):
            await stage.sender.close(handle, replace(part, markdown="all", is_closed=True, is_last=True))
        with pytest.raises(PlatformRefused, match="topic is gone"):
            await stage.sender.open(part)

    async def test_a_bot_that_was_kicked_says_nothing(self, stage: Stage) -> None:
        group = await stage.telegram.group("G", stage.anna)
        await group.kick_bot()

        with pytest.raises(PlatformRefused, match="removed"):
            await stage.sender.open(stage.part(chat=group))

    async def test_entities_that_are_refused_are_left_out(self) -> None:
        server = Options(limits=Limits(entity_bytes=50), rates=NO_RATES)
        async with standing(server=server) as stage:
            handle = await stage.sender.open(stage.part())
            linked = "".join(f"[a](https://a.example/{number}) " for number in range(3))
            await stage.sender.close(handle, stage.part(linked, is_closed=True, is_last=True))

            [message] = (await stage.anna.chat.look()).bots
            assert message.text == "a a a"
            assert message.entities == ()
            assert message.buttons == JUDGED

    async def test_a_revoked_token_is_said_with_the_settings_name_and_without_the_token(self, stage: Stage) -> None:
        token = stage.telegram.token
        await stage.telegram.revoke_token()

        with pytest.raises(PlatformRefused, match="BANTER_TELEGRAM_TOKEN") as raised:
            await stage.sender.open(stage.part())

        assert token not in str(raised.value)

    async def test_a_wrong_token_is_said_when_the_bot_is_opened(self, stage: Stage) -> None:
        wrong = "7000000001:AAwrong-wrong-wrong-wrong-wrong-wrong"

        with pytest.raises(PlatformRefused, match="BANTER_TELEGRAM_TOKEN") as raised:
            async with open_bot(wrong, stage.telegram.base_url):
                pass

        assert wrong not in f"{raised.value!r}{raised.value.__cause__!r}"


class TestTheConnection:
    async def test_broken_before_or_after_the_send_is_unclear_and_sent_again(self, stage: Stage) -> None:
        for fault in ("drop_before", "drop_after"):
            await stage.telegram.fault(fault, "sendMessage")
            with pytest.raises(SendUnclear):
                await stage.sender.open(stage.part())

        assert len((await stage.anna.chat.look()).bots) == 1  # of the second one, which was carried out

    async def test_broken_after_an_edit_makes_no_second_text(self, stage: Stage) -> None:
        handle = await stage.sender.open(stage.part())
        closed = stage.part("whole", is_closed=True, is_last=True)
        await stage.telegram.fault("drop_after", "editMessageText")
        with pytest.raises(SendUnclear):
            await stage.sender.close(handle, closed)

        await stage.sender.close(handle, closed)

        [message] = (await stage.anna.chat.look()).bots
        assert message.texts == ["…", "whole"]

    async def test_away_is_nothing_sent(self, stage: Stage) -> None:
        await stage.telegram.go_away()
        with pytest.raises(PlatformAway):
            await stage.sender.open(stage.part())
        await stage.telegram.come_back()

        await stage.sender.open(stage.part())

        assert len((await stage.anna.chat.look()).bots) == 1

    async def test_a_chat_that_was_spoken_to_too_much_is_left_alone(self, stage: Stage) -> None:
        await stage.telegram.fault("answer", "sendMessage", status=429, retry_after_s=30)

        for _ in range(2):
            with pytest.raises(RateLimited) as raised:
                await stage.sender.open(stage.part())
            assert 0 < raised.value.retry_after_s <= 30

        assert len(await stage.telegram.calls("sendMessage")) == 1
        group = await stage.telegram.group("G", stage.anna)
        await stage.sender.open(stage.part(chat=group))

    @pytest.mark.parametrize("fault", ["drop_before", "drop_after", "answer"])
    async def test_the_token_is_in_no_error_and_no_log(
        self, stage: Stage, fault: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        await stage.telegram.fault(fault, "sendMessage", status=502)
        secret = stage.telegram.token.partition(":")[2]

        with caplog.at_level(logging.WARNING), pytest.raises(PlatformError) as raised:
            await stage.sender.open(stage.part())

        assert secret not in f"{raised.value!r}"
        assert secret not in caplog.text


class TestFiles:
    async def test_a_file_is_read_as_far_as_it_is_wanted(self, stage: Stage) -> None:
        file = await self.sent(stage, b"0123456789" * 100_000)
        key = stage.part().session_key

        assert await stage.sender.read(key, file, 25) == b"0123456789012345678901234"[:25]
        assert len(await stage.sender.read(key, file, 1 << 20)) == 1_000_000

    async def test_an_unknown_file_can_not_be_had(self, stage: Stage) -> None:
        with pytest.raises(PlatformError):
            await stage.sender.read(stage.part().session_key, Attachment("a", "", 0, "no-such-file"), 10)

    async def test_the_address_of_a_file_is_in_no_error(self, stage: Stage) -> None:
        file = await self.sent(stage, b"words")
        await stage.telegram.fault("drop_before", "getFile")

        with pytest.raises(PlatformError) as raised:
            await stage.sender.read(stage.part().session_key, file, 10)

        assert "127.0.0.1" not in f"{raised.value!r}"

    async def sent(self, stage: Stage, content: bytes) -> Attachment:
        [message] = await stage.anna.sends(Document("a.txt", content))
        assert message.more is not None
        document = message.more["document"]
        assert isinstance(document, dict)
        return Attachment("a.txt", "text/plain", len(content), str(document["file_id"]))


class TestDrafts:
    async def test_are_seen_beside_the_placeholder_that_says_the_whole_in_the_end(self) -> None:
        async with standing(SenderOptions(drafts=True)) as stage:
            handle = await stage.sender.open(stage.part())
            for text in ("one", "one **two**"):
                await stage.update(handle, stage.part(text))
            await stage.sender.close(handle, stage.part("one two three", is_closed=True, is_last=True))

            seen = await stage.anna.chat.look()
            [(draft_id, drafts)] = seen.drafts.items()
            assert draft_id != 0
            assert [draft.text for draft in drafts] == ["one", "one two"]
            assert [message.texts for message in seen.bots] == [["…", "one two three"]]

    async def test_are_not_for_groups(self) -> None:
        async with standing(SenderOptions(drafts=True)) as stage:
            group = await stage.telegram.group("G", stage.anna)
            handle = await stage.sender.open(stage.part(chat=group))
            await stage.update(handle, stage.part("one", chat=group))

            assert [message.text for message in (await group.look()).bots] == ["one"]

    async def test_that_a_chat_refuses_are_edits_from_then_on(self) -> None:
        async with standing(SenderOptions(drafts=True)) as stage:
            handle = await stage.sender.open(stage.part())
            await stage.telegram.fault("answer", "sendMessageDraft", status=400)
            await stage.update(handle, stage.part("one"))
            await stage.update(handle, stage.part("one two"))

            assert [message.texts for message in (await stage.anna.chat.look()).bots] == [["…", "one two"]]


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
