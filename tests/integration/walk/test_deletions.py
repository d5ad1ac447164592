"""What is deleted on a platform is not answered, is taken away, and leaves memory."""

from dataclasses import replace

from sqlalchemy import select

from core.dialogue import Deletion
from core.memory.tables import TurnRow
from tests.integration.walk.revising import (
    ALL_KINDS,
    HASTY,
    KEY,
    PlaceOn,
    deletion,
    eight_words,
    exchange,
    half_written,
    keep,
    remembered,
    until_taken,
)
from tests.platforms.kinds import POST_ONLY, Kind
from tests.platforms.paper_bot import OPTIONS, Place
from tests.platforms.paper_model import PaperModel, answer_to
from tests.platforms.paper_platform import CallFailed, Trouble
from tests.platforms.paper_sender import PaperEvent


class TestDeletions:
    async def test_a_message_that_waits_is_not_answered(self, place: Place) -> None:
        async with place.bot() as bot:
            bot.model.hold()
            await bot.says("first")
            await bot.until(lambda: bool(bot.model.requests))
            waiting = await bot.says("second")
            await bot.receives(deletion(waiting))
            await until_taken(bot)
            bot.model.go()
            await bot.settles()

            assert bot.model.asked() == ["first"]
            assert place.platform.said(waiting) == []

    @ALL_KINDS
    async def test_a_reply_that_is_being_written_is_taken_away(self, place_on: PlaceOn, on: Kind) -> None:
        place = place_on(on)
        async with place.bot(PaperModel(eight_words)) as bot:
            bot.model.hold(after_words=4)
            asked = await bot.says("hi")
            await bot.until(lambda: bool(bot.model.requests) and (bool(place.platform.messages) or on is POST_ONLY))
            await bot.receives(deletion(asked))
            await bot.settles()
            bot.model.go()

            assert place.platform.seen("general") == []
            assert await remembered(bot) == []
            [after] = await exchange(bot, "and now")
            assert place.platform.said(after) == [eight_words("and now")]

    async def test_what_is_taken_away_is_taken_away_when_the_platform_is_back(self, place: Place) -> None:
        async with place.bot(PaperModel(eight_words)) as bot:
            asked = await half_written(bot, "hi")
            place.platform.plan("delete", *[CallFailed(Trouble.AWAY)] * 5)
            await bot.receives(deletion(asked))
            await bot.settles()

            assert place.platform.seen("general") == []

    async def test_the_last_question_leaves_memory_with_its_reply(self, place: Place) -> None:
        async with place.bot() as bot:
            _, asked = await exchange(bot, "first", "last")
            await bot.receives(deletion(asked))
            await bot.settles()

            assert await remembered(bot) == ["first", answer_to("first")]

    async def test_every_reply_that_was_drawn_leaves_with_its_question(self, place: Place) -> None:
        async with place.bot() as bot:
            [asked] = await exchange(bot, "first")
            await exchange(bot, "/regenerate", "last")
            await bot.receives(deletion(asked))
            await bot.settles()

            assert await remembered(bot) == ["last", answer_to("last")]
            async with bot.database.reading() as connection:
                assert set(await connection.scalars(select(TurnRow.text))) == {"last", answer_to("last")}

    async def test_what_follows_an_older_question_stays(self, place: Place) -> None:
        async with place.bot() as bot:
            asked, _ = await exchange(bot, "first", "last")
            await bot.receives(deletion(asked))
            await bot.settles()
            await exchange(bot, "more")

            assert await remembered(bot) == ["last", answer_to("last"), "more", answer_to("more")]

    async def test_a_deleted_message_that_comes_again_stays_deleted(self, place: Place) -> None:
        async with place.bot() as bot:
            [asked] = await exchange(bot, "first")
            await bot.receives(deletion(asked))
            await bot.settles()
            await bot.says("first", id=asked)
            await bot.settles()

            assert bot.model.asked() == ["first"]
            assert await remembered(bot) == []

    async def test_one_message_of_a_burst_leaves_the_others(self, place: Place) -> None:
        options = replace(OPTIONS, answer=replace(OPTIONS.answer, burst_s=0.3))
        async with place.bot(options=options) as bot:
            await bot.receives(PaperEvent("m1", "general", "one"), PaperEvent("m2", "general", "two"))
            await bot.settles()
            await bot.receives(deletion("m2"))
            await bot.settles()

            assert bot.model.asked() == ["one\ntwo", "one"]
            assert await remembered(bot) == ["one", answer_to("one")]

    async def test_a_deletion_that_came_while_nobody_was_there_is_carried_out(self, place: Place) -> None:
        model = PaperModel(eight_words)
        async with place.bot(model, HASTY) as bot:
            asked = await half_written(bot, "old")
        await keep(place.database, Deletion(KEY, asked))
        async with place.bot(model) as bot:
            await bot.settles()

            assert place.platform.seen("general") == []
            assert len(model.requests) == 1
