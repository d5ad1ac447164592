"""The database goes away in the middle of everything, and comes back."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from core.errors import StorageError
from core.memory.connections import Access
from core.memory.database import Database
from core.voice import Voices
from tests.contract.local_postgres import LocalPostgres
from tests.platforms.kinds import DISCORD, TELEGRAM, Kind
from tests.platforms.paper_bot import PaperBot, Place
from tests.platforms.paper_model import PaperModel, answer_to
from tests.platforms.paper_platform import PaperPlatform

#: A block in which the database can't be written.
Away = Callable[[], AbstractAsyncContextManager[None]]
#: It is found out quickly that a lock is held.
IMPATIENT = Access(lock_timeout_s=0.1, connect_timeout_s=2.0)


@pytest.fixture
async def impatient_place(database_url: str, voices: Voices) -> AsyncIterator[Callable[[Kind], Place]]:
    async with Database(database_url, access=IMPATIENT) as database:
        yield lambda on: Place(PaperPlatform(on), database, voices)


@pytest.fixture
def away(kind: str, database_url: str, request: pytest.FixtureRequest) -> Away:
    if kind == "sqlite":
        return lambda: _locked(database_url)
    return lambda: _closed(request.getfixturevalue("postgres"), database_url)


@asynccontextmanager
async def _locked(url: str) -> AsyncIterator[None]:
    file = Path(url.removeprefix("sqlite:///"))
    connection = sqlite3.connect(file, isolation_level=None, timeout=20, check_same_thread=False)
    await asyncio.to_thread(connection.execute, "BEGIN EXCLUSIVE")  # whoever writes now ends first
    try:
        yield
    finally:
        connection.execute("ROLLBACK")
        connection.close()


_CUT_OFF = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1"


@asynccontextmanager
async def _closed(server: LocalPostgres, url: str) -> AsyncIterator[None]:
    """Nobody finds the server, and whoever had is cut off."""
    name = url.partition("@/")[2].partition("?")[0]
    socket = server.folder / ".s.PGSQL.5432"
    hidden = socket.with_name("hidden")
    connection = await asyncpg.connect(server.url())
    socket.rename(hidden)
    try:
        quiet_looks = 0
        while quiet_looks < 5:  # they end when they look at their signals; one that just begins is not shown yet
            found = await connection.fetch(_CUT_OFF, name)
            quiet_looks = 0 if found else quiet_looks + 1
            await asyncio.sleep(0.02)
        await connection.close()
        yield
    finally:
        hidden.rename(socket)


@pytest.mark.parametrize("on", [DISCORD, TELEGRAM], ids=["discord", "telegram"])
async def test_replies_that_are_written_meanwhile_come_whole_and_once(
    impatient_place: Callable[[Kind], Place], away: Away, on: Kind
) -> None:
    place = impatient_place(on)
    async with place.bot(PaperModel(lambda question: answer_to(question, 20), pace_s=0.05)) as bot:
        asked = [await bot.says("hello", channel=f"c{number}") for number in range(4)]
        await bot.until(lambda: any(place.platform.said(one) for one in asked))
        async with away():
            await asyncio.sleep(1.5)
        await bot.settles()

        for one in asked:
            assert " ".join(" ".join(place.platform.said(one)).split()) == answer_to("hello", 20)
        assert [told.state for told in await bot.told()] == ["delivered"] * 4


async def test_what_can_not_be_kept_is_not_acked_and_comes_again(
    impatient_place: Callable[[Kind], Place], away: Away
) -> None:
    place = impatient_place(DISCORD)
    async with place.bot() as bot:
        async with away():
            with pytest.raises(StorageError):
                await bot.says("hello", id="m1")
        await _says_until_it_is_kept(bot, "hello", "m1")
        await bot.settles()

        assert place.platform.said("m1") == [answer_to("hello")]


async def test_somebody_who_waits_for_the_database_sees_that_the_bot_is_there(
    impatient_place: Callable[[Kind], Place], away: Away
) -> None:
    place = impatient_place(DISCORD)
    async with place.bot(PaperModel(lambda question: answer_to(question, 4))) as bot:
        bot.model.hold(after_words=2)
        asked = await bot.says("hello")
        await bot.until(lambda: bool(place.platform.said(asked)))
        async with away():
            bot.model.go()
            await bot.until(lambda: "My memory is away for a moment …" in place.platform.typing.values())
        await bot.settles()

        assert place.platform.said(asked) == [answer_to("hello", 4)]


async def _says_until_it_is_kept(bot: PaperBot, text: str, message_id: str) -> None:
    """As a platform does that was not acked."""
    for _ in range(50):
        try:
            await bot.says(text, id=message_id)
        except StorageError:
            await asyncio.sleep(0.05)
        else:
            return
    raise AssertionError("it was never kept")
