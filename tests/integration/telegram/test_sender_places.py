"""Where the sender writes: chats, topics, groups; files and drafts, on the local Bot API server."""

import pytest

from adapters.telegram.sender import SenderOptions
from bots.sandbox.local_telegram.people import Document
from core.dialogue import Attachment
from core.errors import PlatformAway, PlatformError, PlatformRefused
from tests.integration.telegram.senders import Stage, standing


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
