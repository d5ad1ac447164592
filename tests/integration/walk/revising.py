"""Short ways to the events that change what was said, and to what memory makes of them."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest
from sqlalchemy import select

from core.dialogue import Inbound, Move, Opinion, Person, Platform, SessionKey
from core.memory.database import Database
from core.memory.grouped import GroupedWrites
from core.memory.inbox import Entry, Inbox
from core.memory.store import Memory
from core.memory.tables import OPEN_STATES, FeedbackRow, InboxRow, PartRow, PersonRow, TurnRow
from core.ports import Arrival
from core.reception import is_urgent
from tests.platforms.kinds import DISCORD, POST_ONLY, SLACK, TELEGRAM, Kind
from tests.platforms.paper_bot import OPTIONS, PaperBot, Place
from tests.platforms.paper_model import answer_to
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


def edit(message_id: str, text: str, revision: str = "1") -> PaperEvent:
    return PaperEvent(message_id, "general", text, what="edit", event_id=revision)


def deletion(message_id: str) -> PaperEvent:
    return PaperEvent(message_id, "general", what="deletion")


def press(handle: str, opinion: Opinion, person: str = "anna", event_id: str = "press") -> PaperEvent:
    return PaperEvent(handle, "general", person=person, what=opinion.value, event_id=event_id)


def move(kind: Kind, new: str, old: str = "general", *, keeps_message_ids: bool = True) -> Arrival:
    key = SessionKey(kind.platform, BOT, "w", old)
    return Arrival("{}", Move(key, new, keeps_message_ids))


async def keep(database: Database, inbound: Inbound) -> None:
    """Something comes in while nobody is there to take care of it."""
    writes = GroupedWrites(database)
    entry = Entry(inbound.session_key.platform, BOT, inbound, "{}", urgent=is_urgent(inbound))
    await Inbox(database, writes, OPTIONS.event_secret).accept([entry])
    await writes.aclose()


async def remembered(bot: PaperBot) -> list[str]:
    """The dialogue, in its order."""
    memory = Memory(bot.database)
    [summary] = [one for one in await memory.list_sessions(10) if one.session.active]
    return [told.turn.text for told in await memory.transcript(summary.session.id, 100)]


async def opinions(bot: PaperBot) -> list[tuple[str, str, bool]]:
    """Who thinks what, and whether it was taken back."""
    asked = select(PersonRow.platform_id, FeedbackRow.opinion, FeedbackRow.withdrawn).join(
        PersonRow, PersonRow.id == FeedbackRow.person_id
    )
    async with bot.database.reading() as connection:
        rows = await connection.execute(asked.order_by(FeedbackRow.id))
        return [(row.platform_id, row.opinion, row.withdrawn) for row in rows]


def person(bot: PaperBot, name: str = "anna") -> Person:
    return Person(bot.platform.kind.platform, "w", name, name.title())


async def exchange(bot: PaperBot, *questions: str) -> list[str]:
    """Each is answered before the next one is asked; their ids."""
    asked = []
    for question in questions:
        asked.append(await bot.says(question))
        await bot.settles()
    return asked


async def known_handle(bot: PaperBot, message_id: str) -> str:
    """The bot's one message in reply to one, as soon as the database knows it."""
    [handle] = handles(bot, message_id)
    known = select(PartRow.handle).where(PartRow.handle == handle)
    async with asyncio.timeout(20):
        while True:
            async with bot.database.reading() as connection:
                if await connection.scalar(known) is not None:
                    return handle
            await asyncio.sleep(0.02)


def handles(bot: PaperBot, message_id: str) -> Sequence[str]:
    """The bot's messages in reply to one."""
    return [seen.handle for seen in bot.platform.messages.values() if seen.reply_to == message_id]


async def judged_texts(bot: PaperBot) -> list[tuple[str, str]]:
    """What is thought of which reply."""
    asked = select(FeedbackRow.opinion, TurnRow.text).join(TurnRow, TurnRow.id == FeedbackRow.turn_id)
    async with bot.database.reading() as connection:
        return [(row.opinion, row.text) for row in await connection.execute(asked.order_by(FeedbackRow.id))]


async def until_taken(bot: PaperBot) -> None:
    """Until every event that does not wait is taken care of."""
    waiting = select(InboxRow.id).where(InboxRow.urgent, InboxRow.state.in_(OPEN_STATES))
    async with asyncio.timeout(20):
        while True:
            async with bot.database.reading() as connection:
                if not (await connection.scalars(waiting)).all():
                    return
            await asyncio.sleep(0.02)
