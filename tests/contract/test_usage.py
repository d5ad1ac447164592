"""What was used is counted once, by its person, channel and workspace, and admits nobody over a quota."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from core.dialogue import FinishReason, Platform, Role, SessionKey, TokenizedText, Turn, TurnState
from core.memory.database import Database
from core.memory.grouped import GroupedWrites
from core.memory.leased import Lease, WaitingMessage
from core.memory.owed import Delivery, Whole
from core.memory.recording import ReplyRecord
from core.memory.sessions import Session
from core.memory.usage import Admission, Usage, count_usage
from core.quotas import Amount, Day, Exceeded, Quotas, Scope, Unit
from tests.contract.speaking import ANNA, KEY, message

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TODAY = Quotas().day(NOON)
NOBODY = {scope: Amount() for scope in Scope}

_rows = itertools.count(1)


@pytest.fixture
async def writes(database: Database) -> AsyncIterator[GroupedWrites]:
    opened = GroupedWrites(database)
    yield opened
    await opened.aclose()


@pytest.fixture
def usage(database: Database, writes: GroupedWrites) -> Usage:
    return Usage(database, writes)


def admission(
    limits: Quotas,
    key: SessionKey = KEY,
    person: str = "17",
    row: int = 0,
    at: datetime = NOON,
) -> Admission:
    return Admission(row or next(_rows), key, person, at, limits.day(at), limits.limits)


def answered(
    row: int = 0, tokens: int = 3, prompt_tokens: int = 10, total_s: float = 0.5, key: SessionKey = KEY
) -> Whole:
    """A reply as it is recorded."""
    said = WaitingMessage(row or next(_rows), TurnState.ANSWERING, 0, NOON, NOON, 1, message("hello", key))
    ids = TokenizedText("tiny", tuple(range(tokens)))
    record = ReplyRecord("hi", "tiny", FinishReason.STOP, tokens=ids, prompt_tokens=prompt_tokens, total_s=total_s)
    session = Session(1, key, "banter", "tiny", True, None, NOON, NOON)
    question = Turn(1, Role.PERSON, "hello")
    return Whole(Lease("", "", 1, 0.0), said, session, question, record, Delivery(1, "t"))


async def record(database: Database, *items: Whole) -> None:
    async with database.writing() as connection:
        await count_usage(database, connection, items)


async def test_replies_are_counted_by_person_channel_and_workspace(database: Database, usage: Usage) -> None:
    await record(database, answered(tokens=3, prompt_tokens=10, total_s=0.5), answered(tokens=2, prompt_tokens=5))
    await record(database, answered(key=replace(KEY, channel="other"), tokens=1, prompt_tokens=1, total_s=0.25))

    used = await usage.used(KEY, ANNA.platform_id, TODAY)

    assert used[Scope.PERSON] == used[Scope.WORKSPACE] == Amount(3, 22, 1.25)
    assert used[Scope.CHANNEL] == Amount(2, 20, 1.0)


async def test_what_one_used_is_not_anothers(database: Database, usage: Usage) -> None:
    await record(database, answered())

    assert (await usage.used(KEY, "ben", TODAY))[Scope.PERSON] == Amount()
    for elsewhere in (
        replace(KEY, workspace="other"),
        replace(KEY, workspace=""),
        replace(KEY, platform=Platform.SLACK),
    ):
        assert await usage.used(elsewhere, ANNA.platform_id, TODAY) == NOBODY


async def test_a_day_is_counted_for_itself(database: Database, usage: Usage) -> None:
    await record(database, answered())

    for other in (NOON - timedelta(days=1), NOON + timedelta(days=1)):
        assert await usage.used(KEY, ANNA.platform_id, Quotas().day(other)) == NOBODY
    edges = Day(NOON, NOON + timedelta(seconds=1)), Day(NOON - timedelta(seconds=1), NOON)
    assert [(await usage.used(KEY, ANNA.platform_id, day))[Scope.PERSON].messages for day in edges] == [1, 0]


async def test_a_message_that_was_admitted_and_answered_is_one(database: Database, usage: Usage) -> None:
    limits = Quotas(person=Amount(messages=5))

    assert await usage.admit(admission(limits, row=1_000_001)) is None
    assert (await usage.used(KEY, "17", TODAY))[Scope.PERSON] == Amount(1, 0, 0.0)
    await record(database, answered(row=1_000_001, tokens=3, prompt_tokens=10, total_s=0.5))

    assert (await usage.used(KEY, "17", TODAY))[Scope.PERSON] == Amount(1, 13, 0.5)


async def test_so_many_messages_are_admitted_and_no_more(usage: Usage) -> None:
    limits = Quotas(person=Amount(messages=2))

    found = [await usage.admit(admission(limits)) for _ in range(4)]

    assert found == [None, None, *[Exceeded(Scope.PERSON, Unit.MESSAGES, 2)] * 2]
    assert await usage.admit(admission(limits, person="ben")) is None
    assert await usage.admit(admission(limits, at=NOON + timedelta(days=1))) is None


async def test_messages_that_come_at_once_are_admitted_one_by_one(usage: Usage) -> None:
    """As from one person in ten threads."""
    limits = Quotas(person=Amount(messages=3))

    found = await asyncio.gather(*(usage.admit(admission(limits)) for _ in range(10)))

    assert found.count(None) == 3


async def test_a_message_that_was_admitted_before_a_crash_is_admitted_again(usage: Usage) -> None:
    limits = Quotas(person=Amount(messages=2))
    first = admission(limits)

    assert [await usage.admit(one) for one in (first, first, admission(limits), first)] == [None] * 4
    assert await usage.admit(admission(limits)) is not None


@pytest.mark.parametrize(
    ("limits", "exceeded"),
    [
        (Quotas(person=Amount(tokens=13)), Exceeded(Scope.PERSON, Unit.TOKENS, 13)),
        (Quotas(channel=Amount(messages=1)), Exceeded(Scope.CHANNEL, Unit.MESSAGES, 1)),
        (Quotas(workspace=Amount(gpu_s=0.5)), Exceeded(Scope.WORKSPACE, Unit.GPU_SECONDS, 0.5)),
        (Quotas(person=Amount(tokens=14), channel=Amount(2), workspace=Amount(gpu_s=0.6)), None),
    ],
)
async def test_what_replies_have_cost_admits_no_other(
    database: Database, usage: Usage, limits: Quotas, exceeded: Exceeded | None
) -> None:
    await record(database, answered(tokens=3, prompt_tokens=10, total_s=0.5))

    assert await usage.admit(admission(limits)) == exceeded


async def test_one_workspaces_use_shuts_nobody_out_of_another(database: Database, usage: Usage) -> None:
    limits = Quotas(Amount(messages=1), Amount(messages=1), Amount(messages=1))
    await record(database, answered())

    assert await usage.admit(admission(limits)) is not None
    assert await usage.admit(admission(limits, replace(KEY, workspace="other"))) is None


async def test_private_chats_are_no_workspace(usage: Usage) -> None:
    limits = Quotas(workspace=Amount(messages=1))
    chats = [replace(KEY, workspace="", channel=f"dm{number}") for number in range(3)]

    assert [await usage.admit(admission(limits, chat, person=chat.channel)) for chat in chats] == [None] * 3
