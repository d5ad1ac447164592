"""What is in doubt is looked for; whatever happens to a stream, its part says in the end what it is to say, once."""

import contextlib
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from adapters.slack.outbound import LIMIT_UNITS
from bots.sandbox.local_slack.limits import NO_RATES, Limits
from bots.sandbox.local_slack.options import Options
from core.errors import PlatformAway, SendUnclear
from tests.integration.slack.sending import Stage, mark_of, standing, stream_of

TEXT = "Rain is `<b>` **water** that falls."
#: A fault, and whether the call was carried out.
FAULTS = [
    ("drop_before", {}),
    ("drop_after", {}),
    ("answer", {"status": 503}),
    ("answer_after", {"status": 502}),
    ("answer", {"status": 429, "error": "ratelimited", "retry_after_s": 7}),
    ("answer_after", {"status": 200, "error": "internal_error"}),
]


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with standing() as stage:
        yield stage


@pytest.mark.parametrize(("kind", "more"), FAULTS)
@pytest.mark.parametrize("is_another_process", [False, True])
async def test_a_post_in_doubt_is_found_or_sent(
    stage: Stage, kind: str, more: dict[str, Any], is_another_process: bool
) -> None:
    await stage.slack.fault(kind, "chat.postMessage", **more)
    part = stage.last(TEXT)
    tries = 0

    async def find_or_open() -> str:
        nonlocal tries
        tries += 1
        if tries > 1:
            sender = stage.start_anew() if is_another_process else stage.sender
            found = await sender.find(part)
            if found is not None:
                return found
        return await stage.sender.open(part)

    handle = await stage.patiently(find_or_open)
    await stage.patiently(lambda: stage.sender.close(handle, part))

    (reply,) = await stage.written()
    assert (reply.ts, reply.text, len(reply.actions)) == (handle, TEXT, 2)


@pytest.mark.parametrize(("kind", "more"), FAULTS)
@pytest.mark.parametrize("is_another_process", [False, True])
async def test_a_stream_that_was_begun_in_doubt_is_found(
    stage: Stage, kind: str, more: dict[str, Any], is_another_process: bool
) -> None:
    await stage.slack.fault(kind, "chat.startStream", **more)
    with pytest.raises((SendUnclear, PlatformAway)):
        await stage.sender.open(stage.part())
    if is_another_process:
        stage.start_anew()

    async def find_or_open() -> str:
        return await stage.sender.find(stage.part()) or await stage.sender.open(stage.part())

    stage.time.now += 10
    handle = await stage.patiently(find_or_open)
    await stage.shows(handle, "Rain is")
    await stage.patiently(lambda: stage.sender.close(handle, stage.last(TEXT)))

    (reply,) = await stage.written()
    assert (reply.text, len(reply.actions), reply.is_live) == (TEXT, 2, False)
    assert "Rain is" in reply.texts


@pytest.mark.parametrize("is_another_process", [False, True])
async def test_a_stream_in_doubt_is_found_by_who_only_posts(stage: Stage, is_another_process: bool) -> None:
    await stage.slack.fault("drop_after", "chat.startStream")
    with pytest.raises(SendUnclear):
        await stage.sender.open(stage.part())
    if is_another_process:
        stage.start_anew()
    handle = await stage.sender.find(stage.last(TEXT))

    (reply,) = await stage.written()
    assert (reply.ts, reply.text, len(reply.actions), reply.is_live) == (handle, TEXT, 2, False)


async def test_a_message_that_grew_is_found_by_who_only_posts(stage: Stage) -> None:
    await stage.slack.take_streams_away()
    with pytest.raises(PlatformAway):
        await stage.sender.open(stage.part())
    await stage.slack.fault("drop_after", "chat.postMessage")
    with pytest.raises(SendUnclear):
        await stage.sender.open(stage.part("Rain"))
    stage.start_anew()
    handle = await stage.sender.find(stage.last(TEXT))

    (reply,) = await stage.written()
    assert (reply.ts, reply.text, len(reply.actions)) == (handle, TEXT, 2)


@pytest.mark.parametrize(("kind", "more"), FAULTS)
@pytest.mark.parametrize("method", ["chat.appendStream", "chat.stopStream"])
async def test_a_stream_says_all_in_the_end_whatever_a_call_came_to(
    stage: Stage, kind: str, more: dict[str, Any], method: str
) -> None:
    handle = await stage.sender.open(stage.part())
    await stage.shows(handle, "Rain")
    await stage.slack.fault(kind, method, **more)
    for text in ("Rain is", "Rain is `<b>` **water**"):
        stage.time.now += 30
        with contextlib.suppress(SendUnclear, PlatformAway):
            await stage.sender.append(handle, stage.part(text), text)
    await stage.patiently(lambda: stage.sender.close(handle, stage.last(TEXT)))

    (reply,) = await stage.written()
    assert (reply.text, len(reply.actions), reply.is_live) == (TEXT, 2, False)
    assert mark_of(reply)["state"] == "last"
    shown = [text for text in reply.texts if text]
    assert all(TEXT.startswith(text) for text in shown), "no gap was ever seen"


@pytest.mark.parametrize(("kind", "more"), FAULTS)
async def test_an_update_in_doubt_is_made_again(stage: Stage, kind: str, more: dict[str, Any]) -> None:
    handle = await stage.sender.open(stage.part())
    stage.start_anew()
    await stage.slack.fault(kind, "chat.update", **more, times=2)
    await stage.patiently(lambda: stage.sender.close(handle, stage.last(TEXT)))

    (reply,) = await stage.written()
    assert (reply.text, len(reply.actions), reply.is_live) == (TEXT, 2, False)


@pytest.mark.parametrize("said", ["", "Rain is"])
async def test_a_stream_of_a_process_that_is_gone_is_ended_in_one_go(stage: Stage, said: str) -> None:
    handle = await stage.sender.open(stage.part())
    if said:
        await stage.shows(handle, said)
    stage.start_anew()
    await stage.shows(handle, "Rain is `<b>`")  # nobody knows what it said: nothing is shown
    assert (await stage.written())[0].text == said
    await stage.sender.close(handle, stage.last(TEXT))

    (reply,) = await stage.written()
    assert (reply.text, stream_of(reply).state) == (TEXT, "completed")


async def test_a_stream_that_got_too_old_says_all_in_the_end(stage: Stage) -> None:
    handle = await stage.sender.open(stage.part())
    await stage.shows(handle, "Rain is")
    await stage.slack.advance(301)
    await stage.shows(handle, "Rain is `<b>`", "Rain is `<b>` **water**")
    assert await stage.calls("chat.appendStream") == 2, "nothing more is tried"
    await stage.sender.close(handle, stage.last(TEXT))

    (reply,) = await stage.written()
    assert (reply.texts, stream_of(reply).state) == (["", "Rain is", TEXT], "expired")
    assert await stage.calls("chat.stopStream") == 0


async def test_a_stream_that_dies_before_its_end_says_all(stage: Stage) -> None:
    handle = await stage.sender.open(stage.part())
    await stage.shows(handle, "Rain is")
    await stage.slack.advance(301)
    await stage.sender.close(handle, stage.last(TEXT))

    (reply,) = await stage.written()
    assert (reply.text, len(reply.actions)) == (TEXT, 2)


async def test_a_stream_that_holds_less_than_it_should_says_all_in_the_end() -> None:
    async with standing(Options(rates=NO_RATES, limits=Limits(stream_chars=20))) as stage:
        handle = await stage.sender.open(stage.part())
        await stage.shows(handle, "Rain is", "Rain is `<b>` **water** that")
        await stage.sender.close(handle, stage.last(TEXT))

        (reply,) = await stage.written()
        assert (reply.text, reply.is_live) == (TEXT, False)


async def test_a_stream_whose_end_is_too_long_says_all_the_same() -> None:
    async with standing(Options(rates=NO_RATES, limits=Limits(stream_chars=20))) as stage:
        handle = await stage.sender.open(stage.part())
        await stage.sender.close(handle, stage.last(TEXT))

        (reply,) = await stage.written()
        assert (reply.text, reply.is_live) == (TEXT, False)


async def test_the_longest_part_fits_a_stream_a_post_and_an_update(stage: Stage) -> None:
    text = "<>" + "👍" * (LIMIT_UNITS // 2 - 4)
    handle = await stage.sender.open(stage.part())
    await stage.sender.close(handle, stage.part(text, is_closed=True))
    await stage.sender.open(stage.part(text, 1, is_closed=True))
    stage.start_anew()
    await stage.sender.close(handle, stage.last(text))

    assert [reply.text for reply in await stage.written()] == [text, text]
    assert await stage.slack.excesses() == {}


@pytest.mark.parametrize("final", ["Rain is", TEXT])
async def test_a_stream_that_a_person_stopped_ends_well(stage: Stage, final: str) -> None:
    await stage.sender.show_typing(stage.key, stage.question.ts, "")
    handle = await stage.sender.open(stage.part())
    await stage.shows(handle, "Rain is")
    assert await stage.anna.stops(stage.question, stage.place) == [handle]
    await stage.shows(handle, "Rain is `<b>`", TEXT)
    await stage.sender.close(handle, stage.last(final))
    await stage.sender.end_typing(stage.key, stage.question.ts)

    (reply,) = await stage.written()
    assert (reply.text, len(reply.actions), mark_of(reply)["state"]) == (final, 2, "last")
    assert (await stage.session()).status == "active"


async def test_a_stream_whose_end_slack_connect_does_not_take_says_all(stage: Stage) -> None:
    handle = await stage.sender.open(stage.part())
    await stage.shows(handle, "Rain is")
    await stage.slack.fault("answer", "chat.stopStream", status=200, error="user_not_found")
    await stage.sender.close(handle, stage.last(TEXT))

    (reply,) = await stage.written()
    assert (reply.text, reply.is_live) == (TEXT, False)


@pytest.mark.parametrize("code", ["channel_type_not_supported", "missing_recipient_team_id", "no_text"])
async def test_a_reply_that_can_t_be_streamed_is_posted(stage: Stage, code: str) -> None:
    await stage.slack.fault("answer", "chat.startStream", status=200, error=code)
    for _ in range(3):
        with pytest.raises(PlatformAway):
            await stage.sender.open(stage.part())
    assert await stage.calls("chat.startStream") == 1
    assert await stage.sender.find(stage.last(TEXT)) is None
    await stage.sender.open(stage.last(TEXT))

    assert [reply.text for reply in await stage.written()] == [TEXT]
    assert await stage.calls("conversations.replies") == 0, "for certain nothing was sent"
    assert stage.sender.capabilities(stage.key).native_stream, "others may be"


async def test_nothing_is_streamed_to_nobody(stage: Stage) -> None:
    with pytest.raises(PlatformAway):
        await stage.sender.open(stage.part(asker_id=""))

    assert await stage.slack.calls() == []


async def test_an_organisation_s_app_streams_to_people_of_its_workspaces(stage: Stage) -> None:
    team = await stage.slack.team("Branch", "E1")
    install = await stage.slack.installs("E1")
    bert = await stage.slack.person("Bert", team, install)
    place = await stage.slack.channel("branch", bert, team_id=team, installs=[install])
    question = await bert.says("hi", place)
    stage.installed.known.update(type(stage.installed)(install).known)
    key = replace(stage.key, workspace="E1", channel=place.id, thread=question.ts)
    part = stage.part(session_key=key, reply_to_id=question.ts, asker_id=bert.id)
    handle = await stage.sender.open(part)
    await stage.sender.close(handle, replace(part, markdown=TEXT, is_closed=True, is_last=True))

    (reply,) = (await place.look()).bots
    assert (reply.text, stream_of(reply).recipient_team_id) == (TEXT, team)


async def test_a_stream_that_must_not_end_without_a_text_says_all_in_the_end(stage: Stage) -> None:
    handle = await stage.sender.open(stage.part())
    stage.start_anew()
    await stage.slack.fault("answer", "chat.stopStream", status=200, error="no_text")
    await stage.sender.close(handle, stage.last(TEXT))

    (reply,) = await stage.written()
    assert (reply.text, reply.is_live) == (TEXT, False)
    assert await stage.calls("chat.stopStream") == 2
