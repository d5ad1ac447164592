"""Which message is a part that was sent, and which is not."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tests.integration.slack.sending import Stage, standing

TEXT = "Rain is `<b>` **water** that falls."


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with standing() as stage:
        yield stage


async def test_a_part_is_told_from_others_and_from_what_people_say(stage: Stage) -> None:
    others = replace(stage.part(), token="another")
    await stage.sender.open(replace(others, markdown=TEXT, is_closed=True))
    await stage.sender.open(stage.part(TEXT, 1, is_closed=True))
    await stage.anna.says("", stage.place, thread=stage.question)
    await stage.anna.says("and you?", stage.place, thread=stage.question)
    stage.start_anew()

    assert await stage.sender.find(stage.part(TEXT, is_closed=True)) is None
    assert await stage.sender.find(stage.part(TEXT, 1, is_closed=True)) is not None


async def test_an_empty_stream_of_another_part_is_not_taken(stage: Stage) -> None:
    await stage.sender.open(replace(stage.part(), token="another"))

    assert await stage.sender.find(stage.part()) is None


async def test_a_stream_from_before_the_question_is_not_taken(stage: Stage) -> None:
    await stage.sender.open(stage.part())
    later = await stage.anna.says("and snow?", stage.place, thread=stage.question)
    stage.start_anew()

    assert await stage.sender.find(stage.part(reply_to_id=later.ts)) is None


async def test_a_part_is_found_behind_much_that_was_said_since(stage: Stage) -> None:
    for number in range(205):
        await stage.anna.says(str(number), stage.place, thread=stage.question)
    part = stage.last(TEXT)
    handle = await stage.sender.open(part)

    assert await stage.start_anew().find(part) == handle
    assert await stage.calls("conversations.replies") == 2


async def test_a_question_that_is_gone_leaves_nothing_to_be_found(stage: Stage) -> None:
    await stage.anna.deletes(stage.question, stage.place)
    stage.start_anew()

    assert await stage.sender.find(stage.last(TEXT)) is None


async def test_an_own_message_that_says_something_else_is_not_taken(stage: Stage) -> None:
    told = {"channel": stage.place.id, "thread_ts": stage.question.ts, "text": "the app was updated"}
    await stage.clients.call(stage.slack.token, "chat.postMessage", told)

    assert await stage.start_anew().find(stage.part()) is None


async def test_a_thread_s_own_root_is_not_taken(stage: Stage) -> None:
    root = {"channel": stage.place.id, "blocks": [{"type": "divider"}]}
    ts = str((await stage.clients.call(stage.slack.token, "chat.postMessage", root))["ts"])
    question = await stage.anna.says("what is this?", stage.place, thread=ts)
    part = stage.part(session_key=stage.key_of(question), reply_to_id=question.ts)

    assert await stage.start_anew().find(part) is None
