"""What the processes of an account share out among themselves, on both databases."""

import asyncio

from core.dialogue import Platform
from core.memory.claims import Claims
from core.memory.database import Database

BOT = (Platform.DISCORD, "4711")
SHARDS = ("0/4", "1/4", "2/4", "3/4")


def nobody(_owner: str) -> bool:
    return False


def claims(database: Database, owner: str, lasts_s: float = 60.0) -> Claims:
    return Claims(database, BOT, owner, lasts_s)


async def test_a_process_that_is_alone_holds_everything(database: Database) -> None:
    one = claims(database, "one")

    assert await one.hold(SHARDS, nobody) == set(SHARDS)
    assert await one.hold(SHARDS, nobody) == set(SHARDS)


async def test_a_process_that_begins_later_gets_its_share(database: Database) -> None:
    one, two = claims(database, "one"), claims(database, "two")
    await one.hold(SHARDS, nobody)

    assert await two.hold(SHARDS, nobody) == frozenset()
    assert await one.hold(SHARDS, nobody) == {"0/4", "1/4"}
    assert await two.hold(SHARDS, nobody) == {"2/4", "3/4"}
    assert await one.hold(SHARDS, nobody) == {"0/4", "1/4"}


async def test_of_more_processes_than_things_some_hold_none(database: Database) -> None:
    one, two = claims(database, "one"), claims(database, "two")

    assert await one.hold(["0/1"], nobody) == {"0/1"}
    assert await two.hold(["0/1"], nobody) == frozenset()
    assert await one.hold(["0/1"], nobody) == {"0/1"}


async def test_what_a_process_gives_up_is_free_at_once(database: Database) -> None:
    one, two = claims(database, "one"), claims(database, "two")
    await one.hold(SHARDS, nobody)
    await one.give_up()

    assert await two.hold(SHARDS, nobody) == set(SHARDS)


async def test_what_a_process_held_that_is_known_to_be_gone_is_free_at_once(database: Database) -> None:
    one, two = claims(database, "one"), claims(database, "two")
    await one.hold(SHARDS, nobody)

    assert await two.hold(SHARDS, lambda owner: owner == "one") == set(SHARDS)
    assert await one.hold(SHARDS, nobody) == frozenset(), "it was not gone, and takes nothing away"
    assert await two.hold(SHARDS, nobody) == {"0/4", "1/4"}


async def test_what_was_not_renewed_expires(database: Database) -> None:
    one, two = claims(database, "one", lasts_s=0.0), claims(database, "two")
    await one.hold(SHARDS, nobody)

    assert await two.hold(SHARDS, nobody) == set(SHARDS)


async def test_other_accounts_have_their_own(database: Database) -> None:
    other = Claims(database, (Platform.DISCORD, "4712"), "other", 60.0)
    await other.hold(SHARDS, nobody)

    assert await claims(database, "one").hold(SHARDS, nobody) == set(SHARDS)


async def test_another_count_of_shards_is_other_things(database: Database) -> None:
    one = claims(database, "one")
    await one.hold(SHARDS, nobody)

    assert await one.hold(["0/1"], nobody) == {"0/1"}


async def test_of_what_is_claimed_at_once_everybody_gets_something_else(database: Database) -> None:
    many = [claims(database, f"process {number}") for number in range(4)]
    for _ in range(2):
        shares = await asyncio.gather(*(one.hold(SHARDS, nobody) for one in many))
        held = [name for share in shares for name in share]
        assert len(held) == len(set(held))
    for one in many:
        await one.hold(SHARDS, nobody)
    shares = [await one.hold(SHARDS, nobody) for one in many]

    assert sorted(name for share in shares for name in share) == list(SHARDS)
    assert {len(share) for share in shares} == {1}
