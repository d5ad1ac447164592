"""What the sender makes of refusals and of a bad connection, on the local Bot API server."""

import logging
from dataclasses import replace

import pytest

from adapters.telegram.api import open_bot
from bots.sandbox.local_telegram.limits import Limits
from bots.sandbox.local_telegram.options import NO_RATES, Options
from core.errors import MessageGone, PlatformAway, PlatformError, PlatformRefused, RateLimited, SendUnclear
from tests.integration.telegram.senders import Stage, standing

JUDGED = [["👍", "👎", "🔄"]]


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
