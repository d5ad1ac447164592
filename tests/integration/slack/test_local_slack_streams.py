"""Native streams, agent sessions and their Stop, as slack_sdk's clients use them on the local Slack."""

import asyncio
from typing import Any

import pytest
from slack_sdk.models.messages.chunk import TaskUpdateChunk
from slack_sdk.web.async_client import AsyncWebClient

from bots.sandbox.json_values import object_in
from bots.sandbox.local_slack.driver import LocalSlack
from bots.sandbox.local_slack.limits import NO_RATES
from bots.sandbox.local_slack.options import AppOptions, Options
from bots.sandbox.local_slack.people import Person, Place
from bots.sandbox.local_slack.sights import MessageSeen
from bots.sandbox.orders import OrderRefused
from tests.integration.slack.slack_apps import error_of

METADATA = {"event_type": "turn", "event_payload": {"id": "t1"}}


@pytest.fixture
async def asked(ann: Person) -> MessageSeen:
    return await ann.says("tell me")


async def started(client: AsyncWebClient, ann: Person, asked: MessageSeen) -> str:
    return str((await client.chat_startStream(channel=ann.dm.id, thread_ts=asked.ts))["ts"])


async def test_a_stream_grows_and_ends_with_blocks_and_metadata(
    client: AsyncWebClient, ann: Person, asked: MessageSeen
) -> None:
    ts = await started(client, ann, asked)
    await client.chat_appendStream(channel=ann.dm.id, ts=ts, markdown_text="one ")
    await client.chat_appendStream(channel=ann.dm.id, ts=ts, markdown_text="two ")
    growing = (await ann.dm.look()).bots[0]
    blocks = [{"type": "divider"}]
    await client.chat_stopStream(channel=ann.dm.id, ts=ts, markdown_text="three", blocks=blocks, metadata=METADATA)
    (done,) = await ann.dm.answers(root=asked)

    assert growing.texts == ["", "one ", "one two "]
    assert growing.is_live
    assert growing.metadata is None
    assert (done.text, done.blocks, done.metadata) == ("one two three", ({"type": "divider"},), METADATA)
    assert done.stream is not None
    assert (done.stream.state, done.stream.appends) == ("completed", 2)
    assert done.times == sorted(done.times)


async def test_slack_sdks_own_helper_streams(client: AsyncWebClient, ann: Person, asked: MessageSeen) -> None:
    streamer = await client.chat_stream(channel=ann.dm.id, thread_ts=asked.ts, buffer_size=4)
    for piece in ("he", "llo", " wor", "ld"):
        await streamer.append(markdown_text=piece)
    await streamer.stop()

    assert (await ann.dm.shows("hello world")).ts == streamer.ts


async def test_a_stream_dies_of_age_whatever_is_appended(
    slack: LocalSlack, client: AsyncWebClient, ann: Person, asked: MessageSeen
) -> None:
    ts = await started(client, ann, asked)
    await slack.advance(290)
    await client.chat_appendStream(channel=ann.dm.id, ts=ts, markdown_text="still here")
    await slack.advance(11)
    append = client.chat_appendStream(channel=ann.dm.id, ts=ts, markdown_text="too late")

    assert await error_of(append) == "message_not_in_streaming_state"
    assert await error_of(client.chat_stopStream(channel=ann.dm.id, ts=ts)) == "message_not_in_streaming_state"
    await client.chat_update(channel=ann.dm.id, ts=ts, markdown_text="made right", metadata=METADATA)
    (seen,) = await ann.dm.answers(root=asked)
    assert (seen.text, seen.metadata) == ("made right", METADATA)
    assert seen.stream is not None
    assert seen.stream.state == "expired"


async def test_a_stream_takes_so_much_and_no_more(
    slack: LocalSlack, client: AsyncWebClient, ann: Person, asked: MessageSeen
) -> None:
    ts = await started(client, ann, asked)
    await client.chat_appendStream(channel=ann.dm.id, ts=ts, markdown_text="x" * 11_990)
    too_much = client.chat_appendStream(channel=ann.dm.id, ts=ts, markdown_text="y" * 11)

    assert await error_of(too_much) == "msg_too_long"
    assert (await slack.excesses()) == {"text": 1}
    await client.chat_stopStream(channel=ann.dm.id, ts=ts, markdown_text="y" * 10)
    assert len((await ann.dm.answers())[0].text) == 12_000


async def test_a_stream_can_not_be_edited_while_it_lives(
    client: AsyncWebClient, ann: Person, asked: MessageSeen
) -> None:
    ts = await started(client, ann, asked)

    assert await error_of(client.chat_update(channel=ann.dm.id, ts=ts, text="no")) == "streaming_state_conflict"
    await client.chat_stopStream(channel=ann.dm.id, ts=ts)
    await client.chat_update(channel=ann.dm.id, ts=ts, text="yes")
    append = client.chat_appendStream(channel=ann.dm.id, ts=ts, markdown_text="x")
    assert await error_of(append) == "message_not_in_streaming_state"


async def test_a_stream_in_a_channel_names_who_it_is_for(
    slack: LocalSlack, client: AsyncWebClient, ann: Person, general: Place
) -> None:
    asked = await ann.says("hello", general)
    where: dict[str, Any] = {"channel": general.id, "thread_ts": asked.ts}

    assert await error_of(client.chat_startStream(**where)) == "missing_recipient_user_id"
    nobody = client.chat_startStream(**where, recipient_user_id=ann.id)
    assert await error_of(nobody) == "missing_recipient_team_id"
    other = client.chat_startStream(**where, recipient_user_id=ann.id, recipient_team_id="T1")
    assert await error_of(other) == "team_not_found"
    stranger = client.chat_startStream(**where, recipient_user_id="U1", recipient_team_id=slack.team_id)
    assert await error_of(stranger) == "user_not_found"
    await client.chat_startStream(**where, recipient_user_id=ann.id, recipient_team_id=slack.team_id)
    in_dm = client.chat_startStream(channel=ann.dm.id, thread_ts="1.000001")
    assert await error_of(in_dm) == "invalid_thread_ts"


async def test_what_is_no_stream_takes_no_text(client: AsyncWebClient, ann: Person, asked: MessageSeen) -> None:
    post = str((await client.chat_postMessage(channel=ann.dm.id, text="post"))["ts"])
    ts = await started(client, ann, asked)

    for wanted, error in ((post, "message_not_in_streaming_state"), (asked.ts, "message_not_owned_by_app")):
        append = client.chat_appendStream(channel=ann.dm.id, ts=wanted, markdown_text="x")
        assert await error_of(append) == error
    assert await error_of(client.chat_appendStream(channel=ann.dm.id, ts=ts)) == "no_text"
    wrong = client.chat_appendStream(channel=ann.dm.id, ts=ts, chunks=[{"type": "song"}])
    assert await error_of(wrong) == "invalid_chunks"


async def test_tasks_are_shown_in_a_stream_that_has_no_text_yet(
    client: AsyncWebClient, ann: Person, asked: MessageSeen
) -> None:
    ts = await started(client, ann, asked)
    for state in ("in_progress", "complete"):
        chunk = TaskUpdateChunk(id="read", title="Reading", status=state)
        await client.chat_appendStream(channel=ann.dm.id, ts=ts, chunks=[chunk])
    (seen,) = (await ann.dm.look()).bots

    assert [object_in((one.tasks or {}).get("read")).get("status") for one in seen.versions] == [
        None,
        "in_progress",
        "complete",
    ]
    assert seen.text == ""


async def test_a_workspace_without_streams_says_so(
    slack: LocalSlack, client: AsyncWebClient, ann: Person, asked: MessageSeen
) -> None:
    await slack.take_streams_away()

    start = client.chat_startStream(channel=ann.dm.id, thread_ts=asked.ts)
    assert await error_of(start) == "feature_not_enabled"


async def test_stop_ends_the_streams_of_its_thread_and_tells_the_app(
    slack: LocalSlack, client: AsyncWebClient, ann: Person, asked: MessageSeen
) -> None:
    other = await ann.says("something else")
    ts, other_ts = await started(client, ann, asked), await started(client, ann, other)
    await client.agents_sessions_setStatus(channel_id=ann.dm.id, thread_ts=asked.ts, status="processing", title="Tea")
    await client.chat_appendStream(channel=ann.dm.id, ts=ts, markdown_text="one ")
    stopped = await ann.stops(asked)
    (told,) = await slack.deliveries("agent_session_stopped")
    event = object_in(told.body["event"])
    append = client.chat_appendStream(channel=ann.dm.id, ts=ts, markdown_text="two")

    assert stopped == [ts]
    assert (event["channel"], event["thread_ts"], event["user"]) == (ann.dm.id, asked.ts, ann.id)
    assert event["streaming_message_ts"] == [ts]
    assert await error_of(append) == "stopped_by_user"
    await client.chat_appendStream(channel=ann.dm.id, ts=other_ts, markdown_text="goes on")
    assert (await ann.dm.look()).thread(asked.ts).session.status == "processing"  # type: ignore[union-attr] # there is one
    await client.chat_stopStream(channel=ann.dm.id, ts=ts, session_status="active", metadata=METADATA)
    seen = await ann.dm.look()
    session = seen.thread(asked.ts).session
    assert session is not None
    assert ([status for _, status in session.history], session.title) == (["processing", "active"], "Tea")
    assert seen.in_thread(asked.ts)[0].text == "one "


async def test_nobody_can_stop_what_is_not_worked_on(client: AsyncWebClient, ann: Person, asked: MessageSeen) -> None:
    with pytest.raises(OrderRefused, match="no session is processing"):
        await ann.stops(asked)
    await client.agents_sessions_setStatus(channel_id=ann.dm.id, thread_ts=asked.ts, status="active")

    with pytest.raises(OrderRefused, match="no session is processing"):
        await ann.stops(asked)


async def test_sessions_have_statuses_and_titles(
    slack: LocalSlack, client: AsyncWebClient, ann: Person, asked: MessageSeen
) -> None:
    where = {"channel_id": ann.dm.id, "thread_ts": asked.ts}
    assert await error_of(client.agents_sessions_rename(**where, title="x")) == "session_not_found"
    assert await error_of(client.agents_sessions_setStatus(**where, status="dancing")) == "invalid_status"
    no_thread = client.agents_sessions_setStatus(channel_id=ann.dm.id, status="active")
    assert await error_of(no_thread) == "thread_ts_required"
    first = await client.agents_sessions_setStatus(**where, status="processing", title="Tea")
    again = await client.agents_sessions_setStatus(**where, status="active", title="Coffee")
    await client.agents_sessions_rename(**where, title="Green tea")
    await ann.renames_session(asked, "My tea")
    (told,) = await slack.deliveries("agent_session_title_changed")

    assert (first["title"], again["title"], again["agent_status"]) == ("Tea", "Tea", "active")
    assert "warning" not in first
    assert (object_in(told.body["event"])["previous_title"], object_in(told.body["event"])["title"]) == (
        "Green tea",
        "My tea",
    )


async def test_prompts_belong_to_the_whole_conversation_and_statuses_to_a_thread(
    client: AsyncWebClient, ann: Person, asked: MessageSeen, general: Place
) -> None:
    prompts = [{"title": "Tea?", "message": "Tell me of tea"}]
    await client.assistant_threads_setSuggestedPrompts(channel_id=ann.dm.id, prompts=prompts)
    await client.assistant_threads_setStatus(channel_id=ann.dm.id, thread_ts=asked.ts, status="is thinking…")
    await client.assistant_threads_setTitle(channel_id=ann.dm.id, thread_ts=asked.ts, title="Tea")
    seen = await ann.dm.look()

    assert seen.thread("").prompts == tuple(prompts)
    assert [status for _, status in seen.thread(asked.ts).statuses] == ["is thinking…"]
    assert seen.thread(asked.ts).title == "Tea"
    many = client.assistant_threads_setSuggestedPrompts(channel_id=ann.dm.id, thread_ts=asked.ts, prompts=prompts * 5)
    assert await error_of(many) == "invalid_arguments"


class TestBeforeAgents:
    @pytest.fixture
    def options(self) -> Options:
        events = tuple(one for one in Options().app.events if not one.startswith("agent_"))
        return Options(app=AppOptions(is_agent_view=False, events=events), rates=NO_RATES)

    async def test_opening_the_app_begins_an_assistant_thread(
        self, slack: LocalSlack, client: AsyncWebClient, ann: Person
    ) -> None:
        await ann.opens_app("messages")
        (begun,) = await slack.deliveries("assistant_thread_started")
        thread = object_in(object_in(begun.body["event"])["assistant_thread"])
        asked = await ann.says("hello", thread=str(thread["thread_ts"]))

        assert (thread["channel_id"], thread["user_id"]) == (ann.dm.id, ann.id)
        assert asked.thread_ts == thread["thread_ts"]
        no_thread = client.assistant_threads_setSuggestedPrompts(channel_id=ann.dm.id, thread_ts="", prompts=[])
        assert await error_of(no_thread) == "invalid_arguments"

    async def test_an_app_that_does_not_listen_to_stop_is_warned_and_can_not_be_stopped(
        self, client: AsyncWebClient, ann: Person
    ) -> None:
        asked = await ann.says("hello")
        where = {"channel_id": ann.dm.id, "thread_ts": asked.ts}
        told = await client.agents_sessions_setStatus(**where, status="processing")

        assert told["warning"] == "missing_agent_session_stopped_event_subscription"
        with pytest.raises(OrderRefused, match="does not listen"):
            await ann.stops(asked)


async def test_streams_of_many_threads_grow_side_by_side(client: AsyncWebClient, ann: Person) -> None:
    roots = [await ann.says(f"question {number}") for number in range(5)]

    async def answer(root: MessageSeen) -> None:
        ts = await started(client, ann, root)
        for _ in range(3):
            await client.chat_appendStream(channel=ann.dm.id, ts=ts, markdown_text=root.text)
        await client.chat_stopStream(channel=ann.dm.id, ts=ts)

    await asyncio.gather(*map(answer, roots))
    seen = await ann.dm.look()

    assert [seen.in_thread(root.ts)[0].text for root in roots] == [root.text * 3 for root in roots]
