"""Who may answer where, on both databases."""

import asyncio
from dataclasses import replace

from sqlalchemy import update

from core.dialogue import Platform
from core.memory.database import Database
from core.memory.grouped import GroupedWrites
from core.memory.inbox import Entry, Inbox
from core.memory.leased import leaving
from core.memory.leases import Leases
from core.memory.tables import LeaseRow
from core.process_name import process_name
from core.takeovers import taking_over
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
    assert await later.others() == {"gone", "alive"}
    assert await later.free_those_of(["gone"]) == 2
    assert await later.others() == {"alive"}
    assert await alive.others() == set()

    assert len(await later.take(9)) == 2
    assert await gone.renew([lost.lease]) == ()
    assert [lease.place for lease in await alive.renew([kept.lease])] == [kept.lease.place]
    await writes.aclose()


async def test_a_running_process_goes_on_where_another_one_ended(database: Database) -> None:
    writes, woken = GroupedWrites(database), asyncio.Event()
    inbox = Inbox(database, writes, b"secret")
    own = process_name()
    gone, other = f"{own.rpartition('/')[0]}/0badc0de", Leases(database, writes, "another machine's", 60.0)
    here = Leases(database, writes, own, 60.0)
    async with taking_over(here, lambda _urgent: woken.set(), look_s=0.02):
        for channel, leases in (("two", other), ("three", here), ("one", Leases(database, writes, gone, 60.0))):
            key = replace(KEY, channel=channel)
            await inbox.accept([Entry(key.platform, key.bot, message("hello", key), "{}")])
            assert len(await leases.take(9)) == 1
        async with asyncio.timeout(20):
            await woken.wait()
        [found] = await here.take(9)

    assert found.messages[0].inbound.session_key.channel == "one"
    await writes.aclose()


async def test_what_this_process_left_behind_is_not_another_ones(database: Database) -> None:
    writes, own = GroupedWrites(database), process_name()
    inbox, here = Inbox(database, writes, b"secret"), Leases(database, writes, own, 60.0)
    await inbox.accept([Entry(KEY.platform, KEY.bot, message("hello"), "{}")])
    [work] = await here.take(9)
    async with database.writing() as connection:
        await connection.execute(update(LeaseRow).values(owner=leaving(own, work.lease.place)))

    async with taking_over(here, lambda _urgent: None):
        assert await here.take(9) == ()
    await writes.aclose()
