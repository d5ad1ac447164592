"""What people think of replies, and the candidates that those were chosen from."""

from dataclasses import replace

from sqlalchemy import select

from core.dialogue import FinishReason, Opinion, Person, TokenizedText, Turn
from core.memory.candidates import CandidateRecord, candidates_of
from core.memory.database import Database
from core.memory.erasing import cut_turns
from core.memory.feedback import Judgement, Opined, add_opinion, judgements
from core.memory.recording import ReplyRecord
from core.memory.store import Memory
from core.memory.tables import FeedbackRow, PersonRow
from tests.contract.speaking import ANNA, open_session, say

BEN = replace(ANNA, platform_id="18", name="Ben")
LIKELY = CandidateRecord("maybe", (1, 2), FinishReason.STOP, -2.5)
CHOSEN = CandidateRecord("yes", (3,), FinishReason.LENGTH, -4.0, {"mmi": -0.25, "rank": 1.0}, is_chosen=True)
REPLY = ReplyRecord("yes", "tiny", FinishReason.STOP, tokens=TokenizedText("tiny", (3,)), candidates=(LIKELY, CHOSEN))


async def replied(memory: Memory, record: ReplyRecord = REPLY) -> Turn:
    session = await open_session(memory)
    question = await say(memory, session, "well?")
    return await memory.record_reply(session.id, question.id, record)


async def tell(database: Database, opined: Opined) -> None:
    async with database.writing() as connection:
        await add_opinion(database, connection, opined)


async def test_the_candidates_of_a_reply_are_kept_as_they_were_ranked(database: Database, memory: Memory) -> None:
    turn = await replied(memory)

    async with database.reading() as connection:
        assert await candidates_of(connection, turn.id) == (LIKELY, CHOSEN)


async def test_a_reply_without_candidates_is_a_reply(database: Database, memory: Memory) -> None:
    turn = await replied(memory, replace(REPLY, candidates=()))

    async with database.reading() as connection:
        assert await candidates_of(connection, turn.id) == ()


async def test_an_opinion_hangs_on_the_reply_its_candidate_and_its_model(database: Database, memory: Memory) -> None:
    turn = await replied(memory)
    await tell(database, Opined(BEN, Opinion.GOOD, turn_id=turn.id))

    [told] = await judgements(database, turn.id)

    assert told == Judgement(turn.id, told.candidate_id, "tiny", "18", Opinion.GOOD, is_withdrawn=False)
    assert told.candidate_id is not None


async def test_each_opinion_of_a_person_counts_once(database: Database, memory: Memory) -> None:
    turn = await replied(memory)
    for person, opinion in ((ANNA, Opinion.GOOD), (ANNA, Opinion.GOOD), (BEN, Opinion.GOOD), (ANNA, Opinion.BAD)):
        await tell(database, Opined(person, opinion, turn_id=turn.id))

    told = [(one.person, one.opinion) for one in await judgements(database, turn.id)]

    assert told == [("17", Opinion.GOOD), ("18", Opinion.GOOD), ("17", Opinion.BAD)]


async def test_an_opinion_is_taken_back_and_given_again(database: Database, memory: Memory) -> None:
    turn = await replied(memory)
    seen = []
    for is_withdrawn in (False, True, False):
        await tell(database, Opined(ANNA, Opinion.GOOD, is_withdrawn, turn.id))
        seen += [one.is_withdrawn for one in await judgements(database, turn.id)]

    assert seen == [False, True, False]


async def test_a_reaction_without_a_name_leaves_the_name_that_is_known(database: Database, memory: Memory) -> None:
    turn = await replied(memory)
    nobody = Person(ANNA.platform, ANNA.workspace, "99", "")
    for person in (replace(ANNA, name=""), nobody):
        await tell(database, Opined(person, Opinion.GOOD, turn_id=turn.id))

    async with database.reading() as connection:
        people = await connection.execute(select(PersonRow.platform_id, PersonRow.name))
        names = {row.platform_id: row.name for row in people}

    assert names == {"17": "Anna", "99": ""}


async def test_what_hangs_on_a_reply_goes_with_it(database: Database, memory: Memory) -> None:
    turn = await replied(memory)
    await tell(database, Opined(ANNA, Opinion.GOOD, turn_id=turn.id))

    async with database.writing() as connection:
        await cut_turns(connection, [turn.id])

    async with database.reading() as connection:
        assert await candidates_of(connection, turn.id) == ()
        assert (await connection.scalars(select(FeedbackRow.id))).all() == []
