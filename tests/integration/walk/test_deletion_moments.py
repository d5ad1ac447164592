"""A question that is deleted is forgotten with its reply, in whichever moment the deletion comes."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest
from sqlalchemy import select

from core.memory.outbox import Outbox
from core.memory.tables import DeliveryRow, InboxRow, TurnRow
from tests.integration.walk.revising import ALL_KINDS, PlaceOn, deletion, exchange, remembered, until_taken
from tests.platforms.kinds import Kind
from tests.platforms.paper_bot import PaperBot, Place
from tests.platforms.paper_model import answer_to
from tests.platforms.paper_sender import PaperSender


@dataclass
class Moment:
    """A step of the walk stops there once, before it is done or after."""

    monkeypatch: pytest.MonkeyPatch
    reached: asyncio.Event = field(default_factory=asyncio.Event)
    going: asyncio.Event = field(default_factory=asyncio.Event)

    def before(self, owner: type[object], name: str) -> None:
        self._stop_at(owner, name, lambda step: self._paused(None, step))

    def after(self, owner: type[object], name: str) -> None:
        self._stop_at(owner, name, lambda step: self._paused(step, None))

    def _stop_at(
        self, owner: type[object], name: str, around: Callable[[Awaitable[object]], Awaitable[object]]
    ) -> None:
        step: Callable[..., Awaitable[object]] = getattr(owner, name)

        async def stopped(*words: object) -> object:
            return await around(step(*words))

        self.monkeypatch.setattr(owner, name, stopped)

    async def _paused(self, first: Awaitable[object] | None, then: Awaitable[object] | None) -> object:
        result = None if first is None else await first
        if not self.reached.is_set():
            self.reached.set()
            await self.going.wait()
        return result if then is None else await then


@pytest.fixture
def moment(monkeypatch: pytest.MonkeyPatch) -> Moment:
    return Moment(monkeypatch)


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
