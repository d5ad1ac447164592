"""What every database must remember, and how."""

import asyncio
import gc
from dataclasses import replace

import pytest

from core.dialogue import Person, Platform, TokenizedText
from core.errors import StorageError
from core.memory.database import Database
from core.memory.store import Memory
from tests.contract.speaking import ANNA, KEY, exchange, message, open_session, reply, say, texts


class TestSessions:
    async def test_a_key_has_one_session(self, memory: Memory) -> None:
        first = await open_session(memory)

        again = await memory.open_session(KEY, persona="another", model="another")

        assert again == first
        assert (again.key, again.persona, again.model, again.active) == (KEY, "banter", "tiny", True)

    async def test_each_part_of_the_key_makes_another_session(self, memory: Memory) -> None:
        others = [
            replace(KEY, platform=Platform.SLACK),
            replace(KEY, bot="x"),
            replace(KEY, workspace="x"),
            replace(KEY, channel="x"),
            replace(KEY, thread="x"),
            replace(KEY, person="x"),
        ]

        ids = {(await open_session(memory, key)).id for key in (KEY, *others)}

        assert len(ids) == 1 + len(others)

    async def test_tasks_that_open_a_key_together_get_one_session(self, memory: Memory) -> None:
        sessions = await asyncio.gather(*(open_session(memory) for _ in range(8)))

        assert len({session.id for session in sessions}) == 1
        assert len(await memory.list_sessions(10)) == 1

    async def test_a_new_session_ends_the_old_one(self, memory: Memory) -> None:
        old = await open_session(memory)
        await exchange(memory, old, "hello", "hi")

        new = await memory.begin_session(KEY, "pirate", "other")

        assert (await open_session(memory)).id == new.id != old.id
        assert await texts(memory, new) == []
        assert await texts(memory, old) == ["hello", "hi"]
        ended = await memory.session(old.id)
        assert ended is not None
        assert not ended.active

    async def test_tasks_that_begin_a_session_together_leave_one_active(self, memory: Memory) -> None:
        await open_session(memory)

        await asyncio.gather(*(memory.begin_session(KEY, "banter", "tiny") for _ in range(5)))

        active = [summary for summary in await memory.list_sessions(10) if summary.session.active]
        assert len(active) == 1

    async def test_a_session_changes_its_persona(self, memory: Memory) -> None:
        session = await open_session(memory)

        changed = await memory.set_persona(session.id, "pirate", "other")

        assert (changed.id, changed.persona, changed.model) == (session.id, "pirate", "other")
        assert await memory.session(session.id) == changed

    async def test_sessions_are_listed_by_their_last_activity(self, memory: Memory) -> None:
        first = await open_session(memory)
        second = await open_session(memory, replace(KEY, thread="t"))
        await exchange(memory, first, "hello", "hi")

        listed = await memory.list_sessions(10)

        assert [(summary.session.id, summary.turns) for summary in listed] == [(first.id, 2), (second.id, 0)]
        assert [summary.session.id for summary in await memory.list_sessions(1)] == [first.id]

    async def test_a_session_that_is_not_there_is_said(self, memory: Memory) -> None:
        assert await memory.session(77) is None
        assert await memory.recall(77, 100) == ()
        with pytest.raises(StorageError, match="There is no session 77"):
            await memory.record_message(77, message("hello"))


class TestTurns:
    async def test_a_dialogue_outlives_the_program(self, memory: Memory, database_url: str) -> None:
        session = await open_session(memory)
        await exchange(memory, session, "What is the capital of France?", "Paris.")

        async with Database(database_url) as database:
            later = Memory(database)
            assert (await open_session(later)).id == session.id
            assert await texts(later, session) == ["What is the capital of France?", "Paris."]

    async def test_two_dialogues_never_mix(self, memory: Memory) -> None:
        one, other = await open_session(memory), await open_session(memory, replace(KEY, thread="t"))
        await exchange(memory, one, "a1", "a2")
        await exchange(memory, other, "b1", "b2")
        question, _ = await exchange(memory, one, "a3", "a4")

        assert await texts(memory, one) == ["a1", "a2", "a3", "a4"]
        assert await texts(memory, other) == ["b1", "b2"]
        assert await memory.recall(other.id, 1000, head_turn_id=question.id) == ()
        with pytest.raises(StorageError, match="no longer in session"):
            await memory.record_reply(other.id, question.id, reply("stray"))

    async def test_a_second_copy_of_a_message_is_the_turn_of_the_first(self, memory: Memory) -> None:
        session = await open_session(memory)
        first = await memory.record_message(session.id, message("hello", message_id="same"))
        await memory.record_reply(session.id, first.id, reply("hi"))

        again = await memory.record_message(session.id, message("hello", message_id="same"))

        assert again == first
        assert await texts(memory, session) == ["hello", "hi"]

    async def test_copies_that_arrive_together_become_one_turn(self, memory: Memory) -> None:
        sessions = [await open_session(memory, replace(KEY, thread=str(number))) for number in range(4)]
        copies = [message("hello", session.key, message_id="same") for session in sessions]

        turns = await asyncio.gather(
            *(memory.record_message(session.id, copy) for session, copy in zip(sessions, copies, strict=True))
        )

        assert len({turn.id for turn in turns}) == 1
        assert sum(summary.turns for summary in await memory.list_sessions(10)) == 1

    async def test_a_message_id_belongs_to_its_channel(self, memory: Memory) -> None:
        elsewhere = replace(KEY, channel="random")
        one, other = await open_session(memory), await open_session(memory, elsewhere)

        await memory.record_message(one.id, message("hello", message_id="same"))
        await memory.record_message(other.id, message("hello", elsewhere, message_id="same"))

        assert await texts(memory, one) == await texts(memory, other) == ["hello"]

    async def test_messages_that_arrive_together_stand_one_after_another(self, memory: Memory) -> None:
        session = await open_session(memory)

        await asyncio.gather(*(say(memory, session, str(number)) for number in range(10)))

        assert sorted(await texts(memory, session)) == [str(number) for number in range(10)]

    async def test_a_turn_has_its_author(self, memory: Memory) -> None:
        asked, answered = await exchange(memory, await open_session(memory), "Hello.", "Hi.")

        assert [await memory.author(turn.id) for turn in (asked, answered)] == [ANNA.platform_id, ""]

    async def test_people_are_known_by_the_name_that_they_have_now(self, memory: Memory) -> None:
        session = await open_session(memory)
        await memory.record_message(session.id, message("one"))
        await memory.record_message(session.id, message("two", person=Person(ANNA.platform, "guild", "18", "Ben")))
        await memory.record_message(session.id, message("three", person=replace(ANNA, name="Anna-Lena")))

        recalled = await memory.recall(session.id, 1000)

        assert [turn.speaker for turn in recalled] == ["Anna-Lena", "Ben", "Anna-Lena"]

    @pytest.mark.parametrize(
        "text",
        ["👩‍👩‍👧‍👦 🇫🇷 🫠", "שלום עולם", "مرحبا بالعالم", "日本語\nと改行", "'; DROP TABLE turns; --", "ab" * 500_000],
        ids=["emoji", "hebrew", "arabic", "japanese", "sql", "one megabyte"],
    )
    async def test_every_text_comes_back_as_it_was(self, memory: Memory, text: str) -> None:
        session = await open_session(memory)

        await exchange(memory, session, text, text)

        assert [turn.text for turn in await memory.recall(session.id, 10**9)] == [text, text]

    async def test_what_no_database_can_hold_is_left_out(self, memory: Memory) -> None:
        session = await open_session(memory)
        odd = "\x00a\x00b\ud800"

        turn = await memory.record_message(session.id, message(odd, person=replace(ANNA, name=odd)))
        await memory.record_reply(session.id, turn.id, reply(odd))

        recalled = await memory.recall(session.id, 1000)
        assert [(turn.text, turn.speaker) for turn in recalled] == [("ab?", "ab?"), ("ab?", "")]

    async def test_the_drawn_tokens_come_back_exactly(self, memory: Memory) -> None:
        session = await open_session(memory)
        question = await say(memory, session, "hello")
        ids = (0, 1, 255, 256, 50_256, 2**32 - 1)
        record = replace(reply("hi", *ids), prompt_start_id=question.id)

        recorded = await memory.record_reply(session.id, question.id, record)

        asked, replied = await memory.recall(session.id, 1000)
        assert asked.tokens is None
        assert replied == recorded
        assert replied.tokens == TokenizedText("tiny", ids)
        assert replied.prompt_start_id == question.id

    async def test_a_value_out_of_range_is_a_clear_line_and_leaves_nothing(self, memory: Memory) -> None:
        session = await open_session(memory)
        question = await say(memory, session, "hello")

        with pytest.raises(StorageError) as caught:
            await memory.record_reply(session.id, question.id, replace(reply("hi"), seed=2**80))

        assert "\n" not in str(caught.value)
        assert await texts(memory, session) == ["hello"]

    # A connection that is cancelled while it opens is left to the garbage collector; Python 3.13 says so.
    @pytest.mark.filterwarnings("ignore:.*sqlite3.Connection:pytest.PytestUnraisableExceptionWarning")
    async def test_a_task_that_is_cancelled_leaves_no_lock_and_no_half_turn(self, memory: Memory) -> None:
        session = await open_session(memory)
        for steps in range(60):
            recording = asyncio.create_task(say(memory, session, f"{steps}"))
            for _ in range(steps):
                await asyncio.sleep(0)
            recording.cancel()
            await asyncio.gather(recording, return_exceptions=True)

        await exchange(memory, session, "one", "1")

        recalled = await texts(memory, session)
        assert recalled[-2:] == ["one", "1"]
        assert sum(summary.turns for summary in await memory.list_sessions(10)) == len(recalled)
        gc.collect()
