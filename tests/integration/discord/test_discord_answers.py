"""Interactions are answered where Discord keeps a place for it, as long as it takes that, and in the channel later."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from bots.sandbox.local_discord.options import Options
from core.dialogue import Opinion
from core.errors import PlatformAway, PlatformError, PlatformRefused, RateLimited, SendUnclear, StorageError
from tests.integration.discord.sending import KnownTokens, Stage, opinions_of, standing

TOO_LATE_S = 901.0


@pytest.fixture
async def stage() -> AsyncIterator[Stage]:
    async with standing() as stage:
        yield stage


async def answers(stage: Stage) -> list[tuple[str, str]]:
    """What the bot wrote, and who alone sees it."""
    return [(message.text, message.only_for) for message in await stage.written()]


async def test_an_answer_takes_the_place_that_is_kept_for_it(stage: Stage) -> None:
    asked = await stage.asked()
    handle = await stage.sender.open(stage.part("Ra", reply_to_id=asked))
    await stage.sender.update(handle, stage.part("Rain", reply_to_id=asked))
    await stage.sender.close(handle, stage.last("Rain.", reply_to_id=asked))

    (message,) = await stage.written()
    assert message.id == handle
    assert message.texts[-3:] == ["Ra", "Rain", "Rain."]
    assert not message.is_loading
    assert message.hides_embeds
    assert opinions_of(message, stage.place.id) == [Opinion.REGENERATE, Opinion.GOOD, Opinion.BAD]
    assert await stage.calls("create_message") == 0


async def test_sending_again_changes_the_same_message(stage: Stage) -> None:
    asked = await stage.asked()
    part = stage.last("Rain.", reply_to_id=asked)
    await stage.discord.fault("drop_after", "edit_response")
    with pytest.raises(SendUnclear):
        await stage.sender.open(part)
    later = stage.start_anew()

    assert await later.find(part) == await later.open(part)
    assert await answers(stage) == [("Rain.", "")]


async def test_an_answer_whose_own_place_somebody_took_away_is_found_in_the_channel(stage: Stage) -> None:
    asked = await stage.asked()
    await stage.anna.deletes((await stage.place.look()).bots[-1], stage.place)
    part = stage.part("Rain", reply_to_id=asked)
    sent = await stage.sender.open(part)
    await stage.discord.advance(301)  # Discord has forgotten the nonce
    later = stage.start_anew()

    assert await later.find(part) == sent


async def test_an_answer_for_one_alone_stays_so_with_all_its_parts(stage: Stage) -> None:
    asked = await stage.asked(is_private=True)
    first = await stage.sent(stage.part("one", reply_to_id=asked, is_closed=True))
    second = await stage.sender.open(stage.part("tw", 1, reply_to_id=asked))
    await stage.sender.update(second, stage.part("two", 1, reply_to_id=asked))
    await stage.sender.close(second, stage.last("two.", 1, reply_to_id=asked))

    assert first != second
    assert await answers(stage) == [("one", stage.anna.id), ("two.", stage.anna.id)]
    await stage.sender.withdraw(second, stage.last("", 1, reply_to_id=asked))
    assert await answers(stage) == [("one", stage.anna.id)]


async def test_what_goes_on_stands_in_the_channel_below_the_answer(stage: Stage) -> None:
    asked = await stage.asked()
    first = await stage.sent(stage.part("one", reply_to_id=asked, is_closed=True))
    later = stage.start_anew()
    part = stage.last("two", 1, reply_to_id=asked)
    second = await later.open(part)

    one, two = await stage.written()
    assert (one.id, two.id) == (first, second)
    assert two.replies_to == first
    assert two.is_silent
    assert await stage.start_anew().find(part) == second
    assert await later.open(part) == second
    await later.withdraw(second, part)
    assert await answers(stage) == [("one", "")]


async def test_an_answer_that_comes_too_late_is_a_message_in_the_channel(stage: Stage) -> None:
    asked = await stage.asked()
    await stage.discord.advance(TOO_LATE_S)
    stage.tokens.known.clear()
    part = stage.part("Ra", reply_to_id=asked)
    handle = await stage.sender.open(part)
    await stage.sender.close(handle, stage.last("Rain.", reply_to_id=asked))

    message = (await stage.written())[-1]
    assert message.id == handle
    assert message.text == "Rain."
    assert await stage.start_anew().find(part) == handle


async def test_an_answer_that_takes_too_long_is_finished_in_its_message(stage: Stage) -> None:
    asked = await stage.asked()
    handle = await stage.sender.open(stage.part("Ra", reply_to_id=asked))
    await stage.discord.advance(TOO_LATE_S)
    stage.tokens.known.clear()
    await stage.sender.update(handle, stage.part("Rain", reply_to_id=asked))
    later = stage.start_anew()
    assert await later.find(stage.part("Rain", reply_to_id=asked)) == handle
    await later.close(handle, stage.last("Rain.", reply_to_id=asked))

    assert await answers(stage) == [("Rain.", "")]


async def test_a_token_that_discord_takes_no_more_is_asked_with_for_a_moment_only(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = await stage.asked()
    await stage.discord.advance(TOO_LATE_S)
    part = stage.last("Rain.", reply_to_id=asked)
    with pytest.raises(PlatformAway):
        await stage.sender.open(part)
    monkeypatch.setattr("adapters.discord.interaction_replies._ACKED_WITHIN_S", 0.0)
    await stage.sender.open(part)
    tried = await stage.calls("edit_response")
    await stage.sender.open(part)

    assert await stage.calls("edit_response") == tried
    assert (await answers(stage))[-1] == ("Rain.", "")


async def test_for_one_alone_too_late_is_for_good(stage: Stage) -> None:
    asked = await stage.asked(is_private=True)
    stage.tokens.known.clear()
    part = stage.last("secret", reply_to_id=asked)
    assert await stage.sender.find(part) is None
    with pytest.raises(PlatformRefused, match="too old"):
        await stage.sender.open(part)
    with pytest.raises(PlatformRefused, match="too old"):
        await stage.sender.close("1", part)
    await stage.sender.withdraw("1", part)
    assert "secret" not in [text for text, _ in await answers(stage)]


async def test_an_answer_that_is_quicker_than_the_ack_waits_for_it(stage: Stage) -> None:
    asked = await stage.asked(acks=False)
    part = stage.last("Rain.", reply_to_id=asked)
    with pytest.raises(PlatformAway, match="acked"):
        await stage.sender.open(part)
    (seen,) = [seen for seen in await stage.discord.interactions() if asked.endswith(seen.id)]
    await stage.ack(seen)
    await stage.sender.open(part)

    assert await answers(stage) == [("Rain.", "")]


async def test_what_is_said_beside_an_answer_does_not_take_its_place(stage: Stage) -> None:
    asked = await stage.asked()
    beside = stage.last("Another persona.", reply_to_id=f"{asked}.0", token="beside", is_drawn=False)
    await stage.sent(beside)
    await stage.sent(stage.last("Rain.", reply_to_id=asked))
    private = await stage.asked(is_private=True)
    await stage.sent(stage.last("Set.", reply_to_id=private, token="t1"))
    await stage.sent(stage.last("Set too.", reply_to_id=f"{private}.1", token="t2"))

    seen = await stage.written()
    assert {message.text: message.only_for for message in seen} == {
        "Rain.": "",
        "Another persona.": "",
        "Set.": stage.anna.id,
        "Set too.": stage.anna.id,
    }
    (note,) = [message for message in seen if message.text == "Another persona."]
    assert note.is_silent
    assert note.replies_to == ""


async def test_where_the_bot_is_not_a_long_reply_goes_along_as_a_file() -> None:
    async with standing() as stage:
        eve = await stage.discord.person("Eve", has_app=True)
        group = await stage.discord.group_dm(eve, stage.anna)
        stage.anna = eve
        asked = await stage.asked(place=group)
        key = replace(stage.key, workspace="", channel=group.id, person=eve.id)
        assert stage.sender.capabilities(key).limit_chars == 100_000
        text = "Rain falls. " * 1000
        part = stage.last(text, reply_to_id=asked, session_key=key)
        handle = await stage.sender.open(replace(part, markdown="Rain", is_closed=False))
        await stage.sender.update(handle, replace(part, is_closed=False))
        for _ in range(2):
            await stage.sender.close(handle, part)
        await stage.sender.show_typing(key, asked, "")

        (message,) = await stage.written(group)
        assert message.text.startswith("Rain falls. Rain falls.")
        assert len(message.text) <= 2000
        assert [file.text for file in message.attachments] == [text]
        assert await stage.calls("typing") == 0
        assert await stage.calls("create_message") == 0


async def test_a_database_that_is_away_is_waited_for(stage: Stage) -> None:
    class Away(KnownTokens):
        async def of(self, interaction_id: str) -> str | None:
            raise StorageError("away")

    asked = await stage.asked()
    known, stage.tokens = stage.tokens, Away()
    with pytest.raises(PlatformAway):
        await stage.start_anew().open(stage.last("Rain.", reply_to_id=asked))
    stage.tokens = known
    await stage.start_anew().open(stage.last("Rain.", reply_to_id=asked))
    assert await answers(stage) == [("Rain.", "")]


async def test_an_answer_that_somebody_deleted_is_sent_anew(stage: Stage) -> None:
    asked = await stage.asked()
    handle = await stage.sender.open(stage.part("Ra", reply_to_id=asked))
    await stage.place.delete_messages(*await stage.written())
    last = stage.last("Rain.", reply_to_id=asked)
    with pytest.raises(PlatformError):
        await stage.sender.close(handle, last)
    await stage.sent(last)

    assert await answers(stage) == [("Rain.", "")]


async def test_what_is_shown_of_an_answer_waits_for_nothing_and_keeps_to_the_limits() -> None:
    async with standing(Options()) as stage:
        asked = await stage.asked()
        handle = await stage.sender.open(stage.part("Ra", reply_to_id=asked))

        async def show() -> None:
            for number in range(20):
                await stage.sender.update(handle, stage.part("Ra" + "i" * number, reply_to_id=asked))

        with pytest.raises(RateLimited) as raised:
            await asyncio.wait_for(show(), 5)
        assert 0 < raised.value.retry_after_s <= 5
        await stage.sender.close(handle, stage.last("Rain.", reply_to_id=asked))

        assert await stage.discord.excesses() == {}
        (message,) = await stage.written()
        assert message.text == "Rain."
        assert len(message.versions) > 2
