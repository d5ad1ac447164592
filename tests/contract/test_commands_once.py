"""A command's effect and its answer are one: a crash leaves both or neither, and no second try repeats the first."""

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from sqlalchemy import func, select

from core.commands.carrying_out import Order, carry_out
from core.commands.command import Command, parse
from core.dialogue import FinishReason, InboundMessage, TurnState
from core.errors import LeaseLost
from core.memory.database import Database
from core.memory.grouped import GroupedWrites
from core.memory.inbox import Entry, Inbox
from core.memory.leased import Lease, WaitingMessage
from core.memory.leases import Leases
from core.memory.outbox import Outbox
from core.memory.owed import WHOLE, Begun, Resuming, SentPart, Settled
from core.memory.sessions import NewSession, Session
from core.memory.steps import Steps
from core.memory.store import Memory
from core.memory.tables import DeliveryRow, InboxRow, LinkCodeRow, PartRow, SessionRow
from tests.contract.commanding import alone, commands
from tests.contract.speaking import KEY, exchange, message, open_session, reply, say, texts

_tokens = (f"token{number}" for number in itertools.count())


class Crash(Exception):
    """The process ends here."""


class Uncommitted(Memory):
    """The process ends when everything is written and nothing committed."""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Steps]:
        async with super().transaction() as steps:
            yield steps
            raise Crash


class Unheard(Memory):
    """The transaction is committed, and nobody hears of it."""

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Steps]:
        async with super().transaction() as steps:
            yield steps
        raise Crash


def cut(text: str) -> tuple[SentPart, ...]:
    return (SentPart(0, end=len(text)),)


def crash(text: str) -> tuple[SentPart, ...]:
    raise Crash


class Desk:
    """An inbox, and somebody who takes commands out of it."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self.memory = Memory(database)
        self.writes = GroupedWrites(database)
        self.inbox = Inbox(database, self.writes, b"secret")
        self.leases = Leases(database, self.writes, "here", lease_s=60.0)
        self.outbox = Outbox(self.writes)

    async def receives(self, line: str) -> tuple[Lease, WaitingMessage]:
        said = message(line)
        await self.inbox.accept([Entry(said.session_key.platform, said.session_key.bot, said, raw="{}")])
        return await self.takes()

    async def takes(self) -> tuple[Lease, WaitingMessage]:
        [work] = await self.leases.take(1)
        return work.lease, work.messages[0]

    async def carries_out(self, taken: tuple[Lease, WaitingMessage], memory: Memory | None = None) -> Begun:
        return await carry_out(memory or self.memory, commands(), order(*taken))

    async def count(self, *rows: type[DeliveryRow | LinkCodeRow | PartRow | SessionRow]) -> list[int]:
        async with self.database.reading() as connection:
            return [await connection.scalar(select(func.count()).select_from(row)) or 0 for row in rows]

    async def state(self, waiting: WaitingMessage) -> str:
        async with self.database.reading() as connection:
            return str(await connection.scalar(select(InboxRow.state).where(InboxRow.id == waiting.id)))


def order(lease: Lease, waiting: WaitingMessage) -> Order:
    assert isinstance(waiting.inbound, InboundMessage)
    command = parse(waiting.inbound.text)
    assert isinstance(command, Command)
    new = NewSession(KEY, "banter", "tiny")
    return Order(lease, waiting, command, alone(waiting.inbound.person), new, next(_tokens), cut)


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


@pytest.fixture
async def session(desk: Desk) -> Session:
    """One in which three things were said, the last of them cut."""
    opened = await open_session(desk.memory)
    for word in ("one", "two"):
        await exchange(desk.memory, opened, word, word.upper())
    asked = await say(desk.memory, opened, "three")
    last = replace(reply("THR", 1, 2), finish_reason=FinishReason.LENGTH)
    await desk.memory.record_reply(opened.id, asked.id, last)
    return opened


async def snapshot(desk: Desk, session: Session) -> tuple[object, ...]:
    """All that a command could change."""
    active = await desk.memory.find_session(KEY)
    return active, await texts(desk.memory, session), await desk.count(DeliveryRow, PartRow, SessionRow, LinkCodeRow)


CHANGING = ["/undo", "/new", "/persona use pirate", "/model use other", "/settings language es", "/link"]


async def test_the_effect_and_the_answer_are_there_together(desk: Desk, session: Session) -> None:
    lease, waiting = await desk.receives("/undo")

    begun = await desk.carries_out((lease, waiting))

    assert await texts(desk.memory, session) == ["one", "ONE", "two", "TWO"]
    assert (begun.session, begun.delivery.state, begun.delivery.text) == (None, WHOLE, "Taken back: three")
    assert begun.delivery.parts == cut("Taken back: three")
    assert await desk.state(waiting) == TurnState.ANSWERED
    assert await desk.outbox.resume(Resuming(lease, waiting)) == begun


@pytest.mark.parametrize("line", [*CHANGING, "/regenerate", "/continue"])
async def test_a_crash_before_the_commit_leaves_nothing(desk: Desk, session: Session, line: str) -> None:
    taken = await desk.receives(line)
    before = await snapshot(desk, session)

    with pytest.raises(Crash):
        await desk.carries_out(taken, Uncommitted(desk.database))

    assert await snapshot(desk, session) == before
    assert await desk.state(taken[1]) == TurnState.WAITING


async def test_a_crash_between_the_effect_and_the_answer_leaves_nothing(desk: Desk, session: Session) -> None:
    taken = await desk.receives("/undo")
    before = await snapshot(desk, session)

    with pytest.raises(Crash):
        await carry_out(desk.memory, commands(), replace(order(*taken), cut=crash))

    assert await snapshot(desk, session) == before
    assert (await desk.carries_out(taken)).delivery.text == "Taken back: three"


@pytest.mark.parametrize("line", CHANGING)
async def test_a_second_try_after_the_commit_repeats_nothing(desk: Desk, session: Session, line: str) -> None:
    taken = await desk.receives(line)
    with pytest.raises(Crash):
        await desk.carries_out(taken, Unheard(desk.database))
    after = await snapshot(desk, session)

    again = await desk.carries_out(taken)

    assert await snapshot(desk, session) == after
    assert again.delivery.state == WHOLE
    assert again.delivery.text


@pytest.mark.parametrize("line", ["/regenerate", "/continue"])
async def test_a_second_try_goes_on_with_the_reply_that_was_begun(desk: Desk, session: Session, line: str) -> None:
    taken = await desk.receives(line)
    with pytest.raises(Crash):
        await desk.carries_out(taken, Unheard(desk.database))

    again = await desk.carries_out(taken)

    assert again.session is not None
    assert again.session.id == session.id
    assert again.question is not None
    assert again.question.text == "three"
    assert (again.continues is not None) == (line == "/continue")
    assert await desk.count(DeliveryRow) == [1]


async def test_whoever_comes_after_a_crash_goes_on_with_the_same_reply(desk: Desk, session: Session) -> None:
    lease, waiting = await desk.receives("/continue")
    begun = await desk.carries_out((lease, waiting))
    await desk.leases.release(lease)

    resumed = await desk.outbox.resume(Resuming(*await desk.takes()))

    assert resumed is not None
    assert resumed.continues == begun.continues
    assert resumed.continues is not None
    assert resumed.continues.text == "THR"


async def test_who_lost_the_place_changes_nothing(desk: Desk, session: Session) -> None:
    lease, waiting = await desk.receives("/undo")
    await desk.leases.release(lease)
    await Leases(desk.database, desk.writes, "elsewhere", lease_s=60.0).take(1)
    before = await snapshot(desk, session)

    with pytest.raises(LeaseLost):
        await desk.carries_out((lease, waiting))

    assert await snapshot(desk, session) == before


async def test_two_commands_take_two_messages_back(desk: Desk, session: Session) -> None:
    for _ in range(2):
        lease, waiting = await desk.receives("/undo")
        begun = await desk.carries_out((lease, waiting))
        await desk.outbox.settle(Settled(lease, waiting, begun.delivery))

    assert await texts(desk.memory, session) == ["one", "ONE"]


async def test_a_command_opens_the_dialogue_where_there_is_none(desk: Desk) -> None:
    taken = await desk.receives("/persona use pirate")

    await desk.carries_out(taken)

    opened = await desk.memory.find_session(KEY)
    assert opened is not None
    assert opened.persona == "pirate"
