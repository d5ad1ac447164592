"""Opinions, presses of buttons, and Stop reach the reply that they are about."""

from dataclasses import replace

from core.access import Name, Ranks
from core.dialogue import Feedback, Opinion, Platform
from core.memory.outbox import Outbox
from core.policy import Manner, Policy
from tests.integration.walk.moments import Moment
from tests.integration.walk.revising import (
    ALL_KINDS,
    HASTY,
    KEY,
    PlaceOn,
    eight_words,
    exchange,
    half_written,
    handles,
    judged_texts,
    keep,
    known_handle,
    opinions,
    person,
    press,
    remembered,
)
from tests.platforms.kinds import SLACK, Kind
from tests.platforms.paper_bot import OPTIONS, Place
from tests.platforms.paper_model import PaperModel


class TestFeedback:
    async def test_an_opinion_counts_once_and_can_be_taken_back(self, place: Place) -> None:
        async with place.bot() as bot:
            [asked] = await exchange(bot, "hi")
            [handle] = handles(bot, asked)
            for event in ("a", "a", "b"):
                await bot.receives(press(handle, Opinion.GOOD, event_id=event))
            await bot.receives(press(handle, Opinion.BAD, person="ben", event_id="c"))
            await bot.settles()
            withdrawn = Feedback(KEY, person(bot), handle, Opinion.GOOD, "a", is_withdrawn=True)
            await keep(place.database, withdrawn)
            await bot.settles()

            assert await opinions(bot) == [("anna", "good", True), ("ben", "bad", False)]

    async def test_an_opinion_of_a_reply_that_is_being_written_waits_for_its_end(self, place: Place) -> None:
        async with place.bot(PaperModel(eight_words)) as bot:
            asked = await half_written(bot, "hi")
            handle = await known_handle(bot, asked)
            await bot.receives(press(handle, Opinion.GOOD))
            bot.model.go()
            await bot.settles()

            assert await opinions(bot) == [("anna", "good", False)]

    @ALL_KINDS
    async def test_an_opinion_of_a_reply_that_was_just_sent_is_kept(
        self, place_on: PlaceOn, on: Kind, moment: Moment
    ) -> None:
        """Nobody but the platform may know its messages yet."""
        moment.before(Outbox, "settle")
        async with place_on(on).bot() as bot:
            asked = await bot.says("hi")
            await moment.reached.wait()
            [handle] = handles(bot, asked)
            await bot.receives(press(handle, Opinion.GOOD))
            moment.going.set()
            await bot.settles()

            assert await opinions(bot) == [("anna", "good", False)]

    async def test_another_reply_to_exactly_that_question_takes_its_place(self, place: Place) -> None:
        drawn = iter(["one", "two", "uno"])
        async with place.bot(PaperModel(lambda _question: next(drawn))) as bot:
            first, last = await exchange(bot, "first", "last")
            [handle] = handles(bot, first)
            await bot.receives(press(handle, Opinion.REGENERATE))
            await bot.settles()

            assert [place.platform.said(asked) for asked in (first, last)] == [["uno"], ["two"]]
            assert len(place.platform.messages) == 2
            assert await remembered(bot) == ["first", "uno", "last", "two"]
            assert await opinions(bot) == [("anna", "regenerate", False)]

    async def test_feedback_on_a_reply_that_was_drawn_again_is_about_the_new_one(self, place: Place) -> None:
        drawn = iter(["one", "uno"])
        async with place.bot(PaperModel(lambda _question: next(drawn))) as bot:
            [asked] = await exchange(bot, "first")
            [handle] = handles(bot, asked)
            await bot.receives(press(handle, Opinion.REGENERATE))
            await bot.settles()
            await bot.receives(press(handle, Opinion.GOOD, event_id="like"))
            await bot.settles()

            assert await judged_texts(bot) == [("regenerate", "one"), ("good", "uno")]

    async def test_where_messages_can_not_be_changed_it_answers_anew(self, place_on: PlaceOn) -> None:
        place = place_on(SLACK)
        drawn = iter(["one", "uno"])
        async with place.bot(PaperModel(lambda _question: next(drawn))) as bot:
            [asked] = await exchange(bot, "first")
            [handle] = handles(bot, asked)
            await bot.receives(press(handle, Opinion.REGENERATE))
            await bot.settles()

            assert place.platform.seen("general") == ["one", "uno"]
            assert await remembered(bot) == ["first", "uno"]

    async def test_somebody_else_can_not_have_a_reply_drawn_again(self, place: Place) -> None:
        async with place.bot() as bot:
            [asked] = await exchange(bot, "first")
            await bot.receives(press(handles(bot, asked)[0], Opinion.REGENERATE, person="ben"))
            await bot.settles()

            assert bot.model.asked() == ["first"]


class TestStop:
    async def test_somebody_else_can_not_stop_a_reply(self, place: Place) -> None:
        async with place.bot(PaperModel(eight_words)) as bot:
            asked = await half_written(bot, "hi")
            handle = await known_handle(bot, asked)
            await bot.receives(press(handle, Opinion.STOP, person="ben"))
            said = await bot.says("/stop", person="ben")
            await bot.until(lambda: bool(place.platform.said(said)))
            bot.model.go()
            await bot.settles()

            assert place.platform.said(asked) == [eight_words("hi")]
            assert place.platform.said(said) == ["Only who asked can stop that, or a moderator."]

    async def test_a_moderator_can_stop_a_reply(self, place: Place) -> None:
        ben = Name(Platform.DISCORD, "w", "ben")
        options = replace(OPTIONS, policy=Policy(Manner("banter"), ranks=Ranks(moderators=frozenset({ben}))))
        async with place.bot(PaperModel(eight_words), options) as bot:
            asked = await half_written(bot, "hi")
            await bot.receives(press(await known_handle(bot, asked), Opinion.STOP, person="ben"))
            await bot.settles()

            assert eight_words("hi") != place.platform.said(asked)[0]
            assert await opinions(bot) == [("ben", "stop", False)]
            assert await judged_texts(bot) == [("stop", place.platform.said(asked)[0])]

    async def test_a_stop_that_came_while_nobody_was_there_ends_the_reply_where_it_was(self, place: Place) -> None:
        model = PaperModel(eight_words)
        async with place.bot(model, HASTY) as bot:
            asked = await half_written(bot, "hi")
            handle = await known_handle(bot, asked)
        await keep(place.database, Feedback(KEY, person(bot), handle, Opinion.STOP, "press"))
        model.go()
        async with place.bot(model) as bot:
            await bot.settles()

            [said] = place.platform.said(asked)
            assert said != eight_words("hi")
            assert eight_words("hi").startswith(said)
            assert len(model.requests) == 1
