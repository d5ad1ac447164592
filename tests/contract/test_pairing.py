"""Codes let one person in each, once, for a while, and are nowhere to be read."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from core.dialogue import Platform
from core.memory.database import Database
from core.memory.pairing import Pairings
from core.memory.tables import PairingCodeRow, PairingRow
from core.pairing import hash_of, new_code
from tests.contract.speaking import ANNA

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
BEN = replace(ANNA, platform_id="18", name="Ben")


@pytest.fixture
def pairings(database: Database) -> Pairings:
    return Pairings(database)


async def given_code(pairings: Pairings, valid_for: timedelta = HOUR) -> str:
    code = new_code()
    await pairings.add_code(hash_of(code), NOW, NOW + valid_for)
    return hash_of(code)


async def test_whoever_says_a_code_is_known_from_then_on(pairings: Pairings) -> None:
    code = await given_code(pairings)

    assert not await pairings.is_paired(ANNA)
    assert await pairings.redeem(code, ANNA, NOW)
    assert await pairings.is_paired(ANNA)
    assert await pairings.is_paired(replace(ANNA, name="Anna, married"))


async def test_a_code_is_good_for_one_person(pairings: Pairings) -> None:
    code = await given_code(pairings)

    assert await pairings.redeem(code, ANNA, NOW)
    assert not await pairings.redeem(code, BEN, NOW)
    assert not await pairings.is_paired(BEN)


async def test_two_who_say_it_at_once_are_not_both_let_in(pairings: Pairings) -> None:
    code = await given_code(pairings)

    found = await asyncio.gather(*(pairings.redeem(code, one, NOW) for one in (ANNA, BEN)))

    assert sorted(found) == [False, True]


async def test_whoever_says_it_again_is_let_in_still(pairings: Pairings) -> None:
    """After a crash before the answer, the same message is taken up again."""
    code = await given_code(pairings)

    assert [await pairings.redeem(code, ANNA, NOW) for _ in range(3)] == [True] * 3


async def test_a_code_expires(pairings: Pairings) -> None:
    code = await given_code(pairings)

    assert not await pairings.redeem(code, ANNA, NOW + HOUR)
    assert not await pairings.redeem(hash_of(new_code()), ANNA, NOW)
    assert not await pairings.is_paired(ANNA)


async def test_what_expired_goes_when_another_code_is_made(pairings: Pairings, database: Database) -> None:
    await given_code(pairings)
    await pairings.add_code(hash_of(new_code()), NOW + 2 * HOUR, NOW + 3 * HOUR)

    async with database.reading() as connection:
        assert len((await connection.execute(select(PairingCodeRow.code_hash))).all()) == 1
    assert await pairings.open_codes(NOW + 2 * HOUR) == 1
    assert await pairings.open_codes(NOW + 4 * HOUR) == 0


async def test_a_person_is_known_in_one_workspace_of_one_platform(pairings: Pairings) -> None:
    await pairings.redeem(await given_code(pairings), ANNA, NOW)

    assert not await pairings.is_paired(replace(ANNA, workspace="other"))
    assert not await pairings.is_paired(replace(ANNA, workspace=""))
    assert not await pairings.is_paired(replace(ANNA, platform=Platform.SLACK))


async def test_who_is_revoked_needs_another_code(pairings: Pairings) -> None:
    code = await given_code(pairings)
    await pairings.redeem(code, ANNA, NOW)

    assert await pairings.revoke(ANNA)

    assert not await pairings.is_paired(ANNA)
    assert not await pairings.redeem(code, ANNA, NOW)
    assert not await pairings.revoke(ANNA)
    assert await pairings.redeem(await given_code(pairings), ANNA, NOW)


async def test_those_who_are_known_are_listed_newest_first(pairings: Pairings) -> None:
    await pairings.redeem(await given_code(pairings), ANNA, NOW)
    await pairings.redeem(await given_code(pairings), BEN, NOW + timedelta(minutes=1))

    listed = await pairings.list_all(10)

    assert [(one.platform, one.workspace, one.person) for one in listed] == [
        (Platform.DISCORD, "guild", "18"),
        (Platform.DISCORD, "guild", "17"),
    ]
    assert listed[0].paired_at == NOW + timedelta(minutes=1)
    assert len(await pairings.list_all(1)) == 1


async def test_a_code_is_stored_nowhere(pairings: Pairings, database: Database) -> None:
    code = new_code()
    await pairings.add_code(hash_of(code), NOW, NOW + HOUR)
    async with database.reading() as connection:
        before = repr((await connection.execute(select(PairingCodeRow.__table__))).all())
    await pairings.redeem(hash_of(code), ANNA, NOW)
    async with database.reading() as connection:
        after = repr((await connection.execute(select(PairingRow.__table__))).all())

    assert hash_of(code) in before
    assert hash_of(code) in after
    for stored in (before, after):
        assert code not in stored
        assert code.replace("-", "") not in stored
