"""Summaries: they tell of what is in the dialogue, as it is now, or they are gone."""

from dataclasses import replace

import pytest
from sqlalchemy import delete, func, select, update

from core.dialogue import Summary, Turn
from core.memory.database import Database
from core.memory.sessions import Session
from core.memory.store import Memory
from core.memory.summaries import NewSummary
from core.memory.tables import PlatformMessageRow, SummaryRow, TurnRow
from tests.contract.speaking import KEY, exchange, open_session, say


async def dialogue(memory: Memory, session: Session, exchanges: int = 4) -> list[Turn]:
    """Two turns for each exchange."""
    said = [await exchange(memory, session, f"question {number}", f"answer {number}") for number in range(exchanges)]
    return [turn for pair in said for turn in pair]


async def summarise(
    memory: Memory, session: Session, turns: list[Turn], told: str, base: Summary | None = None
) -> Summary | None:
    if not await memory.add_summary(NewSummary(session.id, base, tuple(turns), told, "tiny")):
        return None
    return (await memory.summaries(session.id, turns[-1].id))[-1]


async def told(memory: Memory, session: Session) -> list[str]:
    now = await memory.session(session.id)
    assert now is not None
    assert now.head_turn_id is not None
    return [summary.text for summary in await memory.summaries(session.id, now.head_turn_id)]


async def change(database: Database, turn: Turn, text: str = "changed") -> None:
    async with database.writing() as connection:
        await connection.execute(update(TurnRow).where(TurnRow.id == turn.id).values(text=text))


async def rows(database: Database) -> int:
    async with database.reading() as connection:
        return (await connection.execute(select(func.count()).select_from(SummaryRow))).scalar_one()


class TestSummaries:
    async def test_one_is_remembered_up_to_its_last_turn(self, memory: Memory) -> None:
        session = await open_session(memory)
        turns = await dialogue(memory, session)

        summary = await summarise(memory, session, turns[:4], "They talked.")

        assert summary is not None
        assert (summary.until_turn_id, summary.text) == (turns[3].id, "They talked.")
        assert await told(memory, session) == ["They talked."]

    async def test_the_one_in_use_and_the_next_one_are_kept(self, memory: Memory, database: Database) -> None:
        session = await open_session(memory)
        turns = await dialogue(memory, session)
        first = await summarise(memory, session, turns[:2], "one")
        second = await summarise(memory, session, turns[2:4], "one, two", first)
        await summarise(memory, session, turns[4:6], "one, two, three", second)

        assert await told(memory, session) == ["one, two", "one, two, three"]
        assert await rows(database) == 2

    @pytest.mark.parametrize("changed", [0, 1, 3])
    async def test_a_change_takes_all_that_tell_of_it(self, memory: Memory, database: Database, changed: int) -> None:
        session = await open_session(memory)
        turns = await dialogue(memory, session)
        first = await summarise(memory, session, turns[:2], "one")
        await summarise(memory, session, turns[2:4], "one, two", first)

        await change(database, turns[changed])

        kept = ["one"] if changed >= 2 else []
        assert await told(memory, session) == kept
        assert await rows(database) == len(kept)

    async def test_a_change_after_it_leaves_it(self, memory: Memory, database: Database) -> None:
        session = await open_session(memory)
        turns = await dialogue(memory, session)
        await summarise(memory, session, turns[:2], "one")

        await change(database, turns[2])
        await change(database, turns[1], turns[1].text)

        assert await told(memory, session) == ["one"]

    async def test_a_turn_that_goes_takes_it_along(self, memory: Memory, database: Database) -> None:
        session = await open_session(memory)
        await dialogue(memory, session, 1)
        last = await say(memory, session, "a secret")
        await summarise(memory, session, [last], "They told a secret.")
        await memory.undo(session.id)

        async with database.writing() as connection:
            await connection.execute(delete(PlatformMessageRow).where(PlatformMessageRow.turn_id == last.id))
            await connection.execute(delete(TurnRow).where(TurnRow.id == last.id))

        assert await rows(database) == 0

    async def test_it_is_not_told_where_its_turns_were_taken_back(self, memory: Memory) -> None:
        session = await open_session(memory)
        turns = await dialogue(memory, session, 2)
        await summarise(memory, session, turns[:2], "one")
        await summarise(memory, session, turns[2:], "one, two", (await memory.summaries(session.id, turns[1].id))[-1])
        assert await told(memory, session) == ["one", "one, two"]

        await memory.undo(session.id)
        assert await told(memory, session) == ["one"]
        await dialogue(memory, session, 2)

        assert await told(memory, session) == ["one"]

    async def test_it_is_not_kept_where_what_was_read_changed_meanwhile(
        self, memory: Memory, database: Database
    ) -> None:
        session = await open_session(memory)
        turns = await dialogue(memory, session)
        first = await summarise(memory, session, turns[:2], "one")
        await change(database, turns[3])

        assert await summarise(memory, session, turns[2:4], "stale", first) is None

        await change(database, turns[0])

        assert await summarise(memory, session, turns[4:6], "its base is gone", first) is None
        assert await rows(database) == 0

    async def test_it_is_not_kept_for_turns_of_another_session(self, memory: Memory) -> None:
        session = await open_session(memory)
        other = await open_session(memory, replace(KEY, channel="private"))
        turns = await dialogue(memory, session)

        assert await summarise(memory, other, turns[:2], "stolen") is None

    async def test_another_session_is_told_nothing(self, memory: Memory) -> None:
        session = await open_session(memory)
        turns = await dialogue(memory, session)
        await summarise(memory, session, turns[:2], "one")
        other = await open_session(memory, replace(KEY, channel="private"))
        await dialogue(memory, other)

        assert await told(memory, other) == []
