"""What was said while nobody listened, too long ago to be answered: one note, and not fifty answers."""

from dataclasses import replace

from core.dialogue import Called, InboundMessage, SessionKey
from core.policy import Policy
from tests.integration.walk.group_talk import BANTER, GENERAL, bot_with, hears, message
from tests.platforms.paper_bot import Place
from tests.platforms.paper_model import answer_to

NOTE = "I was away when you wrote. Ask me again if you still want an answer."
ELSEWHERE = replace(GENERAL, channel="random")


def late(text: str, id: str, key: SessionKey = GENERAL, called: Called | None = None) -> InboundMessage:  # noqa: A002
    said = message(text, id, key=key)
    return replace(said, is_late=True, called=said.called if called is None else called)


async def test_the_newest_late_message_of_a_channel_gets_a_note(place: Place) -> None:
    async with bot_with(place, Policy(BANTER)) as bot:
        await hears(bot, late("one?", "m1"), late("two?", "m2"), late("other?", "m3", ELSEWHERE), late("three?", "m4"))
        await bot.settles()

        assert place.platform.seen("general") == [NOTE]
        assert place.platform.seen("random") == [NOTE]
        assert place.platform.said("m4") == [NOTE]


async def test_threads_of_a_channel_share_its_note(place: Place) -> None:
    async with bot_with(place, Policy(BANTER)) as bot:
        await hears(
            bot, late("one?", "m1", replace(GENERAL, thread="m1")), late("two?", "m2", replace(GENERAL, thread="m2"))
        )
        await bot.settles()

        assert len(await bot.told()) == 1


async def test_what_was_said_in_time_is_answered_behind_the_note(place: Place) -> None:
    async with bot_with(place, Policy(BANTER)) as bot:
        await hears(bot, late("one?", "m1"), message("two?", "m2"))
        await bot.settles()

        assert place.platform.seen("general") == [NOTE, answer_to("two?")]


async def test_late_words_that_are_not_for_the_bot_get_no_note(place: Place) -> None:
    async with bot_with(place, Policy(BANTER)) as bot:
        await hears(bot, late("see you", "m1", called=Called()))
        await bot.settles()

        assert place.platform.seen("general") == []
        assert await bot.told() == []
