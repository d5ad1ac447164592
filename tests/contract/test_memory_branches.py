"""Undo, drawing again, and the transcript of what was said."""

from core.dialogue import FinishReason, Role, TokenizedText, TurnState
from core.memory.recording import ReplyRecord
from core.memory.store import Memory
from tests.contract.speaking import SENT_AT, exchange, open_session, reply, say, texts


class TestBranches:
    async def test_undo_takes_back_the_last_question_and_its_reply(self, memory: Memory) -> None:
        session = await open_session(memory)
        await exchange(memory, session, "one", "1")
        question, _ = await exchange(memory, session, "two", "2")

        assert await memory.undo(session.id) == question
        assert await texts(memory, session) == ["one", "1"]
        await exchange(memory, session, "three", "3")
        assert await texts(memory, session) == ["one", "1", "three", "3"]

    async def test_undo_goes_back_to_the_beginning_and_no_further(self, memory: Memory) -> None:
        session = await open_session(memory)
        await exchange(memory, session, "one", "1")
        await say(memory, session, "two")

        taken_back = [await memory.undo(session.id) for _ in range(3)]

        assert [turn and turn.text for turn in taken_back] == ["two", "one", None]
        assert await texts(memory, session) == []
        assert await memory.last_question(session.id) is None

    async def test_a_question_is_answered_again_beside_its_first_reply(self, memory: Memory) -> None:
        session = await open_session(memory)
        await exchange(memory, session, "one", "1")
        question, _ = await exchange(memory, session, "two", "2")

        assert await memory.last_question(session.id) == question
        await memory.record_reply(session.id, question.id, reply("zwei"))

        assert await texts(memory, session) == ["one", "1", "two", "zwei"]
        assert await memory.replies_to(question.id) == ("2", "zwei")
        assert await memory.last_question(session.id) == question

    async def test_recall_for_a_question_leaves_its_earlier_replies_out(self, memory: Memory) -> None:
        session = await open_session(memory)
        await exchange(memory, session, "one", "1")
        question, _ = await exchange(memory, session, "two", "2")

        recalled = await memory.recall(session.id, 1000, head_turn_id=question.id)

        assert [turn.text for turn in recalled] == ["one", "1", "two"]

    async def test_a_reply_to_a_question_that_was_taken_back_stays_aside(self, memory: Memory) -> None:
        session = await open_session(memory)
        question = await say(memory, session, "one")
        await memory.undo(session.id)

        await memory.record_reply(session.id, question.id, reply("1"))

        assert await texts(memory, session) == []
        assert await memory.replies_to(question.id) == ("1",)

    async def test_a_reply_does_not_push_a_newer_question_out(self, memory: Memory) -> None:
        session = await open_session(memory)
        question = await say(memory, session, "one")
        await say(memory, session, "two")

        await memory.record_reply(session.id, question.id, reply("1"))

        assert await texts(memory, session) == ["one", "two"]


class TestTranscript:
    async def test_it_shows_all_that_is_known_of_each_turn(self, memory: Memory) -> None:
        session = await open_session(memory)
        question = await say(memory, session, "hello")
        record = ReplyRecord(
            text="hi",
            model="tiny",
            finish_reason=FinishReason.LENGTH,
            state=TurnState.CANCELLED,
            tokens=TokenizedText("tiny", (1, 2, 3)),
            prompt_start_id=question.id,
            prompt_turns=1,
            prompt_tokens=31,
            question_token_count=7,
            seed=2**63 - 1,
            queue_s=0.25,
            first_token_s=0.5,
            total_s=1.5,
        )
        await memory.record_reply(session.id, question.id, record)

        asked, replied = await memory.transcript(session.id, limit=10)

        assert (asked.turn.role, asked.turn.speaker, asked.state) == (Role.PERSON, "Anna", TurnState.ANSWERED)
        assert (asked.created_at, asked.created_at.tzinfo, asked.token_count) == (SENT_AT, SENT_AT.tzinfo, 7)
        assert (asked.model, asked.finish_reason, asked.seed, asked.total_s) == (None, None, None, None)
        assert (replied.turn.role, replied.state, replied.token_count) == (Role.ASSISTANT, TurnState.CANCELLED, 3)
        assert (replied.model, replied.finish_reason, replied.seed) == ("tiny", FinishReason.LENGTH, 2**63 - 1)
        assert (replied.prompt_turns, replied.prompt_tokens) == (1, 31)
        assert (replied.queue_s, replied.first_token_s, replied.total_s) == (0.25, 0.5, 1.5)

    async def test_it_holds_the_newest_turns(self, memory: Memory) -> None:
        session = await open_session(memory)
        for number in range(3):
            await exchange(memory, session, f"q{number}", f"a{number}")

        shown = await memory.transcript(session.id, limit=3)

        assert [turn.turn.text for turn in shown] == ["a1", "q2", "a2"]
