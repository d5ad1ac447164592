"""What a transaction of an edit, a deletion or a stop leaves behind, whoever holds the lease."""

import random
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from core.dialogue import Deletion, Edit, Feedback, FinishReason, InboundMessage, Opinion
from core.errors import LeaseLost
from core.memory.database import Database
from core.memory.feedback import judgements
from core.memory.grouped import GroupedWrites
from core.memory.inbox import Entry, Inbox
from core.memory.leased import WaitingMessage, Work
from core.memory.leases import Leases
from core.memory.outbox import Outbox
from core.memory.owed import STOPPED, WHOLE, Beginning, Begun, Delivery, Progress, Resuming, SentPart, Settled, Whole
from core.memory.recording import ReplyRecord
from core.memory.revising import Accepted
from core.memory.revision_writes import Deleted, Edited, StoppedReply
from core.memory.sessions import NewSession
from core.memory.store import Memory
from tests.contract.speaking import ANNA, KEY, message, reply

NEW = NewSession(KEY, "banter", "tiny")
STOPPED_REPLY = ReplyRecord("so far", "tiny", FinishReason.CANCELLED)


class Desk:
    """One process that takes care of a place, a step at a time."""

    def __init__(self, database: Database, owner: str = "one") -> None:
        self.writes = GroupedWrites(database)
        self.inbox = Inbox(database, self.writes, b"secret")
        self.leases = Leases(database, self.writes, owner, lease_s=30.0)
        self.outbox = Outbox(self.writes)
        self.revising = self.outbox.revising
        self.memory = Memory(database)

    async def hears(self, inbound: InboundMessage | Edit | Deletion | Feedback, *, urgent: bool = False) -> None:
        await self.inbox.accept([Entry(KEY.platform, KEY.bot, inbound, "{}", urgent=urgent)])

    async def takes(self) -> Work:
        [work] = await self.leases.take(1)
        return work

    async def begins(self, work: Work) -> Begun:
        first = work.messages[0]
        assert isinstance(first.inbound, InboundMessage)
        return await self.outbox.begin(
            Beginning(work.lease, (first,), NEW, first.inbound.text, Delivery(0, f"token-{first.id}"))
        )

    async def answers(self, work: Work, text: str) -> Work | None:
        begun = await self.begins(work)
        whole = await self.records(work, begun, reply(text))
        return await self.outbox.settle(Settled(work.lease, work.messages[0], whole))

    async def records(self, work: Work, begun: Begun, record: ReplyRecord) -> Delivery:
        assert begun.session is not None
        assert begun.question is not None
        parts = (SentPart(0, "h0", len(record.text), is_closed=True),)
        owed = replace(begun.delivery, state=WHOLE, text=record.text, parts=parts)
        return await self.outbox.record(
            Whole(work.lease, work.messages[0], begun.session, begun.question, record, owed)
        )

    async def event(self, work: Work, inbound: Edit | Deletion | Feedback) -> WaitingMessage:
        await self.hears(inbound, urgent=True)
        [(_, event)] = await self.leases.urgent([work.lease])
        return event

    async def finds(self, message_id: str) -> Accepted:
        found = await self.revising.find(KEY, message_id)
        assert found is not None
        return found

    async def remembered(self) -> list[str]:
        [summary] = await self.memory.list_sessions(1)
        return [turn.text for turn in await self.memory.recall(summary.session.id, 10_000)]


@pytest.fixture
async def desk(database: Database) -> AsyncIterator[Desk]:
    one = Desk(database)
    yield one
    await one.writes.aclose()


def edit(text: str) -> Edit:
    return Edit(KEY, ANNA, "m1", "1", text)


async def test_a_message_is_found_while_it_waits_while_it_is_answered_and_afterwards(desk: Desk) -> None:
    await desk.hears(message("hi", message_id="m1"))
    waiting = await desk.finds("m1")
    work = await desk.takes()
    begun = await desk.begins(work)
    answering = await desk.finds("m1")
    whole = await desk.records(work, begun, reply("hello"))
    await desk.outbox.settle(Settled(work.lease, work.messages[0], whole))
    answered = await desk.finds("m1")

    row = work.messages[0].id
    assert (waiting.row, waiting.turn_id, waiting.answering) == (row, None, None)
    assert begun.question is not None
    assert (answering.row, answering.turn_id, answering.answering) == (row, begun.question.id, row)
    assert (answered.row, answered.turn_id, answered.answering) == (row, begun.question.id, None)
    assert await desk.revising.find(KEY, "m2") is None


async def test_an_edit_that_waits_for_a_redraw_is_seen_as_such(desk: Desk) -> None:
    await desk.hears(message("hi", message_id="m1"))
    await desk.hears(message("and", message_id="m2"))
    work = await desk.answers(await desk.takes(), "hello")
    assert work is not None
    event = await desk.event(work, edit("ho"))
    found = await desk.finds("m1")
    said = replace(found.said, text="ho") if found.said else None
    await desk.revising.edit(Edited(work.lease, event, found.row, said, found.turn_id, "ho", goes_on=True))

    after = await desk.finds("m1")

    assert (after.answering, after.is_wanted) == (None, True)
    assert await desk.remembered() == ["ho", "hello"]


async def test_a_reply_that_is_begun_again_keeps_its_messages_and_nothing_of_its_text(desk: Desk) -> None:
    await desk.hears(message("hi", message_id="m1"))
    work = await desk.takes()
    begun = await desk.begins(work)
    parts = (SentPart(0, "h0", 4, is_closed=True), SentPart(1, "h1"))
    shown = replace(begun.delivery, text="some words", token_ids=(1, 2), seed=7, parts=parts)
    await desk.outbox.progress(Progress(work.lease, shown))
    event = await desk.event(work, edit("ho"))
    found = await desk.finds("m1")
    said = replace(found.said, text="ho") if found.said else None
    restart = Edited(work.lease, event, found.row, said, found.turn_id, "ho", restarts=found.answering)
    for _ in range(2):  # a crash before the answer of the database
        await desk.revising.edit(restart)

    again = await desk.outbox.resume(Resuming(work.lease, replace(work.messages[0], turn_id=found.turn_id)))

    assert again is not None
    assert again.question is not None
    assert again.question.text == "ho"
    assert (again.delivery.text, again.delivery.token_ids, again.delivery.seed) == ("", (), None)
    assert again.delivery.parts == (SentPart(0, "h0"), SentPart(1, "h1"))
    assert not await desk.revising.is_open(event.id)


async def test_a_stopped_reply_ends_as_it_is_and_its_turn_has_the_word_of_who_stopped_it(
    desk: Desk, database: Database
) -> None:
    await desk.hears(message("hi", message_id="m1"))
    work = await desk.takes()
    begun = await desk.begins(work)
    event = await desk.event(work, Feedback(KEY, ANNA, "h0", Opinion.STOP, "press"))
    for _ in range(2):
        await desk.revising.stop(StoppedReply(work.lease, event, ANNA, begun.delivery.id, ends=True))
    owed = await desk.revising.owed(work.messages[0].id)
    whole = await desk.records(work, begun, STOPPED_REPLY)

    assert owed is not None
    assert owed.state == STOPPED
    assert whole.turn_id is not None
    told = [(one.opinion, one.is_withdrawn) for one in await judgements(database, whole.turn_id)]
    assert told == [(Opinion.STOP, False)]


async def test_a_deletion_that_is_carried_out_twice_takes_nothing_more(desk: Desk) -> None:
    for number, text in enumerate(("one", "two", "three"), start=1):
        await desk.hears(message(text, message_id=f"m{number}"))
    work: Work | None = await desk.takes()
    for answer in ("1", "2"):
        assert work is not None
        work = await desk.answers(work, answer)
    assert work is not None
    event = await desk.event(work, Deletion(KEY, "m2"))
    found = await desk.finds("m2")
    deleted = Deleted(work.lease, event, found.row, found.turn_id)
    await desk.revising.take_out(deleted)
    for _ in range(2):
        await desk.revising.forget(deleted)

    assert await desk.remembered() == ["one", "1"]
    assert await desk.revising.find(KEY, "m2") is None
    assert not await desk.revising.is_open(event.id)


async def test_a_message_that_waits_is_forgotten_without_a_turn(desk: Desk) -> None:
    await desk.hears(message("hi", message_id="m1"))
    await desk.hears(message("and", message_id="m2"))
    work = await desk.takes()
    event = await desk.event(work, Deletion(KEY, "m1"))
    found = await desk.finds("m1")
    await desk.revising.forget(Deleted(work.lease, event, found.row, None))

    left = await desk.outbox.next(work.lease)

    assert left is not None
    assert [one.inbound for one in left.messages] == [work.messages[1].inbound]


async def test_another_process_holder_is_refused(desk: Desk, database: Database) -> None:
    await desk.hears(message("hi", message_id="m1"))
    work = await desk.takes()
    event = await desk.event(work, edit("ho"))
    await desk.leases.release(work.lease)
    await Desk(database, "another").takes()
    found = await desk.finds("m1")

    with pytest.raises(LeaseLost):
        await desk.revising.edit(Edited(work.lease, event, found.row, found.said))
    with pytest.raises(LeaseLost):
        await desk.revising.forget(Deleted(work.lease, event, found.row, None))

    assert (await desk.finds("m1")).said == found.said
    assert await desk.revising.is_open(event.id)


@pytest.mark.parametrize("seed", range(5))
async def test_whatever_is_deleted_the_rest_stays_in_its_order(desk: Desk, seed: int) -> None:
    drawn = random.Random(seed)
    numbers = range(1, 7)
    for number in numbers:
        await desk.hears(message(f"q{number}", message_id=f"m{number}"))
    await desk.hears(message("last", message_id="last"))
    work: Work | None = await desk.takes()
    for number in numbers:
        assert work is not None
        work = await desk.answers(work, f"a{number}")
    assert work is not None
    told = [text for number in numbers for text in (f"q{number}", f"a{number}")]
    for number in drawn.sample(list(numbers), 4):
        event = await desk.event(work, Deletion(KEY, f"m{number}"))
        found = await desk.finds(f"m{number}")
        await desk.revising.take_out(Deleted(work.lease, event, found.row, found.turn_id))
        await desk.revising.forget(Deleted(work.lease, event, found.row, found.turn_id))
        told.remove(f"q{number}")
        told.remove(f"a{number}")

        assert await desk.remembered() == told
