"""What a message points at is read with it."""

from dataclasses import replace
from datetime import UTC, datetime

from core.dialogue import Called, InboundMessage
from core.ports import Arrival
from tests.integration.walk.revising import KEY, edit, person, remembered
from tests.platforms.paper_bot import PaperBot, Place


async def asks(bot: PaperBot, text: str, quotes: str) -> None:
    key = replace(KEY, platform=bot.platform.kind.platform)
    said = InboundMessage(
        key, person(bot), "m1", text, datetime.now(UTC), Called(by_mention=True), quotes=quotes, reply_to_id="of ben"
    )
    await bot.accept([Arrival("{}", said)])
    await bot.settles()


async def test_the_words_that_a_question_is_about_stand_before_it(place: Place) -> None:
    async with place.bot() as bot:
        await asks(bot, "what does that mean?", "Der Schlüssel\nklemmt.")

        assert bot.model.asked() == ["> Der Schlüssel\n> klemmt.\n\nwhat does that mean?"]


async def test_an_edit_of_the_question_keeps_them(place: Place) -> None:
    async with place.bot() as bot:
        await asks(bot, "what?", "Der Schlüssel klemmt.")
        await bot.receives(edit("m1", "what does that mean?"))
        await bot.settles()

        assert bot.model.asked()[-1] == "> Der Schlüssel klemmt.\n\nwhat does that mean?"


async def test_a_command_points_at_nothing(place: Place) -> None:
    async with place.bot() as bot:
        await asks(bot, "/help", "Der Schlüssel klemmt.")

        assert bot.model.asked() == []
        assert "/new" in bot.platform.said("m1")[0]


async def test_only_so_much_of_them_is_read(place: Place) -> None:
    async with place.bot() as bot:
        await asks(bot, "short, please", "x" * 5000)

        assert (await remembered(bot))[0] == f"> {'x' * 1000}\n\nshort, please"
