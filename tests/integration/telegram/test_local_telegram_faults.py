"""What goes wrong by request on the local Bot API server."""

import time

import pytest
from telegram import Bot
from telegram.error import BadRequest, NetworkError, RetryAfter, TimedOut

from bots.sandbox.local_telegram.driver import LocalTelegram
from bots.sandbox.local_telegram.people import NeverSeen, Person
from bots.sandbox.orders import OrderRefused
from tests.integration.telegram.hearing import shown
from tests.integration.telegram.ptb_bots import echo_application, raw_client


@pytest.fixture(autouse=True)
def _no_warning_at_every_429(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "1")


async def test_a_connection_dropped_before_acting_sent_nothing(bot: Bot, ann: Person, telegram: LocalTelegram) -> None:
    await telegram.fault("drop_before", "sendMessage")

    with pytest.raises(NetworkError):
        await bot.send_message(ann.id, "one")
    await bot.send_message(ann.id, "two")

    assert await shown(ann) == ["two"]
    assert [(call.status, call.fault) for call in await telegram.calls("sendMessage")] == [
        (0, "drop_before"),
        (200, ""),
    ]


async def test_a_connection_dropped_after_acting_sent_it(bot: Bot, ann: Person, telegram: LocalTelegram) -> None:
    await telegram.fault("drop_after", "sendMessage")

    with pytest.raises(NetworkError):
        await bot.send_message(ann.id, "one")

    assert await shown(ann) == ["one"]
    (call,) = await telegram.calls("sendMessage")
    assert (call.status, call.answer["ok"]) == (0, True)
    assert call.ended is not None
    assert call.began <= call.ended <= time.monotonic()


@pytest.mark.parametrize(("kind", "is_sent"), [("delay_before", False), ("delay_after", True)])
async def test_an_answer_comes_too_late(
    bot: Bot, ann: Person, telegram: LocalTelegram, kind: str, *, is_sent: bool
) -> None:
    await telegram.fault(kind, "sendMessage", seconds=30)

    with pytest.raises(TimedOut):
        await bot.send_message(ann.id, "one", read_timeout=0.2)

    assert await shown(ann) == (["one"] if is_sent else [])


async def test_a_short_delay_is_only_a_delay(bot: Bot, ann: Person, telegram: LocalTelegram) -> None:
    await telegram.fault("delay_before", "sendMessage", seconds=0.2)

    await bot.send_message(ann.id, "one")

    (call,) = await telegram.calls("sendMessage")
    assert call.ended is not None
    assert 0.2 <= call.ended - call.began < 5


async def test_errors_are_answered_by_request(bot: Bot, ann: Person, telegram: LocalTelegram) -> None:
    await telegram.fault("answer", "sendMessage", status=429, retry_after_s=7)
    await telegram.fault("answer", "sendMessage", status=502)
    await telegram.fault("answer_after", "sendMessage", status=500)

    with pytest.raises(RetryAfter, match="Retry in 0:00:07"):
        await bot.send_message(ann.id, "one")
    with pytest.raises(NetworkError, match="Bad Gateway"):
        await bot.send_message(ann.id, "two")
    with pytest.raises(NetworkError, match="Internal Server Error"):
        await bot.send_message(ann.id, "three")
    await bot.send_message(ann.id, "four")

    assert await shown(ann) == ["three", "four"]
    assert await telegram.excesses() == {}  # nobody asked for too much


async def test_a_fault_meets_the_calls_it_is_meant_for(bot: Bot, ann: Person, telegram: LocalTelegram) -> None:
    ben = await telegram.person("Ben")
    await ben.says("/start")
    await telegram.fault("answer", "SENDMESSAGE", chat_id=ann.id, after=1, times=2)

    await bot.send_message(ben.id, "one")
    await bot.send_message(ann.id, "one")
    await bot.get_me()
    for _ in range(2):
        with pytest.raises(NetworkError):
            await bot.send_message(ann.id, "two")
    await bot.send_message(ann.id, "three")

    assert await shown(ann) == ["one", "three"]


async def test_a_fault_without_a_method_meets_everything_but_polls(
    bot: Bot, ann: Person, telegram: LocalTelegram
) -> None:
    await telegram.fault("answer", status=500)

    assert len(await bot.get_updates()) == 1
    with pytest.raises(NetworkError):
        await bot.get_me()
    await telegram.fault("answer", "*", times=5)
    with pytest.raises(NetworkError):
        await bot.get_updates()
    await telegram.clear_faults()
    assert len(await bot.get_updates()) == 1


async def test_an_update_comes_twice(bot: Bot, ann: Person, telegram: LocalTelegram) -> None:
    (first,) = await bot.get_updates()
    assert await bot.get_updates(offset=first.update_id + 1) == ()
    await telegram.repeat_update(first.update_id)

    again = await bot.get_updates(offset=first.update_id + 1)

    assert [update.update_id for update in again] == [first.update_id]
    assert await bot.get_updates(offset=first.update_id + 1) == ()
    with pytest.raises(OrderRefused, match="no such update"):
        await telegram.repeat_update(1)


async def test_an_update_can_say_anything(telegram: LocalTelegram) -> None:
    await telegram.send_update("message", {"message_id": "no number", "chat": None})

    async with raw_client(telegram) as client:
        answer = (await client.get("getUpdates")).json()

    assert answer["result"] == [{"update_id": 1000, "message": {"message_id": "no number", "chat": None}}]


async def test_it_goes_away_and_comes_back_at_the_same_place(bot: Bot, ann: Person, telegram: LocalTelegram) -> None:
    await bot.get_me()
    await telegram.go_away()

    for _ in range(2):
        with pytest.raises(NetworkError, match="ConnectError"):
            await bot.send_message(ann.id, "one")
    await ann.says("are you there?")  # people go on

    await telegram.come_back()
    await bot.send_message(ann.id, "two")
    assert await shown(ann) == ["two"]
    assert [update.message and update.message.text for update in await bot.get_updates()] == [
        "/start",
        "are you there?",
    ]


async def test_a_poll_breaks_when_it_goes_away_and_pollings_own_retries_find_it_again(
    telegram: LocalTelegram, ann: Person, caplog: pytest.LogCaptureFixture
) -> None:
    async with echo_application(telegram) as application:
        assert application.updater is not None
        await application.updater.start_polling(timeout=30, poll_interval=0)
        await ann.chat.shows("you said: /start")
        await telegram.go_away()
        await ann.says("hello")
        await telegram.come_back()
        await ann.chat.shows("you said: hello")
        await application.updater.stop()

    assert "NetworkError" in caplog.text


async def test_no_call_that_is_listed_holds_the_token(telegram: LocalTelegram, bot: Bot, ann: Person) -> None:
    await bot.send_message(ann.id, "hello")

    calls = await telegram.calls(since=0.0)

    assert [call.method for call in calls] == ["sendMessage"]
    assert telegram.token.split(":")[1] not in repr(calls)
    assert await telegram.calls(since=time.monotonic()) == []


async def test_what_does_not_show_is_said_with_what_shows_instead(bot: Bot, ann: Person) -> None:
    await bot.send_message(ann.id, "hello")

    with pytest.raises(NeverSeen, match=r"shows \[\(1, '/start'\), \(2, 'hello'\)\]"):
        await ann.chat.shows("goodbye", timeout_s=0.1)


async def test_people_cannot_do_what_is_not_possible(bot: Bot, ann: Person, telegram: LocalTelegram) -> None:
    ben = await telegram.person("Ben")
    mine = await ann.says("mine")
    sent = await bot.send_message(ann.id, "no buttons")
    told = (await ann.chat.look()).messages[-1]

    with pytest.raises(OrderRefused, match="no such button"):
        await ann.presses("Stop", told)
    with pytest.raises(OrderRefused, match="their own messages"):
        await ben.edits(mine, "yours", ann.chat)
    await bot.delete_message(ann.id, sent.message_id)
    with pytest.raises(OrderRefused, match="no such message"):
        await ann.reacts(told, "👍")
    with pytest.raises(OrderRefused, match="chat not found"):
        await ann.says("hello", telegram.chat(-5))
    with pytest.raises(OrderRefused, match="only a group becomes a supergroup"):
        await (await telegram.group("Friends", ann)).upgrade()
    await ann.blocks()
    with pytest.raises(OrderRefused, match="unblocks it first"):
        await ann.says("hello")
    with pytest.raises(BadRequest, match="Chat not found"):
        await bot.get_chat(-5)
