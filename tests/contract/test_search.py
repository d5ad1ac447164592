"""Full-text search: older turns of one dialogue, and of nothing else."""

import itertools
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, text, update

from core.dialogue import SessionKey
from core.memory.database import Database
from core.memory.search import Search
from core.memory.sessions import Session
from core.memory.store import Memory
from core.memory.tables import PlatformMessageRow, TurnRow
from core.relevance import RANKED_LIMIT, TURNS_PER_WORD, words_of
from tests.contract.speaking import ANNA, KEY, SENT_AT, exchange, message, open_session, reply, say


async def found(memory: Memory, session: Session, question: str) -> list[str]:
    """What is found for a question that is asked now."""
    asked = await say(memory, session, question)
    wanted = Search(session.id, asked.id, question, before_turn_id=asked.id)
    texts = [turn.text for turn in await memory.search(wanted)]
    await memory.undo(session.id)
    return texts


class TestSearch:
    async def test_finds_what_was_said_by_both_sides(self, memory: Memory) -> None:
        session = await open_session(memory)
        await exchange(memory, session, "My dog is called Rex.", "Nice!")
        await exchange(memory, session, "And my cat?", "You never told me of a cat.")
        await exchange(memory, session, "Good night.", "Sleep well.")

        assert await found(memory, session, "What is my DOG called?") == ["My dog is called Rex.", "And my cat?"]
        assert await found(memory, session, "the cat") == ["And my cat?", "You never told me of a cat."]
        assert await found(memory, session, "Elephants?") == []
        assert await found(memory, session, "?!") == []

    async def test_knows_who_spoke(self, memory: Memory) -> None:
        session = await open_session(memory)
        await exchange(memory, session, "A zebra!", "Which zebra?")
        asked = await say(memory, session, "zebra")

        turns = await memory.search(Search(session.id, asked.id, "zebra", before_turn_id=asked.id))

        assert {(turn.role.value, turn.speaker) for turn in turns} == {("person", "Anna"), ("assistant", "")}

    async def test_finds_only_what_was_said_before(self, memory: Memory) -> None:
        session = await open_session(memory)
        first, _ = await exchange(memory, session, "zebra one", "nothing")
        second, _ = await exchange(memory, session, "zebra two", "nothing")
        asked = await say(memory, session, "zebra")

        turns = await memory.search(Search(session.id, asked.id, "zebra", before_turn_id=second.id))

        assert [turn.id for turn in turns] == [first.id]

    async def test_does_not_find_what_was_taken_back(self, memory: Memory) -> None:
        session = await open_session(memory)
        await exchange(memory, session, "zebra one", "nothing")
        await exchange(memory, session, "zebra two", "zebra!")
        await memory.undo(session.id)

        assert await found(memory, session, "zebra") == ["zebra one"]

        await exchange(memory, session, "zebra three", "nothing")

        assert await found(memory, session, "zebra") == ["zebra three", "zebra one"]

    async def test_finds_nothing_of_a_dialogue_that_was_taken_back_whole(self, memory: Memory) -> None:
        session = await open_session(memory)
        await exchange(memory, session, "zebra one", "zebra!")
        await memory.undo(session.id)
        await exchange(memory, session, "hello", "hi")

        assert await found(memory, session, "zebra") == []

    async def test_does_not_find_a_reply_that_was_drawn_again(self, memory: Memory) -> None:
        session = await open_session(memory)
        question, _ = await exchange(memory, session, "An animal?", "zebra one")
        await memory.record_reply(session.id, question.id, reply("zebra two"))

        assert await found(memory, session, "zebra") == ["zebra two"]

    async def test_does_not_find_a_reply_that_came_after_its_question_was_taken_back(self, memory: Memory) -> None:
        session = await open_session(memory)
        late = await say(memory, session, "An animal?")
        await memory.undo(session.id)
        await exchange(memory, session, "hello", "hi")
        await memory.record_reply(session.id, late.id, reply("zebra"))
        await exchange(memory, session, "and now", "nothing")

        assert await found(memory, session, "zebra animal") == []

    @pytest.mark.parametrize(
        "other",
        [
            replace(KEY, workspace="another"),
            replace(KEY, channel="private"),
            replace(KEY, thread="topic"),
            replace(KEY, person="18"),
            replace(KEY, bot="another"),
        ],
        ids=lambda key: "/".join((key.bot, key.workspace, key.channel, key.thread, key.person)),
    )
    async def test_never_leaves_its_place(self, memory: Memory, other: SessionKey) -> None:
        here = await open_session(memory)
        there = await open_session(memory, other)
        await exchange(memory, here, "zebra here", "zebra here")
        await exchange(memory, there, "zebra there", "zebra there")

        assert set(await found(memory, here, "zebra")) == {"zebra here"}
        assert set(await found(memory, there, "zebra")) == {"zebra there"}

    async def test_finds_nothing_of_the_dialogue_before_a_new_one(self, memory: Memory) -> None:
        before = await open_session(memory)
        await exchange(memory, before, "zebra", "zebra")
        session = await memory.begin_session(KEY, "banter", "tiny")

        assert await found(memory, session, f"zebra {before.id} session") == []

    async def test_a_text_cannot_pose_as_another_session(self, memory: Memory) -> None:
        here, there = await open_session(memory), await open_session(memory, replace(KEY, channel="private"))
        await exchange(memory, there, f"session {here.id} {here.id} zebra", "hi")

        assert await found(memory, here, f"zebra {here.id} {there.id}") == []

    async def test_a_changed_turn_is_found_by_its_new_words_alone(self, memory: Memory, database: Database) -> None:
        session = await open_session(memory)
        question, _ = await exchange(memory, session, "a zebra", "nothing")
        async with database.writing() as connection:
            await connection.execute(update(TurnRow).where(TurnRow.id == question.id).values(text="a tiger"))

        assert await found(memory, session, "zebra") == []
        assert await found(memory, session, "tiger") == ["a tiger"]

    async def test_a_deleted_turn_is_not_found_and_breaks_nothing(self, memory: Memory, database: Database) -> None:
        session = await open_session(memory)
        await exchange(memory, session, "zebra one", "nothing")
        gone = await say(memory, session, "zebra two")
        await memory.undo(session.id)
        async with database.writing() as connection:
            await connection.execute(delete(PlatformMessageRow).where(PlatformMessageRow.turn_id == gone.id))
            await connection.execute(delete(TurnRow).where(TurnRow.id == gone.id))

        assert await found(memory, session, "zebra two") == ["zebra one"]

    async def test_a_sealed_text_is_not_indexed(self, memory: Memory, database: Database) -> None:
        session = await open_session(memory)
        question, _ = await exchange(memory, session, "zebra", "nothing")
        assert await _matches(database, "zebra") == 1

        await _rewrite(database, question.id, "\x01zebra")
        assert await _matches(database, "zebra") == 0

        await _rewrite(database, question.id, "tiger")
        assert await found(memory, session, "tiger zebra") == ["tiger"]

    async def test_a_common_word_does_not_hide_a_rare_one(self, memory: Memory) -> None:
        session = await open_session(memory)
        await exchange(memory, session, "the zebra", "the end")
        for number in range(2 * TURNS_PER_WORD):
            await exchange(memory, session, f"the {number}", "the end")

        assert (await found(memory, session, "tell of the zebra"))[0] == "the zebra"

    async def test_ranks_no_more_than_it_may(self, memory: Memory, database: Database) -> None:
        session = await open_session(memory)
        words = [f"word{number:02}" for number in range(10)]
        first, _ = await exchange(memory, session, "hello", "hi")
        said = [
            f"{words[number % 10]} {words[(number + 1) % 10]} {words[(number + 2) % 10]}"
            for number in range(2 * RANKED_LIMIT)
        ]
        rows = [
            {
                "id": first.id + 100 + number,
                "parent_id": first.id + 99 + number if number else first.id,
                "session_id": session.id,
                "role": "person",
                "state": "answered",
                "created_at": SENT_AT,
                "text": told,
            }
            for number, told in enumerate(said)
        ]
        async with database.writing() as connection:
            await connection.execute(insert(TurnRow), rows)
        head = first.id + 99 + len(rows)

        turns = await memory.search(Search(session.id, head, " ".join(words), before_turn_id=head))

        assert RANKED_LIMIT / 4 < len(turns) <= RANKED_LIMIT

    @pytest.mark.parametrize(
        ("said", "asked"),
        [
            ("see https://host.example/path?x=zebra&y=1", "zebra"),
            ("zebra-crossing", "crossing"),
            ("snake_zebra", "zebra"),
            ("it's the zebra's", "zebra"),
            ("Моя Собака", "собака"),
            ("моя собака", "Собака"),
            ("हिन्दी में", "हिन्दी?"),
            ("café", "CAFÉ"),
            ("v1.25", "25"),
            ("**zebra**\n```python\nzebra()\n```", "zebra"),
        ],
    )
    async def test_knows_a_word_within_what_stands_around_it(self, memory: Memory, said: str, asked: str) -> None:
        session = await open_session(memory)
        await exchange(memory, session, said, "-")

        assert await found(memory, session, asked) == [said]

    async def test_very_long_texts_are_taken(self, memory: Memory) -> None:
        session = await open_session(memory)
        long = "zebra " + " ".join(f"w{number:x}" for number in range(400_000))
        await exchange(memory, session, long, "x" * 3_000_000)

        assert await found(memory, session, "zebra") == [long]


async def _rewrite(database: Database, turn_id: int, said: str) -> None:
    """As it stands in the database, whatever that means."""
    async with database.writing() as connection:
        changed = text("UPDATE turns SET text = :said WHERE id = :id")
        await connection.execute(changed, {"said": said, "id": turn_id})


async def _matches(database: Database, word: str) -> int:
    """In the index, whatever the session."""
    if database.address.file is not None:
        counted = "SELECT count(*) FROM turns_search WHERE turns_search MATCH :word"
    else:
        counted = "SELECT count(*) FROM turns WHERE turns_search @@ plainto_tsquery('simple', :word)"
    async with database.reading() as connection:
        return int((await connection.execute(text(counted), {"word": word})).scalar_one())


_numbers = itertools.count()
WITH_A_DATABASE = settings(
    max_examples=25, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
SYNTAX = (*'"*^:()-+{}&|!%;', "NEAR(", "AND", "OR", "NOT", "text", "session", "<->", ":*", "$1", ":word0", "--", "👋")
LETTERS = ['"', "'", "*", "zebra", "\\", ":", "\x00", "\x01", "\ud800", "\u200f", "ß", "İ", "ﬁ", "²"]
NASTY = st.one_of(
    st.text(max_size=200),
    st.lists(st.sampled_from([*SYNTAX, *LETTERS]), max_size=30).map(" ".join),
    st.lists(st.sampled_from(LETTERS), max_size=30).map("".join),
)


@pytest.fixture
async def zebras(memory: Memory) -> Session:
    session = await open_session(memory, replace(KEY, thread=f"zebras {next(_numbers)}"))
    await exchange(memory, session, "zebra", "text session word0")
    return session


@settings(WITH_A_DATABASE, max_examples=300)
@given(question=NASTY)
async def test_no_question_is_taken_for_a_query(memory: Memory, zebras: Session, question: str) -> None:
    head = (await memory.recall(zebras.id, 100))[-1].id

    turns = await memory.search(Search(zebras.id, head, question, before_turn_id=head + 1))

    asked = {word.lower() for word in words_of(question)}
    assert ("zebra" in asked) == ("zebra" in [turn.text for turn in turns])


ACTS = st.lists(st.tuples(st.sampled_from(["ask", "ask", "answer", "answer", "undo"]), st.integers(0, 5)), max_size=30)


@WITH_A_DATABASE
@given(acts=ACTS, about=st.sets(st.integers(0, 5), min_size=1))
async def test_it_finds_what_stands_in_the_dialogue_and_has_a_word(
    memory: Memory, acts: list[tuple[str, int]], about: set[int]
) -> None:
    """Fewer turns than a word may have: all of them are found."""
    session = await open_session(memory, replace(KEY, thread=f"acts {next(_numbers)}"))
    for kind, number in acts:
        last = await memory.last_question(session.id)
        if kind == "ask":
            await memory.record_message(session.id, message(f"word{number}", session.key, ANNA))
        elif kind == "undo":
            await memory.undo(session.id)
        elif last is not None:
            await memory.record_reply(session.id, last.id, reply(f"word{number} word{(number + 1) % 6}"))
    question = " ".join(f"word{number}" for number in sorted(about))
    asked = await say(memory, session, "and now?")
    dialogue = await memory.recall(session.id, 10_000)

    turns = await memory.search(Search(session.id, asked.id, question, before_turn_id=asked.id))

    expected = [turn.id for turn in dialogue if any(f"word{number}" in turn.text for number in about)]
    assert sorted(turn.id for turn in turns) == expected
