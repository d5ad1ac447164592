"""What a sender does beside a reply's parts: what one person alone reads, sessions, status and names."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from tests.integration.slack.sending import Stage, standing


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with standing() as stage:
        yield stage


async def test_what_one_person_shall_read_only_that_person_sees(stage: Stage) -> None:
    key = replace(stage.key, thread="", person=stage.anna.id)
    can = stage.sender.capabilities(key)
    assert (can.edits, can.native_stream, can.read_back) == (False, False, False)
    await stage.sender.open(stage.last("psst", session_key=key, reply_to_id="command-1", is_drawn=False))

    (told,) = [message for message in (await stage.place.look()).all_messages if message.is_bots]
    assert (told.text, told.only_for, told.thread_ts) == ("psst", stage.anna.id, "")


async def test_where_the_app_is_not_in_the_channel_it_is_told_in_a_dm(stage: Stage) -> None:
    elsewhere = await stage.slack.channel("elsewhere", stage.anna, installs=[])
    key = replace(stage.key, channel=elsewhere.id, thread="", person=stage.anna.id)
    await stage.sender.open(stage.last("psst <!here>", session_key=key, reply_to_id="command-1", is_drawn=False))

    (told,) = (await stage.anna.dm.look()).bots
    assert (told.text, told.only_for, told.fires) == ("psst <!here>", "", [])


async def test_a_dm_that_is_one_dialogue_is_answered_outside_of_threads() -> None:
    async with standing(is_direct=True) as stage:
        key = replace(stage.key, thread="")
        part = stage.last("You are forgotten.", session_key=key, reply_to_id="home-1", is_drawn=False)
        handle = await stage.sender.open(part)
        assert (await stage.anna.dm.look()).bots[0].thread_ts == ""

        assert await stage.start_anew().find(part) == handle


async def test_a_session_is_processing_until_its_reply_is_there(stage: Stage) -> None:
    await stage.sender.show_typing(stage.key, stage.question.ts, "")
    await stage.sender.show_typing(stage.key, stage.question.ts, "")
    assert (await stage.session()).status == "processing"
    assert await stage.calls("agents.sessions.setStatus") == 1

    handle = await stage.sender.open(stage.part())
    await stage.sender.close(handle, stage.last("Rain."))
    await stage.sender.end_typing(stage.key, stage.question.ts)

    assert (await stage.session()).status == "active"
    assert await stage.calls("agents.sessions.setStatus") == 1, "the stream's end has said it"


async def test_a_session_ends_with_a_post_as_well(stage: Stage) -> None:
    await stage.sender.show_typing(stage.key, stage.question.ts, "")
    await stage.sender.open(stage.last("Rain."))
    await stage.sender.end_typing(stage.key, stage.question.ts)

    assert (await stage.session()).status == "active"


async def test_an_app_without_sessions_has_the_status_line(stage: Stage) -> None:
    await stage.slack.fault("answer", "agents.sessions.setStatus", status=200, error="unknown_method")
    await stage.sender.show_typing(stage.key, stage.question.ts, "2 are before you")
    await stage.sender.show_typing(stage.key, stage.question.ts, "")

    thread = (await stage.place.look()).thread(stage.question.ts)
    assert [status for _, status in thread.statuses] == ["2 are before you", "is thinking…"]
    assert await stage.calls("agents.sessions.setStatus") == 1


async def test_a_thread_is_named_whether_it_has_a_session_or_not(stage: Stage) -> None:
    await stage.sender.name_thread(stage.key, "  What\nis rain? " + "x" * 300)
    session = await stage.session()
    assert session.title.startswith("What is rain? xxx")
    assert len(session.title) <= 200

    await stage.sender.name_thread(stage.key, "Rain")
    assert (await stage.session()).title == "Rain"


async def test_nothing_is_shown_of_a_session_that_is_not_in_a_thread(stage: Stage) -> None:
    key = replace(stage.key, thread="")
    await stage.sender.show_typing(key, "", "")
    await stage.sender.end_typing(key, "")
    await stage.sender.name_thread(key, "a title")

    assert await stage.slack.calls() == []
