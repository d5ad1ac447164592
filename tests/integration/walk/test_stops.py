"""Stop reaches the reply that it is about, and is answered once."""

from dataclasses import replace

from core.dialogue import Opinion
from tests.platforms.paper_bot import OPTIONS, Place
from tests.platforms.paper_model import PaperModel, answer_to
from tests.platforms.paper_platform import CallFailed, Trouble
from tests.platforms.paper_sender import PaperEvent


def eight_words(question: str) -> str:
    return answer_to(question, 7)


async def test_stop_ends_the_reply_that_is_written(place: Place) -> None:
    async with place.bot(PaperModel(eight_words)) as bot:
        bot.model.hold(after_words=4)
        asked = await bot.says("hi")
        await bot.until(lambda: bool(place.platform.said(asked)))
        stop = await bot.says("/stop")
        await bot.settles()

        assert place.platform.said(asked) == [" ".join(eight_words("hi").split()[:4])]
        assert place.platform.said(stop) == ["Stopped."]


async def test_stop_is_answered_once_however_often_it_is_looked_at(place: Place) -> None:
    often = replace(OPTIONS, dispatch=replace(OPTIONS.dispatch, poll_s=0.01))
    async with place.bot(options=often) as bot:
        stops = [await bot.says("/stop") for _ in range(5)]
        await bot.settles()

        assert [place.platform.said(stop) for stop in stops] == [["There is nothing to stop."]] * 5
        assert len(place.platform.messages) == 5


async def test_a_stop_button_ends_the_reply_without_a_word(place: Place) -> None:
    async with place.bot(PaperModel(eight_words)) as bot:
        bot.model.hold(after_words=4)
        asked = await bot.says("hi")
        await bot.until(lambda: bool(place.platform.said(asked)))
        [handle] = place.platform.messages
        while len(await bot.told()) < 2:  # a press before the bot has learned its message's id is nobody's
            await bot.receives(PaperEvent(handle, "general", what=Opinion.STOP.value, event_id="press"))
        await bot.settles()

        assert place.platform.seen("general") == [" ".join(eight_words("hi").split()[:4])]


async def test_the_next_message_is_answered_after_a_stop(place: Place) -> None:
    async with place.bot(PaperModel(eight_words)) as bot:
        bot.model.hold(after_words=4)
        await bot.says("hi")
        after = await bot.says("and now")
        await bot.until(lambda: bool(place.platform.messages))
        await bot.says("/stop")
        await bot.until(lambda: len(bot.model.requests) == 2)
        bot.model.go()
        await bot.settles()

        assert place.platform.said(after) == [eight_words("and now")]


async def test_an_answer_to_stop_that_fails_is_tried_again_beside_the_reply(place: Place) -> None:
    async with place.bot(PaperModel(eight_words)) as bot:
        bot.model.hold()
        asked = await bot.says("hi")
        await bot.until(lambda: bool(bot.model.requests))
        place.platform.plan("post", *[CallFailed(Trouble.AWAY)] * 4)
        stop = await bot.says("/stop")
        await bot.settles()

        assert sorted(place.platform.said(stop) + place.platform.said(asked)) == ["Stopped.", "Stopped."]
