"""What one process accepts wakes the others: PostgreSQL tells them, SQLite has only one."""

import asyncio
import logging
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

import asyncpg
import pytest

from core.dialogue import Platform
from core.memory.database import Database
from core.memory.grouped import GroupedWrites
from core.memory.inbox import Entry, Inbox
from core.memory.notices import NoticeLimits, listening
from tests.contract.speaking import message
from tests.integration.walk_stage import BOT, SteadyModel, arrival, open_voices, staged

QUICK = NoticeLimits(first_pause_s=0.01, longest_pause_s=0.02)
DEADLINE_S = 20.0


class Ear:
    """Counts what it is told."""

    def __init__(self) -> None:
        self.heard = 0
        #: Whether each of them was urgent.
        self.urgent: list[bool] = []
        self._news = asyncio.Event()

    def __call__(self, urgent: bool, /) -> None:
        self.heard += 1
        self.urgent.append(urgent)
        self._news.set()

    async def wait(self) -> None:
        """For something that was not waited for yet."""
        async with asyncio.timeout(DEADLINE_S):
            await self._news.wait()
        self._news.clear()


class Lines(logging.Handler):
    """A log that can be waited for."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []
        self._queue: asyncio.Queue[str] = asyncio.Queue()

    @contextmanager
    def of(self, name: str) -> Iterator[None]:
        logging.getLogger(name).addHandler(self)
        try:
            yield
        finally:
            logging.getLogger(name).removeHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())
        self._queue.put_nowait(record.getMessage())

    async def next(self) -> str:
        async with asyncio.timeout(DEADLINE_S):
            return await self._queue.get()


async def accept(url: str, text: str) -> None:
    """As another process would."""
    async with Database(url) as database:
        writes = GroupedWrites(database)
        entry = Entry(Platform.DISCORD, "banter", message(text), raw="{}")
        assert await Inbox(database, writes, b"secret").accept([entry]) == 1
        await writes.aclose()


async def end_listeners(url: str) -> int:
    """The server ends their connections; how many there were."""
    connection = await asyncpg.connect(url)
    try:
        ended = await connection.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE application_name = 'banter notices' AND datname = current_database()"
        )
        return len(ended)
    finally:
        await connection.close()


@pytest.mark.parametrize("kind", ["postgresql"])
class TestPostgresql:
    async def test_it_begins_with_a_look_and_hears_what_others_accept(
        self, database: Database, database_url: str
    ) -> None:
        ear = Ear()
        async with listening(database, ear, QUICK):
            await ear.wait()  # what was accepted while nobody listened
            assert ear.heard == 1

            await accept(database_url, "hello")

            await ear.wait()
            assert ear.heard == 2
            assert ear.urgent == [True, False]

    async def test_it_hears_whether_an_event_can_wait(self, database: Database, database_url: str) -> None:
        ear = Ear()
        async with listening(database, ear, QUICK), Database(database_url) as other:
            await ear.wait()
            entry = Entry(Platform.DISCORD, "banter", message("/stop"), raw="{}", urgent=True)

            await Inbox(other, GroupedWrites(other), b"secret").accept([entry])

            await ear.wait()
            assert ear.urgent == [True, True]

    async def test_a_copy_wakes_nobody(self, database: Database, database_url: str) -> None:
        ear = Ear()
        async with listening(database, ear, QUICK), Database(database_url) as other:
            await ear.wait()
            inbox = Inbox(other, GroupedWrites(other), b"secret")
            entry = Entry(Platform.DISCORD, "banter", message("hello", message_id="one"), raw="{}")

            await inbox.accept([entry])
            await ear.wait()
            assert await inbox.accept([entry]) == 0
            await inbox.accept([Entry(Platform.DISCORD, "banter", message("and now"), raw="{}")])
            await ear.wait()

            assert ear.heard == 3

    async def test_a_lost_connection_is_made_anew_and_looks_again(self, database: Database, database_url: str) -> None:
        ear = Ear()
        async with listening(database, ear, QUICK):
            await ear.wait()

            assert await end_listeners(database_url) == 1
            await ear.wait()  # the new connection's first look
            await accept(database_url, "hello")

            await ear.wait()
            assert ear.heard == 3

    async def test_a_server_that_is_not_there_is_tried_again(self, database: Database) -> None:
        ear, log = Ear(), Lines()
        with log.of("core.memory.notices"):
            nowhere = Database("postgresql://banter:canary@127.0.0.1:9/banter")
            async with nowhere, listening(nowhere, ear, QUICK):
                for _ in range(3):
                    assert "can't be reached" in await log.next()

        assert ear.heard == 0
        assert "canary" not in "".join(log.lines)

    async def test_nothing_listens_any_more_at_the_end(self, database: Database, database_url: str) -> None:
        ear = Ear()
        async with AsyncExitStack() as closing:
            await closing.enter_async_context(listening(database, ear, QUICK))
            await ear.wait()

        async with asyncio.timeout(DEADLINE_S):
            while await end_listeners(database_url):  # noqa: ASYNC110 - the server sees it in its own time
                await asyncio.sleep(0.01)

    async def test_what_another_process_accepts_is_answered_at_once(
        self, database: Database, database_url: str, tmp_path: Path
    ) -> None:
        """It looks by itself only once an hour."""
        async with staged(database, open_voices(tmp_path), SteadyModel(), places=4, poll_s=3600.0) as stage:
            await stage.ask("general", 0)

            async with Database(database_url) as other:
                writes = GroupedWrites(other)
                said = arrival("random", 1)
                await Inbox(other, writes, b"benchmark").accept([Entry(Platform.DISCORD, BOT, said.inbound, said.raw)])
                await writes.aclose()

            assert (await stage.board.answer("random", "m1")).endswith("(random.1)")


@pytest.mark.parametrize("kind", ["sqlite"])
async def test_sqlite_has_one_process_and_nothing_to_hear(database: Database, database_url: str) -> None:
    ear = Ear()
    async with listening(database, ear, QUICK):
        await accept(database_url, "hello")

    assert ear.heard == 0
