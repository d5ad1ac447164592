"""Leases between processes: who answers, who stops, and what is handed over."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from sqlalchemy import update

from core.memory.database import Database
from core.memory.tables import LeaseRow
from tests.platforms.kinds import KINDS, Kind
from tests.platforms.paper_bot import OPTIONS, Place
from tests.platforms.paper_model import PaperModel, answer_to
from tests.platforms.paper_platform import CallFailed, Trouble, Words

#: It takes nothing that it did not begin.
ONE_PLACE = replace(OPTIONS, dispatch=replace(OPTIONS.dispatch, places=1))


def eight_words(question: str) -> str:
    return answer_to(question, 7)


async def expire_leases(database: Database) -> None:
    async with database.writing() as connection:
        await connection.execute(update(LeaseRow).values(expires_at=datetime.now(UTC) - timedelta(seconds=1)))


async def test_two_bots_on_one_database_answer_each_message_once(place: Place) -> None:
    async with place.bot() as one, place.bot() as other:
        asked = [await one.says(f"question {number}", channel=f"c{number % 5}") for number in range(20)]
        await one.settles()

        assert [place.platform.said(each) for each in asked] == [[answer_to(f"question {n}")] for n in range(20)]
        assert len(one.model.requests) + len(other.model.requests) == 20


async def test_a_bot_that_wakes_up_late_sends_nothing_more(place: Place) -> None:
    async with place.bot(PaperModel(eight_words), ONE_PLACE) as late:
        late.model.hold(after_words=4)
        asked = await late.says("hi")
        await late.until(lambda: bool(place.platform.said(asked)))
        async with place.bot(PaperModel(eight_words)) as other:
            await expire_leases(place.database)
            await other.settles()
            assert place.platform.said(asked) == [eight_words("hi")]
            sent = len([call for call in place.platform.log if call.name != "typing"])
            late.model.go()
            await late.until(lambda: late.walk.places == 0)

            assert len([call for call in place.platform.log if call.name != "typing"]) == sent
            assert place.platform.said(asked) == [eight_words("hi")]


async def test_the_one_who_takes_over_goes_on_after_the_words_that_were_seen(place: Place) -> None:
    async with place.bot(PaperModel(eight_words), ONE_PLACE) as late:
        late.model.hold(after_words=4)
        asked = await late.says("hi")
        await late.until(lambda: bool(place.platform.said(asked)))
        async with place.bot(PaperModel(eight_words)) as other:
            await expire_leases(place.database)
            await other.settles()

            assert other.model.requests[0].prefix_ids == (1, 2, 3, 4)
            assert place.platform.seen("general") == place.platform.said(asked)
        late.model.go()


async def test_a_bot_whose_lease_expired_goes_on_where_nobody_took_it(place: Place) -> None:
    async with place.bot(PaperModel(eight_words)) as bot:
        bot.model.hold(after_words=4)
        asked = await bot.says("hi")
        await bot.until(lambda: bool(place.platform.said(asked)))
        await expire_leases(place.database)
        elsewhere = await bot.says("hello", channel="other")
        await bot.until(lambda: len(bot.model.requests) == 2)
        bot.model.go()
        await bot.settles()

        assert bot.model.asked() == ["hi", "hello"]
        assert place.platform.said(asked) == [eight_words("hi")]
        assert place.platform.said(elsewhere) == [eight_words("hello")]


async def test_a_bot_that_ends_finishes_what_it_began(place: Place) -> None:
    async with place.bot(PaperModel(eight_words, pace_s=0.03)) as bot:
        asked = await bot.says("hi")
        await bot.until(lambda: bool(bot.model.requests))

    assert place.platform.said(asked) == [eight_words("hi")]
    assert not place.platform.typing


async def test_what_is_not_finished_in_time_is_handed_to_the_next_bot(place: Place) -> None:
    hasty = replace(OPTIONS, lease_s=60.0, dispatch=replace(OPTIONS.dispatch, drain_s=0.1))
    async with place.bot(PaperModel(eight_words), hasty) as bot:
        bot.model.hold(after_words=4)
        asked = await bot.says("hi")
        waiting = await bot.says("and now")
        await bot.until(lambda: bool(place.platform.said(asked)))

    assert not place.platform.typing
    async with place.bot(PaperModel(eight_words)) as following:
        await following.settles()

        assert following.model.requests[0].prefix_ids == (1, 2, 3, 4)
        assert place.platform.said(asked) == [eight_words("hi")]
        assert place.platform.said(waiting) == [eight_words("and now")]
        assert place.platform.seen("general") == [eight_words("hi"), eight_words("and now")]


async def test_a_reply_can_be_stopped_while_the_bot_ends(place: Place) -> None:
    slow = replace(OPTIONS, dispatch=replace(OPTIONS.dispatch, drain_s=15.0))
    async with place.bot(PaperModel(eight_words), slow) as bot:
        bot.model.hold(after_words=4)
        asked = await bot.says("hi")
        await bot.until(lambda: bool(place.platform.said(asked)))
        bot.walk._dispatcher._ending.set()
        bot.walk._dispatcher.wake()
        stop = await bot.says("/stop")

    assert place.platform.said(stop) == ["Stopped."]
    assert place.platform.said(asked) == [" ".join(eight_words("hi").split()[:4])]


async def test_what_was_sent_again_for_a_deleted_message_is_not_sent_a_third_time(
    place_on: Callable[[Kind], Place],
) -> None:
    """Whoever sent it again hangs before its handle is written down, and another one takes over."""
    place = place_on(KINDS["slack"])
    posts, looks = 0, 0

    def troubles(name: str, _words: Words) -> CallFailed | None:
        nonlocal posts, looks
        posts += name == "post"
        looks += name == "find" and posts > 0
        if name == "post" and posts == 1:
            return CallFailed(Trouble.UNANSWERED)
        return CallFailed(Trouble.RATE_LIMITED, retry_after_s=60.0) if name == "find" and looks == 1 else None

    async with place.bot(PaperModel(eight_words), ONE_PLACE) as late:
        late.model.hold()
        asked = await late.says("hi")
        await late.until(lambda: bool(place.platform.seen("general")))
        [first] = place.platform.messages.values()
        first.is_deleted = True
        place.platform.plan("stop", *[CallFailed(Trouble.GONE)] * 2)
        place.platform.troubles = troubles
        late.model.go()
        await late.until(lambda: looks == 1)
        async with place.bot(PaperModel(eight_words)) as other:
            await expire_leases(place.database)
            await other.settles()

            assert place.platform.said(asked) == place.platform.seen("general") == [eight_words("hi")]
            assert posts == 1
