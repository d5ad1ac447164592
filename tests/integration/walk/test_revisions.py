"""Edits, deletions and feedback reach what waits, what is being written, and what was said long ago."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from core.access import Name, Ranks
from core.dialogue import Deletion, Edit, Feedback, Opinion, Platform, SessionKey
from core.policy import Manner, Policy
from tests.integration.walk.revising import (
    deletion,
    edit,
    exchange,
    handles,
    judged_texts,
    keep,
    known_handle,
    opinions,
    person,
    press,
    remembered,
    until_taken,
)
from tests.platforms.kinds import DISCORD, POST_ONLY, SLACK, TELEGRAM, Kind
from tests.platforms.paper_bot import OPTIONS, PaperBot, Place
from tests.platforms.paper_model import PaperModel, answer_to
from tests.platforms.paper_platform import CallFailed, Trouble
from tests.platforms.paper_sender import BOT, PaperEvent

PlaceOn = Callable[[Kind], Place]

KEY = SessionKey(Platform.DISCORD, BOT, "w", "general")
ALL_KINDS = pytest.mark.parametrize("on", [DISCORD, SLACK, TELEGRAM, POST_ONLY], ids=lambda kind: kind.name)
EDITING_KINDS = pytest.mark.parametrize("on", [DISCORD, TELEGRAM], ids=lambda kind: kind.name)
HASTY = replace(OPTIONS, dispatch=replace(OPTIONS.dispatch, drain_s=0.05))


def eight_words(question: str) -> str:
    return answer_to(question, 7)


async def half_written(bot: PaperBot, question: str) -> str:
    """The question's id; four words of its reply are seen."""
    bot.model.hold(after_words=4)
    asked = await bot.says(question)
    await bot.until(lambda: any(text.startswith(f"About {question}: ") for text in bot.platform.seen("general")))
    return asked


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

    async def test_what_follows_an_older_question_stays(self, place: Place) -> None:
        async with place.bot() as bot:
            asked, _ = await exchange(bot, "first", "last")
            await bot.receives(deletion(asked))
            await bot.settles()
            await exchange(bot, "more")

            told = [answer_to("first"), "last", answer_to("last"), "more", answer_to("more")]
            assert await remembered(bot) == told

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
