"""One human on several platforms: a code joins them once, and is kept from everybody who guesses."""

import asyncio
from datetime import UTC, datetime, timedelta

from sqlalchemy import select, text

from core.dialogue import Person, Platform
from core.memory.database import Database
from core.memory.linking import CODE_LIFETIME, TRIES, TRY_WINDOW, LinkRefusal, forget_links
from core.memory.recording import remember_people
from core.memory.store import Memory
from core.memory.tables import LinkCodeRow, LinkTryRow, PersonRow
from tests.contract.commanding import Table, alone
from tests.contract.speaking import ANNA

ANNA_ON_SLACK = Person(Platform.SLACK, "team", "U1", "Anna B.")
ANNA_ON_TELEGRAM = Person(Platform.TELEGRAM, "", "99", "anna")
BERT = Person(Platform.SLACK, "team", "U2", "Bert")
NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
WRONG = "0000-0000-0000"


async def code_of(memory: Memory, person: Person, at: datetime = NOON) -> str:
    async with memory.transaction() as steps:
        return await steps.new_link_code(person, at)


async def link(memory: Memory, person: Person, code: str, at: datetime = NOON) -> Person | LinkRefusal:
    async with memory.transaction() as steps:
        return await steps.link(person, code, at)


async def unlink(memory: Memory, person: Person) -> bool:
    async with memory.transaction() as steps:
        return await steps.unlink(person)


async def identities(memory: Memory, person: Person) -> set[Person]:
    async with memory.transaction() as steps:
        return {*await steps.identities(person)}


class TestLinking:
    async def test_a_code_joins_two_identities(self, memory: Memory) -> None:
        code = await code_of(memory, ANNA)

        assert await link(memory, ANNA_ON_SLACK, code) == ANNA

        both = {ANNA, ANNA_ON_SLACK}
        assert await identities(memory, ANNA) == both
        assert await identities(memory, ANNA_ON_SLACK) == both
        assert await identities(memory, BERT) == {BERT}

    async def test_all_that_were_linked_stay_together(self, memory: Memory) -> None:
        await link(memory, ANNA_ON_TELEGRAM, await code_of(memory, BERT))
        await link(memory, ANNA_ON_SLACK, await code_of(memory, ANNA))

        assert await link(memory, ANNA_ON_TELEGRAM, await code_of(memory, ANNA_ON_SLACK)) == ANNA_ON_SLACK

        assert await identities(memory, BERT) == {ANNA, ANNA_ON_SLACK, ANNA_ON_TELEGRAM, BERT}

    async def test_a_code_is_read_however_it_is_typed(self, memory: Memory) -> None:
        code = await code_of(memory, ANNA)
        typed = code.lower().replace("-", " ").replace("1", "l").replace("0", "o")

        assert await link(memory, ANNA_ON_SLACK, f" {typed} ") == ANNA

    async def test_a_code_is_used_up(self, memory: Memory) -> None:
        code = await code_of(memory, ANNA)
        await link(memory, ANNA_ON_SLACK, code)

        assert await link(memory, BERT, code) is LinkRefusal.UNKNOWN
        assert await identities(memory, BERT) == {BERT}

    async def test_of_two_who_say_a_code_at_once_one_is_joined(self, memory: Memory) -> None:
        code = await code_of(memory, ANNA)

        found = await asyncio.gather(link(memory, ANNA_ON_SLACK, code), link(memory, BERT, code))

        assert sorted(found, key=str) == sorted((ANNA, LinkRefusal.UNKNOWN), key=str)
        assert len(await identities(memory, ANNA)) == 2

    async def test_a_code_dies_young(self, memory: Memory) -> None:
        code = await code_of(memory, ANNA)

        assert await link(memory, ANNA_ON_SLACK, code, NOON + CODE_LIFETIME) is LinkRefusal.UNKNOWN
        last_moment = NOON + CODE_LIFETIME - timedelta(seconds=1)
        assert await link(memory, ANNA_ON_TELEGRAM, code, last_moment) == ANNA

    async def test_a_new_code_makes_the_last_one_void(self, memory: Memory) -> None:
        first, second = await code_of(memory, ANNA), await code_of(memory, ANNA)

        assert await link(memory, ANNA_ON_SLACK, first) is LinkRefusal.UNKNOWN
        assert await link(memory, ANNA_ON_SLACK, second) == ANNA

    async def test_ones_own_code_joins_nobody_and_stays_good(self, memory: Memory) -> None:
        code = await code_of(memory, ANNA)

        assert await link(memory, ANNA, code) is LinkRefusal.OWN_CODE
        assert await link(memory, ANNA_ON_SLACK, code) == ANNA

    async def test_codes_that_nobody_used_are_swept_out(self, memory: Memory, database: Database) -> None:
        await code_of(memory, ANNA)
        await code_of(memory, BERT, NOON + 2 * CODE_LIFETIME)

        async with database.reading() as connection:
            assert len((await connection.execute(select(LinkCodeRow.__table__))).all()) == 1

    async def test_a_code_is_nowhere_in_the_database(self, memory: Memory, database: Database) -> None:
        code = await code_of(memory, ANNA)

        async with database.reading() as connection:
            [row] = (await connection.execute(select(LinkCodeRow.__table__))).all()
        assert code not in str(row)
        assert code.replace("-", "") not in str(row)


class TestGuessing:
    async def test_who_says_too_many_wrong_codes_is_not_listened_to_for_a_while(self, memory: Memory) -> None:
        code = await code_of(memory, ANNA, NOON + TRY_WINDOW - timedelta(minutes=1))
        wrong = [await link(memory, BERT, WRONG) for _ in range(TRIES)]

        refused = await link(memory, BERT, code, NOON + timedelta(minutes=1))
        later = await link(memory, BERT, code, NOON + TRY_WINDOW)

        assert wrong == [LinkRefusal.UNKNOWN] * TRIES
        assert refused is LinkRefusal.TOO_MANY_TRIES
        assert later == ANNA

    async def test_others_are_listened_to_meanwhile(self, memory: Memory) -> None:
        code = await code_of(memory, ANNA)
        for _ in range(TRIES + 1):
            await link(memory, BERT, WRONG)

        assert await link(memory, ANNA_ON_SLACK, code) == ANNA

    async def test_what_is_no_code_at_all_is_no_guess(self, memory: Memory) -> None:
        code = await code_of(memory, ANNA)
        for _ in range(TRIES + 1):
            assert await link(memory, ANNA_ON_SLACK, "please") is LinkRefusal.UNKNOWN

        assert await link(memory, ANNA_ON_SLACK, code) == ANNA

    async def test_the_right_code_ends_the_count(self, memory: Memory, database: Database) -> None:
        await link(memory, ANNA_ON_SLACK, WRONG)
        await link(memory, ANNA_ON_SLACK, await code_of(memory, ANNA))

        async with database.reading() as connection:
            assert (await connection.execute(select(LinkTryRow.__table__))).all() == []


class TestParting:
    async def test_who_is_unlinked_is_alone_again(self, memory: Memory) -> None:
        await link(memory, ANNA_ON_SLACK, await code_of(memory, ANNA))

        assert await unlink(memory, ANNA)

        assert await identities(memory, ANNA) == {ANNA}
        assert await identities(memory, ANNA_ON_SLACK) == {ANNA_ON_SLACK}
        assert not await unlink(memory, ANNA_ON_SLACK)

    async def test_the_others_stay_together_whoever_leaves(self, memory: Memory) -> None:
        for leaving in (ANNA, ANNA_ON_SLACK, ANNA_ON_TELEGRAM):
            await link(memory, ANNA_ON_SLACK, await code_of(memory, ANNA))
            await link(memory, ANNA_ON_TELEGRAM, await code_of(memory, ANNA))

            await unlink(memory, leaving)

            left = {ANNA, ANNA_ON_SLACK, ANNA_ON_TELEGRAM} - {leaving}
            assert await identities(memory, min(left, key=lambda one: one.platform_id)) == left

    async def test_a_code_that_was_given_out_dies_with_the_parting(self, memory: Memory) -> None:
        code = await code_of(memory, ANNA)
        await unlink(memory, ANNA)

        assert await link(memory, ANNA_ON_SLACK, code) is LinkRefusal.UNKNOWN

    async def test_a_row_that_was_parted_can_be_deleted(self, memory: Memory, database: Database) -> None:
        await link(memory, ANNA_ON_SLACK, await code_of(memory, ANNA))
        await code_of(memory, ANNA)
        await link(memory, ANNA, WRONG)
        await unlink(memory, ANNA)

        async with database.writing() as connection:
            anna = (await remember_people(database, connection, [ANNA]))[ANNA]
            await forget_links(connection, [anna])
            await connection.execute(text("DELETE FROM people WHERE id = :anna"), {"anna": anna})

        async with database.reading() as connection:
            assert (await connection.scalars(select(PersonRow.name))).all() == [ANNA_ON_SLACK.name]


class TestCommands:
    async def test_a_person_links_and_unlinks_themselves(self, memory: Memory) -> None:
        table = await Table.laid(memory)

        told = await table.answers("/link")
        code = told.partition("/link ")[2].split()[0]
        joined = await table.answers(f"/link {code}", alone(ANNA_ON_SLACK))
        linked = await table.answers("/link")
        parted = await table.answers("/unlink", alone(ANNA_ON_SLACK))
        again = await table.answers("/unlink", alone(ANNA_ON_SLACK))

        assert "within 10 minutes" in told
        assert joined.startswith("You and Anna on discord are one person for me now")
        assert linked.endswith("You are linked with Anna B. (slack).")
        assert parted == "You are a person of your own again."
        assert again == "You are not linked with anybody."

    async def test_every_refusal_is_told(self, memory: Memory) -> None:
        table = await Table.laid(memory)
        code = (await table.answers("/link")).partition("/link ")[2].split()[0]

        own = await table.answers(f"/link {code}")
        wrong = [await table.answers(f"/link {WRONG}", alone(BERT)) for _ in range(TRIES + 1)]

        assert own == "That is your own code; say it on the other platform."
        assert wrong[0].startswith("That code is not valid")
        assert wrong[-1] == "Too many wrong codes; try again in 60 minutes."
