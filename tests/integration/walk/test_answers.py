"""What people get: one answer to each message, in order, on every platform."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from core.dialogue import Called, InboundMessage
from core.generation.request import Waiting
from core.ports import Arrival, Cursor
from tests.platforms.kinds import KINDS, Kind
from tests.platforms.paper_bot import ANSWERS, OPTIONS, Place
from tests.platforms.paper_model import PaperModel, answer_to
from tests.platforms.paper_sender import BOT, PaperEvent

ON_EVERY_PLATFORM = pytest.mark.parametrize("on", KINDS.values(), ids=KINDS)


def long_answer(question: str) -> str:
    """Too long for one message of any platform here."""
    return answer_to(question, words=30)


def joined(parts: list[str]) -> str:
    return " ".join(" ".join(parts).split())


async def test_a_message_is_answered(place: Place) -> None:
    async with place.bot() as bot:
        asked = await bot.says("hello")
        await bot.settles()

        assert place.platform.said(asked) == [answer_to("hello")]
        assert [told.state for told in await bot.told()] == ["delivered"]


async def test_a_redelivered_event_is_answered_once(place: Place) -> None:
    async with place.bot() as bot:
        await bot.says("hello", id="m1")
        await bot.says("hello", id="m1")
        await bot.settles()
        await bot.receives(PaperEvent("m1", "general", "hello"), PaperEvent("m1", "general", "hello"))
        await bot.settles()

        assert place.platform.said("m1") == [answer_to("hello")]
        assert len(await bot.told()) == 1


async def test_two_copies_in_one_batch_are_answered_once(place: Place) -> None:
    async with place.bot() as bot:
        await bot.receives(PaperEvent("m1", "general", "hello"), PaperEvent("m1", "general", "hello"))
        await bot.settles()

        assert place.platform.said("m1") == [answer_to("hello")]


async def test_a_session_is_answered_in_order_and_one_message_at_a_time(place: Place) -> None:
    async with place.bot() as bot:
        questions = [f"question {number}" for number in range(6)]
        for question in questions:
            await bot.says(question)
        await bot.settles()

        assert bot.model.asked() == questions
        assert bot.model.most_at_once == 1
        assert place.platform.seen("general") == [answer_to(question) for question in questions]


async def test_many_sessions_are_answered_at_once(place: Place) -> None:
    async with place.bot() as bot:
        bot.model.hold()
        asked = [await bot.says(f"question {number}", channel=f"c{number}") for number in range(10)]
        await bot.until(lambda: len(bot.model.requests) == 10)
        bot.model.go()
        await bot.settles()

        assert bot.model.most_at_once == 10
        assert [place.platform.said(one) for one in asked] == [[answer_to(f"question {n}")] for n in range(10)]


async def test_no_more_places_are_taken_than_a_process_may_hold(place: Place) -> None:
    options = replace(OPTIONS, dispatch=replace(OPTIONS.dispatch, places=3))
    async with place.bot(options=options) as bot:
        asked = [await bot.says("hello", channel=f"c{number}") for number in range(9)]
        await bot.settles()

        assert bot.model.most_at_once <= 3
        assert all(place.platform.said(one) == [answer_to("hello")] for one in asked)


@ON_EVERY_PLATFORM
async def test_a_long_reply_arrives_whole_in_parts(place_on: Callable[[Kind], Place], on: Kind) -> None:
    place = place_on(on)
    async with place.bot(PaperModel(long_answer, pace_s=0.02)) as bot:
        asked = await bot.says("hello")
        await bot.settles()

        parts = place.platform.said(asked)
        assert len(parts) > 2
        assert joined(parts) == long_answer("hello")
        assert place.platform.seen("general") == parts
        assert place.platform.violations == []


@ON_EVERY_PLATFORM
async def test_what_is_shown_of_a_reply_only_grows(place_on: Callable[[Kind], Place], on: Kind) -> None:
    place = place_on(on)
    async with place.bot(PaperModel(long_answer, pace_s=0.02)) as bot:
        await bot.says("hello")
        await bot.settles()

        for message in place.platform.messages.values():
            texts = [text for text in message.texts if text != "…"]
            assert all(later.startswith(earlier) for earlier, later in pairwise(texts))


async def test_edits_are_paced_and_the_latest_words_win(place: Place) -> None:
    async with place.bot(PaperModel(lambda question: answer_to(question, 8))) as bot:
        bot.model.hold(after_words=5)
        asked = await bot.says("hi")
        words = answer_to("hi", 8).split()
        await bot.until(lambda: place.platform.seen("general") == [" ".join(words[:5])])
        bot.model.go()
        await bot.settles()

        [message] = [seen for seen in place.platform.messages.values() if seen.reply_to == asked]
        assert message.text == " ".join(words)
        assert len(message.texts) < len(words)


async def test_somebody_who_waits_is_told_why_and_the_reply_takes_its_place(place: Place) -> None:
    async with place.bot() as bot:
        bot.model.hold(Waiting(loading="tiny", fraction=0.25))
        asked = await bot.says("hello")
        await bot.until(lambda: place.platform.seen("general") == ["The model is loading (25 %) …"])
        bot.model.go()
        await bot.settles()

        assert place.platform.said(asked) == place.platform.seen("general") == [answer_to("hello")]


async def test_a_short_wait_is_not_spoken_of(place: Place) -> None:
    patient = replace(OPTIONS, answer=replace(ANSWERS, notice_after_s=30.0))
    async with place.bot(options=patient) as bot:
        bot.model.hold(Waiting(position=3))
        asked = await bot.says("hello")
        await bot.until(lambda: bool(bot.model.requests))
        bot.model.go()
        await bot.settles()

        assert [seen.texts for seen in place.platform.messages.values()] == [[answer_to("hello")]]
        assert place.platform.said(asked) == [answer_to("hello")]


async def test_a_stream_says_nothing_that_it_could_not_take_back(place_on: Callable[[Kind], Place]) -> None:
    place = place_on(KINDS["slack"])
    async with place.bot() as bot:
        bot.model.hold(Waiting(position=2))
        asked = await bot.says("hello")
        await bot.until(lambda: [seen.work for seen in place.platform.messages.values()] == ["2 before you …"])
        assert place.platform.seen("general") == [""]
        bot.model.go()
        await bot.settles()

        assert place.platform.said(asked) == place.platform.seen("general") == [answer_to("hello")]


async def test_a_stream_shows_that_a_reply_without_a_word_is_worked_on(place_on: Callable[[Kind], Place]) -> None:
    place = place_on(KINDS["slack"])
    async with place.bot() as bot:
        bot.model.hold()
        asked = await bot.says("a long question")
        await bot.until(lambda: [seen.work for seen in place.platform.messages.values()] == ["I am at it …"])
        bot.model.go()
        await bot.settles()

        assert place.platform.said(asked) == [answer_to("a long question")]
        assert place.platform.violations == []


async def test_a_stream_that_grows_too_old_goes_on_in_another_one(place_on: Callable[[Kind], Place]) -> None:
    """The platform would take nothing more soon after."""
    slack = KINDS["slack"]
    short_lived = replace(
        slack,
        limit_chars=10_000,
        stream_limit_chars=10_000,
        stream_age_s=2.0,
        capabilities=replace(slack.capabilities, stream_age_s=0.3),
    )
    place = place_on(short_lived)
    async with place.bot(PaperModel(lambda question: answer_to(question, 60), pace_s=0.03)) as bot:
        asked = await bot.says("hello")
        await bot.settles()

        parts = place.platform.said(asked)
        assert joined(parts) == answer_to("hello", 60)
        assert len(parts) > 2
        assert [call.trouble for call in place.platform.log if call.trouble is not None] == []


async def test_what_one_person_says_at_once_is_answered_as_one_turn(place: Place) -> None:
    options = replace(OPTIONS, answer=replace(ANSWERS, burst_s=0.4))
    async with place.bot(options=options) as bot:
        first = await bot.says("one")
        second = await bot.says("two")
        other = await bot.says("three", person="ben")
        await bot.settles()

        assert bot.model.asked()[0].split("\n") == ["one", "two"]
        assert len(bot.model.requests) == 2
        assert place.platform.said(first) == [answer_to("one\ntwo")]
        assert place.platform.said(second) == []
        assert len(place.platform.said(other)) == 1
        assert [told.state for told in await bot.told()] == ["delivered"] * 3


async def test_what_is_asked_by_commands_of_the_platforms_own_is_answered_one_by_one(place: Place) -> None:
    """Somebody looks at the place that the platform keeps for each answer."""
    options = replace(OPTIONS, answer=replace(ANSWERS, burst_s=0.4))
    async with place.bot(options=options) as bot:
        first = await bot.says("one")
        events = [PaperEvent("c1", "general", "two"), PaperEvent("c2", "general", "three")]
        await bot.accept([by_command(event.arrival(place.platform.kind)) for event in events])
        last = await bot.says("four")
        await bot.settles()

        assert bot.model.asked() == ["one", "two", "three", "four"]
        said = [place.platform.said(asked) for asked in (first, "c1", "c2", last)]
        assert said == [[answer_to(question)] for question in bot.model.asked()]


def by_command(arrival: Arrival) -> Arrival:
    assert isinstance(arrival.inbound, InboundMessage)
    return replace(arrival, inbound=replace(arrival.inbound, called=Called(directly=True, by_command=True)))


async def test_the_typing_indicator_ends_with_the_reply(place: Place) -> None:
    async with place.bot() as bot:
        bot.model.hold()
        await bot.says("hello")
        await bot.until(lambda: len(place.platform.typing) == 1)
        bot.model.go()
        await bot.settles()
        await bot.until(lambda: not place.platform.typing)


async def test_what_is_not_understood_is_kept_and_blocks_nothing(place: Place) -> None:
    async with place.bot() as bot:
        await bot.receives(PaperEvent("m1", "", "?"), PaperEvent("m2", "general", "hello"))
        await bot.settles()

        assert place.platform.said("m2") == [answer_to("hello")]
        dead, answered = await bot.told()
        assert (dead.state, dead.reason) == ("dead", "the event names no channel")
        assert answered.state == "delivered"


async def test_a_cursor_moves_with_what_was_accepted_and_never_back(place: Place) -> None:
    async with place.bot() as bot:
        inbox = bot.accept._inbox  # type: ignore[attr-defined]
        platform = place.platform.kind.platform
        arrivals = [PaperEvent("m1", "general", "hello").arrival(place.platform.kind)]
        await bot.accept(arrivals, Cursor(platform, BOT, "offset", 7))
        await bot.accept([Arrival("{}", None)], Cursor(platform, BOT, "offset", 9))
        await bot.accept([], Cursor(platform, BOT, "offset", 8))
        await bot.settles()

        assert await inbox.cursor(platform, BOT, "offset") == 9
        assert len(await bot.told()) == 1
