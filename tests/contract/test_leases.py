"""Who may answer where, on both databases."""

from dataclasses import replace

from core.dialogue import Platform
from core.memory.database import Database
from core.memory.grouped import GroupedWrites
from core.memory.inbox import Entry, Inbox
from core.memory.leases import Leases
from tests.contract.speaking import KEY, message


async def test_a_process_takes_the_places_of_its_own_accounts_alone(database: Database) -> None:
    writes = GroupedWrites(database)
    inbox = Inbox(database, writes, b"secret")
    other = replace(KEY, platform=Platform.SLACK, bot="another")
    for key in (KEY, other):
        await inbox.accept([Entry(key.platform, key.bot, message("hello", key), "{}")])

    elsewhere = Leases(database, writes, "elsewhere", 60.0, [(Platform.SLACK, "another")])
    nowhere = Leases(database, writes, "nowhere", 60.0, [(Platform.DISCORD, "another")])
    here = Leases(database, writes, "here", 60.0, [(KEY.platform, KEY.bot)])

    assert await nowhere.take(9) == ()
    assert [work.messages[0].inbound.session_key for work in await elsewhere.take(9)] == [other]
    assert [work.messages[0].inbound.session_key for work in await here.take(9)] == [KEY]
    await writes.aclose()


async def test_places_of_a_process_that_is_gone_are_free_before_they_expire(database: Database) -> None:
    writes = GroupedWrites(database)
    inbox = Inbox(database, writes, b"secret")
    for channel in ("one", "two", "three"):
        key = replace(KEY, channel=channel)
        await inbox.accept([Entry(key.platform, key.bot, message("hello", key), "{}")])
    gone, alive = Leases(database, writes, "gone", 60.0), Leases(database, writes, "alive", 60.0)
    [lost, _] = await gone.take(2)
    [kept] = await alive.take(9)

    later = Leases(database, writes, "later", 60.0)
    assert await later.take(9) == ()
    assert await later.free_those_of(lambda owner: owner == "gone") == 2

    assert len(await later.take(9)) == 2
    assert await gone.renew([lost.lease]) == ()
    assert [lease.place for lease in await alive.renew([kept.lease])] == [kept.lease.place]
    await writes.aclose()
