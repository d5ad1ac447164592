"""A channel gets another id: what waits, what is being written and what was said go with it."""

from collections.abc import Callable
from dataclasses import replace

from core.dialogue import Opinion
from tests.integration.walk.revising import edit, exchange, handles, judged_texts, move, press, remembered, until_taken
from tests.platforms.kinds import DISCORD, TELEGRAM, Kind
from tests.platforms.paper_bot import OPTIONS, Place
from tests.platforms.paper_model import PaperModel, answer_to
from tests.platforms.paper_sender import PaperEvent

PlaceOn = Callable[[Kind], Place]

#: A lease that a move takes away is free again when it would have ended.
BRIEF = replace(OPTIONS, lease_s=1.0)


async def test_a_dialogue_goes_on_in_the_new_channel(place: Place) -> None:
    async with place.bot() as bot:
        await exchange(bot, "before")
        await bot.accept([move(DISCORD, "super")])
        await bot.settles()
        after = await bot.says("after", channel="super")
        await bot.settles()

        assert place.platform.said(after) == [answer_to("after")]
        assert await remembered(bot) == ["before", answer_to("before"), "after", answer_to("after")]


def referred_to(place: Place, channel: str) -> set[str]:
    """The messages that the bot's ones there reply to; an id of before would name another one."""
    return {seen.reply_to for seen in place.platform.messages.values() if seen.channel == channel}


async def test_what_waits_is_answered_in_the_new_channel(place_on: PlaceOn) -> None:
    place = place_on(TELEGRAM)
    async with place.bot() as bot:
        bot.model.hold()
        await bot.says("first")
        await bot.until(lambda: bool(bot.model.requests))
        await bot.says("second")
        await bot.accept([move(TELEGRAM, "super", keeps_message_ids=False)])
        await bot.until(lambda: len(bot.model.requests) == 2)
        bot.model.go()
        await bot.settles()

        assert place.platform.seen("super") == [answer_to("first"), answer_to("second")]
        assert referred_to(place, "super") == {""}


async def test_a_move_that_is_told_twice_changes_nothing_more(place: Place) -> None:
    async with place.bot() as bot:
        await exchange(bot, "before")
        for _ in range(2):
            await bot.accept([move(DISCORD, "super")])
            await bot.settles()
        await bot.says("after", channel="super")
        await bot.settles()

        assert await remembered(bot) == ["before", answer_to("before"), "after", answer_to("after")]


async def test_a_message_that_came_for_the_new_id_first_does_not_split_the_dialogue(place: Place) -> None:
    async with place.bot(options=BRIEF) as bot:
        await exchange(bot, "before")
        await bot.says("early", channel="super")
        await bot.settles()
        await bot.accept([move(DISCORD, "super")])
        await bot.settles()
        await bot.says("after", channel="super")
        await bot.settles()

        told = [one for question in ("before", "early", "after") for one in (question, answer_to(question))]
        assert await remembered(bot) == told


async def test_a_message_that_still_comes_for_the_old_id_is_answered_in_the_new_channel(place: Place) -> None:
    async with place.bot() as bot:
        await exchange(bot, "before")
        await bot.accept([move(DISCORD, "super")])
        await bot.settles()
        await bot.says("late")
        await bot.says("new")
        await bot.settles()

        assert place.platform.seen("super") == [answer_to("late"), answer_to("new")]
        told = [one for question in ("before", "late", "new") for one in (question, answer_to(question))]
        assert await remembered(bot) == told


async def test_a_channel_that_moves_twice_is_still_found(place: Place) -> None:
    async with place.bot() as bot:
        await exchange(bot, "before")
        await bot.accept([move(DISCORD, "super")])
        await bot.settles()
        await bot.accept([move(DISCORD, "hyper", old="super")])
        await bot.settles()
        await bot.says("late")
        await bot.settles()

        assert place.platform.seen("hyper") == [answer_to("late")]


async def test_messages_are_found_by_their_ids_in_the_new_channel(place: Place) -> None:
    async with place.bot() as bot:
        [asked] = await exchange(bot, "old")
        [handle] = handles(bot, asked)
        await bot.accept([move(DISCORD, "super")])
        await bot.settles()
        await bot.receives(replace(press(handle, Opinion.GOOD), channel="super"))
        await bot.receives(replace(edit(asked, "new"), channel="super"))
        await bot.settles()

        assert await judged_texts(bot) == [("good", answer_to("old"))]
        assert await remembered(bot) == ["new", answer_to("new")]


async def test_where_ids_begin_anew_an_old_one_means_nothing(place_on: PlaceOn) -> None:
    place = place_on(TELEGRAM)
    async with place.bot() as bot:
        [asked] = await exchange(bot, "old")
        await bot.accept([move(TELEGRAM, "super", keeps_message_ids=False)])
        await bot.settles()
        await bot.says("other", id=asked, channel="super")
        await bot.settles()
        await bot.receives(PaperEvent(asked, "super", "another", what="edit", event_id="1"))
        await bot.settles()

        assert await remembered(bot) == ["old", answer_to("old"), "another", answer_to("another")]


async def test_a_reply_that_is_being_written_goes_on_in_the_new_channel(place_on: PlaceOn) -> None:
    place = place_on(TELEGRAM)
    model = PaperModel(lambda question: answer_to(question, 7))
    async with place.bot(model) as bot:
        model.hold(after_words=4)
        await bot.says("hi")
        await bot.until(lambda: any("hi-1" in text for text in place.platform.seen("general")))
        await bot.accept([move(TELEGRAM, "super", keeps_message_ids=False)])
        await bot.until(lambda: len(model.requests) == 2)
        model.go()
        await bot.settles()

        assert place.platform.seen("super") == [answer_to("hi", 7)]
        assert referred_to(place, "super") == {""}
        assert await remembered(bot) == ["hi", answer_to("hi", 7)]


async def test_other_channels_stay_where_they_are(place: Place) -> None:
    async with place.bot() as bot:
        other = await bot.says("elsewhere", channel="general2")
        await bot.settles()
        await bot.accept([move(DISCORD, "super")])
        await bot.settles()
        await bot.says("more", channel="general2")
        await bot.settles()

        assert place.platform.said(other) == [answer_to("elsewhere")]
        assert place.platform.seen("super") == []
        assert await remembered(bot) == ["elsewhere", answer_to("elsewhere"), "more", answer_to("more")]


async def test_a_whole_reply_that_could_not_be_sent_is_sent_in_the_new_channel(place_on: PlaceOn) -> None:
    place = place_on(TELEGRAM)
    async with place.bot(options=BRIEF) as bot:
        place.platform.is_away = True
        await bot.says("first")
        await bot.until_told("answered")
        await bot.accept([move(TELEGRAM, "super", keeps_message_ids=False)])
        await until_taken(bot)
        place.platform.is_away = False
        await bot.settles()

        assert place.platform.seen("super") == [answer_to("first")]
