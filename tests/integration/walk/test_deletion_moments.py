"""A question that is deleted is forgotten with its reply, in whichever moment the deletion comes."""

import pytest
from sqlalchemy import select

from core.memory.outbox import Outbox
from core.memory.tables import DeliveryRow, InboxRow, TurnRow
from tests.integration.walk.moments import Moment
from tests.integration.walk.revising import ALL_KINDS, PlaceOn, deletion, exchange, remembered, until_taken
from tests.platforms.kinds import Kind
from tests.platforms.paper_bot import PaperBot, Place
from tests.platforms.paper_model import answer_to
from tests.platforms.paper_sender import PaperSender


async def all_texts(bot: PaperBot) -> str:
    """Of every turn, also of those that are not in the dialogue any more, and of all that is kept of messages."""
    found: list[str | None] = []
    async with bot.database.reading() as connection:
        for column in (TurnRow.text, InboxRow.inbound, InboxRow.raw, DeliveryRow.text):
            found += (await connection.scalars(select(column))).all()
    return "\n".join(text for text in found if text)


async def is_forgotten(bot: PaperBot) -> None:
    await bot.settles()
    assert await remembered(bot) == ["one", answer_to("one"), "three", answer_to("three")]
    assert "two" not in await all_texts(bot)


STEPS = {
    "before it is recorded": ("before", Outbox, "record"),
    "before it is sent": ("after", Outbox, "record"),
    "before the send is answered": ("after", PaperSender, "open"),
    "before it is settled": ("before", Outbox, "settle"),
    "after it is settled": ("after", Outbox, "settle"),
}


@pytest.mark.parametrize("step", STEPS)
@ALL_KINDS
async def test_while_its_reply_is_sent(place_on: PlaceOn, on: Kind, step: str, moment: Moment) -> None:
    where, owner, name = STEPS[step]
    async with place_on(on).bot() as bot:
        await exchange(bot, "one")
        getattr(moment, where)(owner, name)
        asked = await bot.says("two")
        await moment.reached.wait()
        await bot.receives(deletion(asked))
        moment.going.set()
        await bot.says("three")

        await is_forgotten(bot)


async def test_while_its_reply_is_sent_and_nobody_waits_for_that(place: Place, moment: Moment) -> None:
    """As where another reply's end keeps the database busy."""
    async with place.bot() as bot:
        await exchange(bot, "one")
        moment.before(Outbox, "settle")
        asked = await bot.says("two")
        await moment.reached.wait()
        await bot.receives(deletion(asked))
        await until_taken(bot)
        moment.going.set()
        await bot.says("three")

        await is_forgotten(bot)


async def test_while_the_next_question_is_answered(place: Place) -> None:
    """What comes one after the other is stored at the same time, and the deletion may come behind."""
    async with place.bot() as bot:
        _, asked = await exchange(bot, "one", "two")
        bot.model.hold()
        await bot.says("three")
        await bot.until(lambda: bot.model.asked()[-1] == "three")
        await bot.receives(deletion(asked))
        await until_taken(bot)
        bot.model.go()

        await is_forgotten(bot)


async def test_when_the_next_question_is_answered(place: Place) -> None:
    async with place.bot() as bot:
        _, asked, _ = await exchange(bot, "one", "two", "three")
        await bot.receives(deletion(asked))

        await is_forgotten(bot)


async def test_the_first_one_while_the_next_question_is_answered(place: Place) -> None:
    """The next prompt began with it."""
    async with place.bot() as bot:
        [asked] = await exchange(bot, "two")
        bot.model.hold()
        await bot.says("one")
        await bot.until(lambda: bot.model.asked()[-1] == "one")
        await bot.receives(deletion(asked))
        await until_taken(bot)
        bot.model.go()
        await bot.settles()
        await exchange(bot, "three")

        await is_forgotten(bot)
