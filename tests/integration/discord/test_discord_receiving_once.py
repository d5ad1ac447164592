"""What was kept in a real database is kept once, whatever comes twice; and its marks are there at the next start."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import select

from adapters.discord.receiver import Records
from bots.discord_shards import SharedShards
from bots.sandbox.local_discord.driver import LocalDiscord
from bots.sandbox.local_discord.people import Person
from core.dialogue import Platform
from core.memory.cursors import Cursors
from core.memory.database import Database
from core.memory.grouped import GroupedWrites
from core.memory.inbox import Inbox
from core.memory.tables import InboxRow
from core.memory.upgrade import prepare
from core.policy import Calling, Calls, Manner, Policy
from core.ports import Accept, Arrival, Cursor
from core.reception import Reception
from tests.integration.discord.receiving import Kept, listening

POLICY = Policy(Manner("banter", calls=Calls(frozenset({Calling.ALWAYS}))))


class Stored(Kept):
    """What is accepted is stored as well."""

    def __init__(self, accept: Accept) -> None:
        super().__init__()
        self._store = accept

    async def __call__(self, arrivals: Sequence[Arrival], cursor: Cursor | None = None) -> None:
        await self._store(arrivals, cursor)
        await super().__call__(arrivals, cursor)


class Stores:
    """A database, and what processes over it hold."""

    def __init__(self, database: Database, bot: str) -> None:
        self._database = database
        self._bot = bot
        self._writes = GroupedWrites(database)

    def accept(self) -> Stored:
        inbox = Inbox(self._database, self._writes, b"secret")
        return Stored(Reception((Platform.DISCORD, self._bot), inbox, POLICY, lambda _urgent: None))

    def records(self) -> Records:
        cursors = Cursors(self._database, Platform.DISCORD, self._bot)
        return Records(cursors, SharedShards(self._database, self._bot))

    async def texts(self) -> Counter[str]:
        async with self._database.reading() as connection:
            rows = (await connection.scalars(select(InboxRow.inbound).where(InboxRow.kind == "message"))).all()
        return Counter(json.loads(row)["text"] for row in rows if row)

    async def aclose(self) -> None:
        await self._writes.aclose()


@asynccontextmanager
async def stores(path: Path, bot: str) -> AsyncIterator[Stores]:
    async with Database(f"sqlite:///{path / 'banter.db'}") as database:
        await prepare(database)
        stored = Stores(database, bot)
        try:
            yield stored
        finally:
            await stored.aclose()


async def test_a_restart_goes_on_from_the_marks_of_the_database(discord: LocalDiscord, tmp_path: Path) -> None:
    ann: Person = await discord.person("Ann")
    general = await (await discord.guild("Friends", ann)).channel("general", "text")
    async with stores(tmp_path, discord.bot_id) as stored:
        kept = stored.accept()
        async with listening(discord, kept, records=stored.records()):
            first = await ann.says("one", general)
            await ann.says("in the DM")
            await kept.says("one", "in the DM")
            await kept.marks_up_to(general.id, first.id)
        await ann.says("two", general)
        await ann.says("and in the DM")
        again = stored.accept()
        async with listening(discord, again, records=stored.records()):
            await again.says("two", "and in the DM")
            newest = await ann.says("three", general)
            await again.marks_up_to(general.id, newest.id)

        assert await stored.texts() == {"one": 1, "two": 1, "three": 1, "in the DM": 1, "and in the DM": 1}
        assert (await stored.records().marks.known())[general.id] == int(newest.id)


async def test_two_listeners_to_one_shard_keep_each_message_once(discord: LocalDiscord, tmp_path: Path) -> None:
    ann: Person = await discord.person("Ann")
    general = await (await discord.guild("Friends", ann)).channel("general", "text")
    async with stores(tmp_path, discord.bot_id) as stored:
        one, other = stored.accept(), stored.accept()
        async with listening(discord, one), listening(discord, other):
            for number in range(20):
                await ann.says(f"{number}", general)
            await one.says(*map(str, range(20)))
            await other.says(*map(str, range(20)))

        assert await stored.texts() == dict.fromkeys(map(str, range(20)), 1)
