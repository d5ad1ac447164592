"""Edits reach what waits, what is being written, and what was said long ago."""

from dataclasses import replace

from core.dialogue import Edit
from tests.integration.walk.revising import (
    EDITING_KINDS,
    HASTY,
    KEY,
    PlaceOn,
    edit,
    eight_words,
    exchange,
    half_written,
    keep,
    person,
    remembered,
    until_taken,
)
from tests.platforms.kinds import POST_ONLY, SLACK, Kind
from tests.platforms.paper_bot import OPTIONS, Place
from tests.platforms.paper_model import PaperModel, answer_to


class TestEdits:
    async def test_a_message_that_waits_is_answered_as_it_is_now(self, place: Place) -> None:
        async with place.bot() as bot:
            bot.model.hold()
            await bot.says("first")
            await bot.until(lambda: bool(bot.model.requests))
            waiting = await bot.says("second")
            await bot.receives(edit(waiting, "better"))
            await until_taken(bot)
            bot.model.go()
            await bot.settles()

            assert bot.model.asked() == ["first", "better"]
            assert place.platform.said(waiting) == [answer_to("better")]

    @EDITING_KINDS
    async def test_a_reply_that_is_being_written_is_begun_again_where_it_stands(
        self, place_on: PlaceOn, on: Kind
    ) -> None:
        place = place_on(on)
        async with place.bot(PaperModel(eight_words)) as bot:
            asked = await half_written(bot, "old")
            await bot.receives(edit(asked, "new"))
            await bot.until(lambda: len(bot.model.requests) == 2)
            bot.model.go()
            await bot.settles()

            assert place.platform.said(asked) == [eight_words("new")]
            assert len(place.platform.messages) == 1
            assert await remembered(bot) == ["new", eight_words("new")]
            assert not place.platform.violations

    async def test_where_nothing_can_be_overwritten_the_old_reply_ends_and_a_new_one_follows(
        self, place_on: PlaceOn
    ) -> None:
        place = place_on(SLACK)
        async with place.bot(PaperModel(eight_words)) as bot:
            asked = await half_written(bot, "old")
            seen = place.platform.seen("general")[0]
            await bot.receives(edit(asked, "new"))
            bot.model.hold(after_words=0)
            await bot.until(lambda: len(bot.model.requests) == 2)
            bot.model.go()
            await bot.settles()

            cut, whole = place.platform.said(asked)
            assert cut.startswith(seen)
            assert eight_words("old").startswith(cut)
            assert whole == eight_words("new")
            assert await remembered(bot) == ["new", eight_words("new")]

    @EDITING_KINDS
    async def test_the_last_reply_is_drawn_again_in_its_place(self, place_on: PlaceOn, on: Kind) -> None:
        place = place_on(on)
        async with place.bot() as bot:
            _, asked = await exchange(bot, "first", "old")
            await bot.receives(edit(asked, "new"))
            await bot.settles()

            assert place.platform.said(asked) == [answer_to("new")]
            assert len(place.platform.messages) == 2
            assert await remembered(bot) == ["first", answer_to("first"), "new", answer_to("new")]

    async def test_a_shorter_reply_takes_the_rest_of_the_longer_one_away(self, place: Place) -> None:
        async with place.bot(PaperModel(lambda question: answer_to(question, 20 if question == "old" else 2))) as bot:
            [asked] = await exchange(bot, "old")
            before = len(place.platform.seen("general"))
            await bot.receives(edit(asked, "new"))
            await bot.settles()

            assert before > 1
            assert place.platform.seen("general") == [answer_to("new", 2)]

    async def test_where_messages_can_not_be_changed_another_reply_follows(self, place_on: PlaceOn) -> None:
        place = place_on(POST_ONLY)
        async with place.bot() as bot:
            [asked] = await exchange(bot, "old")
            await bot.receives(edit(asked, "new"))
            await bot.settles()

            assert place.platform.said(asked) == [answer_to("old"), answer_to("new")]
            assert await remembered(bot) == ["new", answer_to("new")]

    async def test_an_operator_can_have_edits_change_memory_alone(self, place: Place) -> None:
        options = replace(OPTIONS, answer=replace(OPTIONS.answer, redraws_edited=False))
        async with place.bot(options=options) as bot:
            [asked] = await exchange(bot, "old")
            await bot.receives(edit(asked, "new"))
            await bot.settles()

            assert place.platform.said(asked) == [answer_to("old")]
            assert await remembered(bot) == ["new", answer_to("old")]

    async def test_an_older_question_changes_memory_alone(self, place: Place) -> None:
        async with place.bot() as bot:
            asked, _ = await exchange(bot, "old", "last")
            await bot.receives(edit(asked, "new"))
            await bot.settles()

            assert await remembered(bot) == ["new", answer_to("old"), "last", answer_to("last")]
            assert bot.model.asked() == ["old", "last"]

    async def test_an_older_question_does_not_disturb_the_reply_that_is_being_written(self, place: Place) -> None:
        async with place.bot(PaperModel(eight_words)) as bot:
            [older] = await exchange(bot, "old")
            asked = await half_written(bot, "last")
            await bot.receives(edit(older, "new"))
            await until_taken(bot)
            bot.model.go()
            await bot.settles()

            assert bot.model.asked() == ["old", "last"]
            assert place.platform.said(asked) == [eight_words("last")]
            assert await remembered(bot) == ["new", eight_words("old"), "last", eight_words("last")]

    async def test_an_edit_that_says_the_same_changes_nothing(self, place: Place) -> None:
        async with place.bot() as bot:
            [asked] = await exchange(bot, "old")
            await bot.receives(edit(asked, "old"))
            await bot.settles()

            assert bot.model.asked() == ["old"]

    async def test_an_edit_that_comes_twice_counts_once(self, place: Place) -> None:
        async with place.bot() as bot:
            [asked] = await exchange(bot, "old")
            await bot.receives(edit(asked, "new"), edit(asked, "new"))
            await bot.settles()
            await bot.receives(edit(asked, "new"))
            await bot.settles()

            assert bot.model.asked() == ["old", "new"]

    async def test_the_last_of_many_edits_counts(self, place: Place) -> None:
        async with place.bot(PaperModel(eight_words)) as bot:
            asked = await half_written(bot, "old")
            await bot.receives(*(edit(asked, f"new {number}", str(number)) for number in range(5)))
            await bot.until(lambda: "new 4" in bot.model.asked())
            bot.model.go()
            await bot.settles()

            assert place.platform.said(asked) == [eight_words("new 4")]
            assert await remembered(bot) == ["new 4", eight_words("new 4")]

    async def test_an_edit_that_came_while_nobody_was_there_is_carried_out_before_the_reply_goes_on(
        self, place: Place
    ) -> None:
        model = PaperModel(eight_words)
        async with place.bot(model, HASTY) as bot:
            asked = await half_written(bot, "old")
        await keep(place.database, Edit(KEY, person(bot), asked, "1", "new"))
        model.go()
        async with place.bot(model) as bot:
            await bot.settles()

            assert place.platform.said(asked) == [eight_words("new")]
            assert len(place.platform.messages) == 1
