"""What goes wrong on the way out, and in the model: nothing is lost, nothing comes twice."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest

from core.dialogue import Opinion
from core.errors import QueueFull, RequestFailed
from tests.platforms.kinds import DISCORD, KINDS, SLACK, TELEGRAM, Kind
from tests.platforms.paper_bot import ANSWERS, OPTIONS, Place
from tests.platforms.paper_model import PaperModel, answer_to
from tests.platforms.paper_platform import Call, CallFailed, Trouble
from tests.platforms.paper_sender import PaperEvent

ON_EVERY_PLATFORM = pytest.mark.parametrize("on", KINDS.values(), ids=KINDS)
#: The calls that bring a reply to people.
CALLS = ("post", "start", "append", "stop", "edit")


def long_answer(question: str) -> str:
    return answer_to(question, words=30)


def joined(parts: list[str]) -> str:
    return " ".join(" ".join(parts).split())


@ON_EVERY_PLATFORM
@pytest.mark.parametrize("trouble", [Trouble.UNANSWERED, Trouble.UNHEARD, Trouble.AWAY])
async def test_every_call_may_fail_and_the_reply_comes_once(
    place_on: Callable[[Kind], Place], on: Kind, trouble: Trouble
) -> None:
    place = place_on(on)
    async with place.bot(PaperModel(long_answer, pace_s=0.01)) as bot:
        for name in CALLS:
            place.platform.plan(name, CallFailed(trouble))
        asked = await bot.says("hello")
        await bot.settles()

        assert joined(place.platform.said(asked)) == long_answer("hello")
        assert place.platform.violations == []


@pytest.mark.parametrize("on", [DISCORD, SLACK], ids=["discord", "slack"])
async def test_no_placeholder_is_left_where_it_can_be_found(place_on: Callable[[Kind], Place], on: Kind) -> None:
    place = place_on(on)
    async with place.bot() as bot:
        for name in ("post", "start"):
            place.platform.plan(name, *[CallFailed(Trouble.UNANSWERED)] * 2)
        asked = await bot.says("hello")
        await bot.settles()

        assert place.platform.seen("general") == place.platform.said(asked) == [answer_to("hello")]


async def test_where_nothing_can_be_found_only_a_placeholder_comes_twice(place_on: Callable[[Kind], Place]) -> None:
    place = place_on(TELEGRAM)
    async with place.bot() as bot:
        place.platform.plan("post", CallFailed(Trouble.UNANSWERED))
        asked = await bot.says("hello")
        await bot.settles()

        assert place.platform.said(asked) == [answer_to("hello")]
        assert place.platform.seen("general") == ["…", answer_to("hello")]


@pytest.mark.parametrize("times", [1, 2, 3])
async def test_a_message_that_somebody_deletes_while_it_is_written_is_sent_again_as_a_placeholder_first(
    place_on: Callable[[Kind], Place], times: int
) -> None:
    place = place_on(TELEGRAM)
    async with place.bot() as bot:
        place.platform.plan("edit", *[CallFailed(Trouble.GONE)] * times)
        asked = await bot.says("hello")
        await bot.settles()

        assert place.platform.said(asked) == [answer_to("hello")]
        assert [call.name for call in place.platform.log if call.name in CALLS][:3] == ["post", "edit", "post"]


@ON_EVERY_PLATFORM
async def test_a_platform_that_wants_to_be_left_alone_is_left_alone(
    place_on: Callable[[Kind], Place], on: Kind
) -> None:
    place = place_on(on)
    async with place.bot(PaperModel(long_answer, pace_s=0.01)) as bot:
        for name in CALLS:
            place.platform.plan(name, CallFailed(Trouble.RATE_LIMITED, retry_after_s=0.3))
        asked = await bot.says("hello")
        await bot.settles()

        assert joined(place.platform.said(asked)) == long_answer("hello")
        assert all(pause >= 0.29 for pause in pauses_after_429(place.platform.log))


def pauses_after_429(log: list[Call]) -> list[float]:
    sends = [call for call in log if call.name in CALLS]
    return [following.at_s - call.at_s for call, following in pairwise(sends) if call.trouble is Trouble.RATE_LIMITED]


async def test_a_platform_that_is_away_gets_the_reply_when_it_is_back(place: Place) -> None:
    async with place.bot() as bot:
        place.platform.is_away = True
        asked = await bot.says("hello")
        await bot.until(lambda: len(place.platform.log) >= 4)
        assert place.platform.said(asked) == []
        place.platform.is_away = False
        await bot.settles()

        assert place.platform.said(asked) == [answer_to("hello")]
        assert bot.model.asked() == ["hello"]


async def test_a_reply_that_can_never_be_sent_ends_as_failed_and_the_session_goes_on(place: Place) -> None:
    async with place.bot() as bot:
        tries = ANSWERS.sending_attempts * 3
        place.platform.plan("post", *[CallFailed(Trouble.AWAY)] * tries)
        lost = await bot.says("hello")
        after = await bot.says("and now")
        await bot.settles()

        assert place.platform.said(lost) == []
        assert place.platform.said(after) == [answer_to("and now")]
        assert [told.state for told in await bot.told()] == ["failed", "delivered"]


async def test_a_permanent_refusal_pauses_that_place_alone(place: Place) -> None:
    async with place.bot() as bot:
        place.platform.refused_channels.add("closed")
        await bot.says("hello", channel="closed")
        waits = await bot.says("is anybody there", channel="closed")
        elsewhere = await bot.says("hello", channel="open")
        await bot.until(lambda: bool(place.platform.said(elsewhere)))

        await bot.until_told("failed", "waiting")
        assert place.platform.said(waits) == []


async def test_a_message_that_can_be_answered_no_more_pauses_nothing(place: Place) -> None:
    async with place.bot() as bot:
        place.platform.plan("post", CallFailed(Trouble.TOO_LATE))
        late = await bot.says("hello")
        after = await bot.says("and now")
        await bot.settles()

        assert place.platform.said(late) == []
        assert place.platform.said(after) == [answer_to("and now")]
        told = await bot.told()
        assert [(one.state, one.reason) for one in told] == [
            ("failed", "the message can be answered no more"),
            ("delivered", ""),
        ]


async def test_a_new_message_goes_on_where_a_refusal_paused(place: Place) -> None:
    async with place.bot() as bot:
        place.platform.refused_channels.add("general")
        refused = await bot.says("hello")
        await bot.settles()
        place.platform.refused_channels.clear()
        again = await bot.says("hello again")
        await bot.settles()

        assert place.platform.said(refused) == []
        assert place.platform.said(again) == [answer_to("hello again")]
        told = await bot.told()
        assert [(one.state, one.reason) for one in told] == [("failed", "the bot was kicked"), ("delivered", "")]


async def test_a_model_that_fails_is_asked_again(place: Place) -> None:
    async with place.bot() as bot:
        bot.model.failures.append(RequestFailed("bad luck"))
        asked = await bot.says("hello")
        await bot.settles()

        assert place.platform.said(asked) == [answer_to("hello")]
        assert len(bot.model.requests) == 2


async def test_a_message_that_fails_often_ends_with_an_apology_and_the_session_goes_on(place: Place) -> None:
    async with place.bot() as bot:
        bot.model.failures.extend([RequestFailed("bad luck")] * ANSWERS.attempts)
        failing = await bot.says("hello")
        after = await bot.says("and now")
        await bot.settles()

        assert place.platform.said(failing) == ["I could not answer that. Please try again later."]
        assert place.platform.said(after) == [answer_to("and now")]
        failed, delivered = await bot.told()
        assert (failed.state, failed.reason) == ("failed", "bad luck")
        assert delivered.state == "delivered"


async def test_a_fault_of_the_program_is_apologised_for_as_well(place: Place) -> None:
    async with place.bot() as bot:
        bot.model.failures.extend([ZeroDivisionError()] * ANSWERS.attempts)
        failing = await bot.says("hello")
        after = await bot.says("and now")
        await bot.settles()

        assert place.platform.said(failing) == ["I could not answer that. Please try again later."]
        assert place.platform.said(after) == [answer_to("and now")]


async def test_what_was_seen_of_a_reply_stays_above_the_apology(place: Place) -> None:
    async with place.bot(PaperModel(lambda question: answer_to(question, 8))) as bot:
        bot.model.hold(after_words=4)
        asked = await bot.says("hi")
        await bot.until(lambda: bool(place.platform.said(asked)))
        seen = place.platform.said(asked)[0]
        bot.model.interrupt(RequestFailed("bad luck"))
        bot.model.failures.extend([RequestFailed("bad luck")] * (ANSWERS.attempts - 1))
        await bot.settles()

        text = "\n".join(place.platform.said(asked))
        assert text.startswith(seen)
        assert text.endswith("I could not answer that. Please try again later.")


async def test_an_interrupted_reply_goes_on_after_the_words_that_were_seen(place: Place) -> None:
    async with place.bot(PaperModel(lambda question: answer_to(question, 8))) as bot:
        bot.model.hold(after_words=4)
        asked = await bot.says("hi")
        await bot.until(lambda: bool(place.platform.said(asked)))
        bot.model.interrupt(RequestFailed("bad luck"))
        bot.model.go()
        await bot.settles()

        assert place.platform.said(asked) == [answer_to("hi", 8)]
        assert bot.model.requests[-1].prefix_ids == (1, 2, 3, 4)


async def test_too_many_questions_are_refused_at_once(place: Place) -> None:
    async with place.bot() as bot:
        bot.model.failures.append(QueueFull("the model has too much to do", waiting=9))
        asked = await bot.says("hello")
        await bot.settles()

        [said] = place.platform.said(asked)
        assert said.startswith("Too many people are asking at once.")
        assert [told.state for told in await bot.told()] == ["refused"]


async def test_a_message_that_waits_for_another_try_is_not_hurried_by_an_urgent_one(place: Place) -> None:
    options = replace(OPTIONS, answer=replace(ANSWERS, first_pause_s=1.0, longest_pause_s=1.0))
    async with place.bot(options=options) as bot:
        await bot.says("hello")
        await bot.settles()
        [handle] = place.platform.messages
        bot.model.failures.append(RequestFailed("bad luck"))
        await bot.says("and now")
        await bot.until(lambda: len(bot.model.requests) == 2)
        await bot.receives(PaperEvent(handle, "general", what=Opinion.GOOD.value, event_id="reaction"))
        while [told.state for told in await bot.told()][2:] != ["delivered"]:
            assert len(bot.model.requests) == 2
        await bot.settles()

        assert len(bot.model.requests) == 3
