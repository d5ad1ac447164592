"""What a sender makes of a reply's parts, as the local Slack shows it to people."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from adapters.slack.buttons import FEEDBACK, REGENERATE, STOP
from adapters.slack.outbound import EDITED_LIMIT_UNITS, LIMIT_UNITS
from adapters.slack.streams import MOST_EDITED
from core.dialogue import Attachment
from core.errors import MessageGone, PlatformAway, PlatformRefused
from tests.integration.slack.sending import TOKEN, Stage, mark_of, standing, stream_of


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with standing() as stage:
        yield stage


async def test_a_reply_is_streamed_and_ends_with_its_buttons(stage: Stage) -> None:
    assert stage.sender.capabilities(stage.key).native_stream
    handle = await stage.sender.open(stage.part())
    await stage.shows(handle, "Rain is", "Rain is **water**")
    assert (await stage.written())[0].is_live

    await stage.sender.close(handle, stage.last("Rain is **water** that falls."))

    (reply,) = await stage.written()
    assert (reply.ts, reply.text, reply.is_live) == (handle, "Rain is **water** that falls.", False)
    assert reply.texts == ["", "Rain is", "Rain is **water**", "Rain is **water** that falls."]
    assert reply.actions == [FEEDBACK, REGENERATE]
    assert mark_of(reply) == {"part": f"{TOKEN}.0", "state": "last"}
    assert (stream_of(reply).recipient_user_id, stream_of(reply).recipient_team_id) == (
        stage.anna.id,
        stage.slack.team_id,
    )
    assert await stage.calls("chat.update") == 0


async def test_no_recipient_is_named_in_a_dm() -> None:
    async with standing(is_direct=True) as stage:
        handle = await stage.sender.open(stage.part())
        await stage.sender.close(handle, stage.last("hello"))

        (reply,) = await stage.written()
        assert (reply.text, stream_of(reply).recipient_user_id) == ("hello", "")
        assert await stage.calls("users.info") == 0


async def test_the_asker_is_asked_about_once(stage: Stage) -> None:
    for number in range(3):
        await stage.sender.open(stage.part("", number))

    assert await stage.calls("users.info") == 1


async def test_a_whole_part_is_posted_at_once_and_closed_without_another_call(stage: Stage) -> None:
    part = stage.last("Rain.")
    handle = await stage.sender.open(part)
    await stage.sender.close(handle, part)

    (reply,) = await stage.written()
    assert (reply.ts, reply.text, reply.actions) == (handle, "Rain.", [FEEDBACK, REGENERATE])
    assert (reply.stream, reply.unfurls) == (None, False)
    assert [call.method for call in await stage.slack.calls()] == ["chat.postMessage"]


async def test_what_is_no_ones_drawing_has_no_buttons(stage: Stage) -> None:
    await stage.sender.open(stage.last("You have said /help.", is_drawn=False))

    assert (await stage.written())[0].actions == []


async def test_only_the_last_part_has_buttons(stage: Stage) -> None:
    await stage.sender.open(stage.part("One.", is_closed=True))
    await stage.sender.open(stage.last("Two.", 1))

    assert [reply.actions for reply in await stage.written()] == [[], [FEEDBACK, REGENERATE]]


@pytest.mark.parametrize("is_streamed", [True, False])
async def test_no_mention_of_a_model_fires(stage: Stage, is_streamed: bool) -> None:
    text = "<!channel> `<!here>` <@U1>\n```\n<!everyone> <#C1|x>\n```"
    if is_streamed:
        handle = await stage.sender.open(stage.part())
        await stage.shows(handle, "<!chan", text)
        await stage.sender.close(handle, stage.last(text))
    else:
        await stage.sender.open(stage.last(text))

    (reply,) = await stage.written()
    assert (reply.text, reply.fires) == (text, [])
    assert all("<!" not in version.said and "<@" not in version.said for version in reply.versions)


async def test_work_is_shown_by_a_card_that_is_done_with_the_first_text(stage: Stage) -> None:
    handle = await stage.sender.open(stage.part())
    await stage.sender.show_work(handle, stage.part(), "2 are before you")
    stage.time.now += 30
    await stage.sender.show_work(handle, stage.part(), "2 are before you")
    (waiting,) = await stage.written()
    assert [(task["title"], task["status"]) for task in waiting.tasks.values()] == [("2 are before you", "in_progress")]
    assert await stage.calls("chat.appendStream") == 1

    await stage.shows(handle, "Rain")
    (begun,) = await stage.written()
    assert [task["status"] for task in begun.tasks.values()] == ["complete"]
    assert begun.text == "Rain"


async def test_a_card_of_a_reply_that_came_whole_is_done_too(stage: Stage) -> None:
    handle = await stage.sender.open(stage.part())
    await stage.sender.show_work(handle, stage.part(), "wait")
    await stage.sender.close(handle, stage.last("Rain"))

    (reply,) = await stage.written()
    assert [task["status"] for task in reply.tasks.values()] == ["complete"]
    assert reply.text == "Rain"


async def test_where_there_are_no_streams_a_message_is_changed_as_it_grows(stage: Stage) -> None:
    await stage.slack.take_streams_away()
    with pytest.raises(PlatformAway):
        await stage.sender.open(stage.part())
    can = stage.sender.capabilities(stage.key)
    assert (can.edits, can.native_stream, can.limit_chars) == (True, False, EDITED_LIMIT_UNITS)

    handle = await stage.sender.open(stage.part("Rain"))
    (begun,) = await stage.written()
    assert (begun.text, begun.actions) == ("Rain", [STOP])
    stage.time.now += 30
    await stage.sender.update(handle, stage.part("Rain is"))
    await stage.sender.close(handle, stage.last("Rain is water."))

    (reply,) = await stage.written()
    assert reply.texts == ["Rain", "Rain is", "Rain is water."]
    assert reply.actions == [FEEDBACK, REGENERATE]
    assert [await stage.calls(method) for method in ("chat.startStream", "chat.stopStream")] == [1, 0]


async def test_too_many_messages_that_grow_become_posts(stage: Stage) -> None:
    await stage.slack.take_streams_away()
    with pytest.raises(PlatformAway):
        await stage.sender.open(stage.part())
    for number in range(MOST_EDITED):
        assert stage.sender.capabilities(stage.key).edits
        await stage.sender.open(stage.part("Rain", number))

    can = stage.sender.capabilities(stage.key)
    assert (can.edits, can.native_stream, can.read_back, can.limit_chars) == (False, False, True, LIMIT_UNITS)


async def test_a_growing_message_that_somebody_deletes_is_told_of_in_the_end(stage: Stage) -> None:
    await stage.slack.take_streams_away()
    with pytest.raises(PlatformAway):
        await stage.sender.open(stage.part())
    handle = await stage.sender.open(stage.part("Rain"))
    await stage.place.delete((await stage.written())[0])
    stage.time.now += 30
    await stage.sender.update(handle, stage.part("Rain is"))
    stage.time.now += 30
    await stage.sender.update(handle, stage.part("Rain is water"))

    with pytest.raises(MessageGone):
        await stage.sender.close(handle, stage.last("Rain is water."))
    assert await stage.calls("chat.update") == 1


async def test_a_stream_that_somebody_deletes_is_told_of_in_the_end(stage: Stage) -> None:
    handle = await stage.sender.open(stage.part())
    await stage.shows(handle, "Rain")
    await stage.place.delete((await stage.written())[0])
    await stage.shows(handle, "Rain is", "Rain is water")

    with pytest.raises(MessageGone):
        await stage.sender.close(handle, stage.last("Rain is water."))
    again = await stage.sender.open(stage.last("Rain is water."))
    assert [(reply.ts, reply.text) for reply in await stage.written()] == [(again, "Rain is water.")]


async def test_a_needless_part_is_taken_away(stage: Stage) -> None:
    handle = await stage.sender.open(stage.part("", 1))
    await stage.sender.withdraw(handle, stage.part("", 1, is_closed=True))
    await stage.sender.withdraw(handle, stage.part("", 1, is_closed=True))

    assert await stage.written() == []


async def test_an_archived_channel_refuses_for_good(stage: Stage) -> None:
    await stage.place.archive()

    for part in (stage.part(), stage.last("Rain.")):
        with pytest.raises(PlatformRefused):
            await stage.sender.open(part)


async def test_a_place_where_the_app_is_not_installed_is_refused(stage: Stage) -> None:
    key = replace(stage.key, workspace="T404")

    with pytest.raises(PlatformRefused):
        await stage.sender.open(stage.last("Rain.", session_key=key))


async def test_a_text_goes_without_its_buttons_where_slack_does_not_take_them(stage: Stage) -> None:
    for method in ("chat.postMessage", "chat.stopStream", "chat.update"):
        await stage.slack.fault("answer", method, status=200, error="invalid_blocks")
    await stage.sender.open(stage.last("One."))
    handle = await stage.sender.open(stage.part("", 1))
    await stage.sender.close(handle, stage.last("Two.", 1))
    await stage.start_anew().close(handle, stage.last("Two!", 1))

    assert [(reply.text, reply.actions) for reply in await stage.written()] == [("One.", []), ("Two!", [])]


async def test_nothing_is_asked_for_a_file_without_a_name(stage: Stage) -> None:
    with pytest.raises(PlatformRefused):
        await stage.sender.read(stage.key, Attachment("a file", "", 0, ""), 100)


async def test_a_text_that_contradicts_what_was_seen_is_shown_in_the_end_alone(stage: Stage) -> None:
    handle = await stage.sender.open(stage.part())
    await stage.shows(handle, "Rain", "Snow is white", "Rain is water")
    await stage.sender.close(handle, stage.last("Snow is white"))

    (reply,) = await stage.written()
    assert reply.texts == ["", "Rain", "Rain", "Snow is white"]
    assert not reply.is_live
