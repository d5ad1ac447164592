"""People see the dialogues in which they spoke themselves, by their own words."""

from dataclasses import replace

from core.dialogue import Person
from core.memory.database import Database
from core.memory.own_dialogues import own_dialogues
from core.memory.store import Memory
from tests.contract.speaking import ANNA, KEY, message

BEN = replace(ANNA, platform_id="18", name="Ben")


async def said(memory: Memory, database: Database, who: Person = ANNA, limit: int = 10) -> list[tuple[str, str]]:
    found = await own_dialogues(database, KEY.bot, who, limit)
    return [(one.session.key.thread, one.said) for one in found]


async def test_the_last_active_comes_first_with_what_its_reader_said_last(memory: Memory, database: Database) -> None:
    for thread, words, person in [
        ("1", "about bread", ANNA),
        ("2", "about tides", ANNA),
        ("1", "a secret of Ben's", BEN),
        ("1", "and yeast?", ANNA),
        ("3", "nobody else's", BEN),
    ]:
        key = replace(KEY, thread=thread)
        session = await memory.open_session(key, "banter", "tiny")
        await memory.record_message(session.id, message(words, key=key, person=person))

    assert await said(memory, database) == [("1", "and yeast?"), ("2", "about tides")]
    assert await said(memory, database, BEN) == [("3", "nobody else's"), ("1", "a secret of Ben's")]
    assert await said(memory, database, limit=1) == [("1", "and yeast?")]


async def test_nothing_of_another_workspace_or_bot_is_seen(memory: Memory, database: Database) -> None:
    for key in (replace(KEY, workspace="elsewhere"), replace(KEY, bot="another")):
        session = await memory.open_session(key, "banter", "tiny")
        person = replace(ANNA, workspace=key.workspace)
        await memory.record_message(session.id, message("somewhere else", key=key, person=person))

    assert await said(memory, database) == []


async def test_a_dialogue_that_is_over_is_not_shown(memory: Memory, database: Database) -> None:
    session = await memory.open_session(KEY, "banter", "tiny")
    await memory.record_message(session.id, message("before", key=KEY, person=ANNA))
    await memory.begin_session(KEY, "banter", "tiny")

    assert await said(memory, database) == []
