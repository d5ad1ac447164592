"""Long polls against a local Bot API server: what is sent to the bot is kept first, and confirmed then."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from adapters.telegram.moves import Moves
from adapters.telegram.polling import OFFSET
from adapters.telegram.updates import KINDS
from bots.sandbox.local_telegram.driver import LocalTelegram, local_telegram
from bots.sandbox.local_telegram.people import Document
from core.dialogue import Edit, Feedback, InboundMessage, Move, Opinion, Platform
from core.ports import Cursor
from tests.integration.telegram.listening import DEADLINE_S, Kept, polling_of, running


@pytest.fixture
async def telegram() -> AsyncIterator[LocalTelegram]:
    async with local_telegram() as telegram:
        yield telegram


@pytest.fixture
def kept() -> Kept:
    return Kept()


async def confirmed(telegram: LocalTelegram) -> None:
    """Until Telegram keeps nothing more for the bot."""
    async with asyncio.timeout(DEADLINE_S):
        while (await telegram.state())["pending_updates"]:  # noqa: ASYNC110 - another process's state has no event
            await asyncio.sleep(0.02)


async def test_what_is_said_arrives_with_the_offset_behind_it(telegram: LocalTelegram, kept: Kept) -> None:
    anna = await telegram.person("Anna")
    async with running(polling_of(telegram), kept):
        await anna.says("hello")
        await kept.says("hello")

    [(_, cursor)] = kept.batches
    assert cursor == Cursor(Platform.TELEGRAM, str(telegram.bot_id), OFFSET, 1001)


async def test_nothing_is_confirmed_before_it_is_kept(telegram: LocalTelegram, kept: Kept) -> None:
    anna = await telegram.person("Anna")
    kept.opened.clear()
    async with running(polling_of(telegram), kept):
        await anna.says("hello")
        await kept.until(lambda kept: kept.calls == 1)
        assert (await telegram.state())["pending_updates"] == 1

        kept.opened.set()
        await kept.says("hello")
        await confirmed(telegram)


async def test_what_was_not_kept_comes_again_after_a_kill(telegram: LocalTelegram, kept: Kept) -> None:
    anna = await telegram.person("Anna")
    kept.opened.clear()
    async with running(polling_of(telegram), kept):
        await anna.says("hello")
        await kept.until(lambda kept: kept.calls == 1)
    kept.opened.set()

    async with running(polling_of(telegram), kept):
        await kept.says("hello")


async def test_what_came_while_nobody_listened_comes_in_its_order(telegram: LocalTelegram, kept: Kept) -> None:
    anna = await telegram.person("Anna")
    said = [f"message {number}" for number in range(230)]
    for text in said:
        await anna.says(text)

    async with running(polling_of(telegram), kept):
        await kept.says(*said)

    assert [len(arrivals) for arrivals, _ in kept.batches] == [100, 100, 30]


async def test_all_that_the_core_hears_of_is_asked_for(telegram: LocalTelegram, kept: Kept) -> None:
    anna = await telegram.person("Anna")
    async with running(polling_of(telegram, poll_s=7), kept):
        await anna.says("hello")
        await kept.says("hello")

    first, *_ = await telegram.calls("getUpdates")
    assert first.parameters["timeout"] == "7"
    assert json.loads(first.parameters["allowed_updates"]) == list(KINDS)


async def test_a_webhook_that_is_in_the_way_is_taken_away(telegram: LocalTelegram, kept: Kept) -> None:
    anna = await telegram.person("Anna")
    async with running(polling_of(telegram), kept):
        await anna.says("first")
        await kept.says("first")

    assert (await telegram.calls())[0].method == "deleteWebhook"


async def test_an_update_that_comes_again_is_handed_over_again(telegram: LocalTelegram, kept: Kept) -> None:
    anna = await telegram.person("Anna")
    async with running(polling_of(telegram), kept):
        await anna.says("hello")
        await kept.says("hello")
        await telegram.repeat_update(1000)
        await kept.says("hello", "hello")

    first, second = (arrival.inbound for arrival in kept.arrivals)
    assert first is not None
    assert second is not None
    assert first.event_key == second.event_key


async def test_an_answer_that_gets_lost_is_given_again(telegram: LocalTelegram, kept: Kept) -> None:
    anna = await telegram.person("Anna")
    await telegram.fault("drop_after", "getUpdates")
    await anna.says("hello")

    async with running(polling_of(telegram), kept):
        await kept.says("hello")


async def test_an_update_that_nobody_understands_is_a_dead_letter_and_blocks_nothing(
    telegram: LocalTelegram, kept: Kept
) -> None:
    anna = await telegram.person("Anna")
    await anna.says("before")
    await telegram.send_update("message", {"message_id": "?", "text": ["no text"], "chat": 5})
    await anna.says("after")

    async with running(polling_of(telegram), kept):
        await kept.says("before", "after")
        await confirmed(telegram)

    _, broken, _ = kept.arrivals
    assert broken.inbound is None
    assert "no text" in broken.raw


async def test_a_press_is_answered_when_it_was_kept(telegram: LocalTelegram, kept: Kept) -> None:
    anna = await telegram.person("Anna")
    said = await anna.says("hello")
    async with running(polling_of(telegram), kept):
        await kept.says("hello")
        kept.opened.clear()
        press = await anna.forges_press("made-here:good", said)
        await kept.until(lambda kept: kept.calls == 2)
        assert await telegram.calls("answerCallbackQuery") == []

        kept.opened.set()
        await telegram.notice(press)

    pressed = kept.arrivals[-1].inbound
    assert isinstance(pressed, Feedback)
    assert (pressed.opinion, pressed.event_id) == (Opinion.GOOD, press)


async def test_a_press_that_somebody_made_up_is_answered_and_says_nothing(telegram: LocalTelegram, kept: Kept) -> None:
    anna = await telegram.person("Anna")
    said = await anna.says("hello")
    async with running(polling_of(telegram), kept):
        await telegram.notice(await anna.forges_press("made-elsewhere:good", said))

    assert kept.texts == ["hello"]
    assert len(kept.arrivals) == 1


async def test_presses_that_can_not_be_answered_hold_nothing_up(
    telegram: LocalTelegram, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.telegram.presses._TIMEOUT_S", 0.5)
    anna = await telegram.person("Anna")
    said = await anna.says("hello")
    await telegram.fault("delay_before", "answerCallbackQuery", times=100, seconds=DEADLINE_S * 2)
    for _ in range(70):
        await anna.forges_press("made-here:good", said)
    await anna.says("still there?")
    async with running(polling_of(telegram), kept):
        await kept.says("hello", "still there?")

    assert len(await telegram.calls("answerCallbackQuery")) == 50  # no more at once


async def test_a_group_that_moved_while_something_was_sent_is_told(
    telegram: LocalTelegram, kept: Kept, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("adapters.telegram.beside._AGAIN_S", 0.02)
    moves = Moves()
    kept.fails = 1
    async with running(polling_of(telegram, moves=moves), kept):
        moves.tell("-5", "-1005")
        await kept.until(lambda kept: len(kept.arrivals) == 1)

    move = kept.arrivals[0].inbound
    assert isinstance(move, Move)
    assert (move.session_key.channel, move.new_channel, move.keeps_message_ids) == ("-5", "-1005", False)


async def test_the_places_of_a_real_server_are_told_apart(telegram: LocalTelegram, kept: Kept) -> None:
    anna, omar = await telegram.person("Anna"), await telegram.person("Omar")
    forum = await telegram.group("Workshop", anna, omar, is_forum=True)
    thread = await anna.opens_topic("Lathe", forum)
    async with running(polling_of(telegram), kept):
        await anna.says("alone")
        await anna.says("@banter_bot in general", forum)
        await anna.says("@banter_bot in a topic", forum, thread_id=thread)
        business = await telegram.business(omar, anna)
        await anna.says("to Omar", business)
        await omar.says("from Omar", business)
        await anna.says("the end")
        await kept.says("alone", "in general", "in a topic", "to Omar", "the end")

    messages = [one.inbound for one in kept.arrivals if isinstance(one.inbound, InboundMessage)]
    places = [(one.session_key.workspace != "", one.session_key.channel, one.session_key.thread) for one in messages]
    assert places == [
        (False, str(anna.id), ""),
        (False, str(forum.id), ""),
        (False, str(forum.id), str(thread)),
        (True, str(anna.id), ""),
        (False, str(anna.id), ""),
    ]


async def test_a_real_edit_an_album_and_a_move_are_understood(telegram: LocalTelegram, kept: Kept) -> None:
    anna = await telegram.person("Anna")
    group = await telegram.group("Kitchen", anna, kind="group")
    async with running(polling_of(telegram), kept):
        said = await anna.says("hello")
        await anna.edits(said, "hello again")
        await anna.sends(Document("a.txt", b"a"), Document("b.txt", b"b"), caption="which one?")
        new = await group.upgrade()
        await kept.until(lambda kept: isinstance(kept.arrivals[-1].inbound, Move) if kept.arrivals else False)

    first, edit, *album, move = (one.inbound for one in kept.arrivals)
    assert isinstance(first, InboundMessage)
    assert isinstance(edit, Edit)
    assert (edit.message_id, edit.text) == (first.message_id, "hello again")
    assert [one.attachments[0].name for one in album if isinstance(one, InboundMessage)] == ["a.txt", "b.txt"]
    assert len({one.album for one in album if isinstance(one, InboundMessage)}) == 1
    assert isinstance(move, Move)
    assert move.new_channel == str(new.id)
