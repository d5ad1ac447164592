"""What was sent in doubt is found again, by whoever looks for it."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bots.sandbox.local_discord.limits import NO_RATES
from bots.sandbox.local_discord.options import AppOptions, Options
from core.errors import PlatformAway, PlatformError, RateLimited, SendUnclear
from tests.integration.discord.sending import Stage, standing

LATER_S = 400.0


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with standing() as stage:
        yield stage


async def test_a_part_that_grows_is_found_by_its_button_whatever_it_says(stage: Stage) -> None:
    handle = await stage.sender.open(stage.part("Ra"))
    await stage.discord.advance(LATER_S)

    assert await stage.start_anew().find(stage.part("Rain is water")) == handle
    assert await stage.start_anew().find(stage.part("Ra", 1)) is None
    assert await stage.start_anew().find(stage.part("Ra", token="other")) is None


async def test_the_end_of_a_reply_is_found_by_its_buttons(stage: Stage) -> None:
    handle = await stage.sent(stage.last("Rain."))
    assert await stage.start_anew().find(stage.last("Rain. And so on.")) == handle


async def test_a_part_without_buttons_is_found_by_what_it_says(stage: Stage) -> None:
    text = "| a | b |\n|-|-|\n| 1 | 2 |"
    handle = await stage.sender.open(stage.part(text, is_closed=True))

    assert await stage.start_anew().find(stage.part(text, is_closed=True)) == handle
    assert await stage.start_anew().find(stage.part(text + "3", is_closed=True)) is None


async def test_equal_parts_are_told_apart_by_who_knows_them(stage: Stage) -> None:
    said = [stage.part("again", number, is_closed=True) for number in range(3)]
    first, second = await stage.sender.open(said[0]), await stage.sender.open(said[1])

    assert await stage.sender.find(said[1]) == second
    assert await stage.sender.find(said[2]) is None
    later = stage.start_anew()
    assert [await later.find(part) for part in said] == [first, second, None]


async def test_what_others_say_and_what_was_said_before_is_no_part(stage: Stage) -> None:
    await stage.sender.open(stage.part("Rain", is_closed=True))
    question = await stage.anna.says("and now?", stage.place)
    await stage.anna.says("Rain", stage.place)
    asked = stage.part("Rain", is_closed=True, reply_to_id=question.id, token="other")

    assert await stage.start_anew().find(asked) is None


async def test_an_equal_answer_to_another_question_is_another_part(stage: Stage) -> None:
    question = await stage.anna.says("and now?", stage.place)
    await stage.sender.open(stage.part("Rain", is_closed=True, reply_to_id=question.id, token="other"))

    assert await stage.start_anew().find(stage.part("Rain", is_closed=True)) is None


async def test_a_deleted_part_is_not_there(stage: Stage) -> None:
    await stage.sender.open(stage.part("Ra"))
    await stage.place.delete_messages(*await stage.written())
    assert await stage.sender.find(stage.part("Ra")) is None


async def test_a_busy_channel_is_read_page_by_page(stage: Stage) -> None:
    for number in range(230):
        await stage.anna.says(f"word {number}", stage.place)
    handle = await stage.sender.open(stage.part("Ra"))
    await stage.anna.says("more", stage.place)

    assert await stage.start_anew().find(stage.part("Rain")) == handle
    assert await stage.calls("get_messages") == 3


async def test_an_answer_to_nobody_is_looked_for_among_the_newest(stage: Stage) -> None:
    part = stage.part("Good morning", is_closed=True, reply_to_id="")
    handle = await stage.sender.open(part)
    assert await stage.start_anew().find(part) == handle


async def test_it_is_found_where_answers_tell_the_nonce_and_where_the_content_is_not_seen() -> None:
    async with standing(Options(rates=NO_RATES, gets_tell_nonce=True)) as stage:
        handle = await stage.sender.open(stage.part("Ra", is_drawn=False))
        assert await stage.start_anew().find(stage.part("Rain", is_drawn=False)) == handle
    async with standing(Options(app=AppOptions(message_content=False), rates=NO_RATES)) as stage:
        handle = await stage.sender.open(stage.part("Ra"))
        closed = await stage.sender.open(stage.part("Rain", 1, is_closed=True))
        later = stage.start_anew()
        assert await later.find(stage.part("Rain")) == handle
        assert await later.find(stage.part("Rain", 1, is_closed=True)) == closed


FAULTS = ["drop_before", "drop_after", "answer", "answer_after"]


@pytest.mark.parametrize("kind", FAULTS)
async def test_a_send_in_doubt_is_found_or_was_never_made(stage: Stage, kind: str) -> None:
    more: dict[str, float] = {"status": 502} if kind.startswith("answer") else {}
    await stage.discord.fault(kind, "create_message", **more)
    part = stage.part("Rain")
    with pytest.raises(SendUnclear):
        await stage.sender.open(part)
    await stage.discord.advance(LATER_S)  # the nonce means nothing any more

    found = await stage.start_anew().find(part)

    assert (found is not None) == kind.endswith("after")
    handle = found or await stage.sender.open(part)
    assert [message.id for message in await stage.written()] == [handle]


@pytest.mark.parametrize("kind", FAULTS)
@pytest.mark.parametrize("operation", ["edit_message", "delete_message", "get_messages"])
async def test_a_change_in_doubt_is_made_again(stage: Stage, kind: str, operation: str) -> None:
    handle = await stage.sender.open(stage.part("Rain"))
    more: dict[str, float] = {"status": 503} if kind.startswith("answer") else {}
    await stage.discord.fault(kind, operation, **more)
    last = stage.last("Rain is water.")
    calls = {
        "edit_message": lambda: stage.sender.close(handle, last),
        "delete_message": lambda: stage.sender.withdraw(handle, last),
        "get_messages": lambda: stage.sender.find(last),
    }
    await stage.patiently(calls[operation])

    texts = [message.text for message in await stage.written()]
    assert texts == {"edit_message": ["Rain is water."], "delete_message": [], "get_messages": ["Rain"]}[operation]


async def test_too_much_is_told_with_its_time_and_nothing_was_sent(stage: Stage) -> None:
    await stage.discord.fault("answer", "create_message", status=429, retry_after_s=7)
    with pytest.raises(RateLimited) as raised:
        await stage.sender.open(stage.part("Rain"))
    assert raised.value.retry_after_s == pytest.approx(7, abs=1)
    assert await stage.written() == []


async def test_where_discord_is_away_nothing_was_sent(stage: Stage) -> None:
    await stage.rest.open()
    await stage.discord.go_away()
    for call in (stage.sender.open(stage.part("Rain")), stage.sender.find(stage.part("Rain"))):
        with pytest.raises(PlatformError) as raised:
            await call
        assert isinstance(raised.value, PlatformAway | SendUnclear)
    await stage.discord.come_back()
    handle = await stage.patiently(lambda: stage.sender.open(stage.part("Rain")))
    assert [message.id for message in await stage.written()] == [handle]


async def test_a_token_that_was_reset_loses_nothing(stage: Stage) -> None:
    handle = await stage.sender.open(stage.part("Rain"))
    await stage.discord.reset_token()
    for call in (stage.sender.close(handle, stage.last("Rain.")), stage.sender.open(stage.part("More", 1))):
        with pytest.raises(PlatformAway, match="BANTER_DISCORD_TOKEN"):
            await call


async def test_a_part_in_the_thread_of_its_question_is_found_there(stage: Stage) -> None:
    part = stage.part("Ra", session_key=stage.threaded)
    handle = await stage.sender.open(part)
    closed = replace(part, part=1, is_closed=True, markdown="all of it")
    whole = await stage.sender.open(closed)

    later = stage.start_anew()
    assert await later.find(replace(part, markdown="Rain")) == handle
    assert await later.find(closed) == whole
