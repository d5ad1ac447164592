"""Two bots as processes on one PostgreSQL: one is killed in the middle of its replies, and the other goes on."""

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select

from core.memory.database import Database
from core.memory.tables import OPEN_STATES, InboxRow, LeaseRow
from tests.crash.bot import BotPlan
from tests.crash.databases import open_databases
from tests.crash.paper_outside import PaperOutside
from tests.crash.processes import Bots
from tests.crash.scenario import Scenario, draw_scenario
from tests.crash.weather import Weather
from tests.platforms.kinds import DISCORD, SLACK, Kind
from tests.platforms.paper_bot import paper_voices
from tests.platforms.paper_sender import PaperEvent

#: Nobody waits for a lease to expire.
_LEASE_S = 600.0
#: A lease lasts longer; 15 is what is wanted of a machine that does nothing else.
_GOES_ON_WITHIN_S = float(os.environ.get("BANTER_GOES_ON_WITHIN_S", "45"))
_PATIENCE_S = 60.0
_SAID = tuple((0.0, PaperEvent(f"m{number}", f"c{number}", f"question{number}")) for number in range(12))


def scenario(kind: Kind) -> Scenario:
    """Of replies that take two seconds each."""
    drawn = replace(draw_scenario(1, 0), kind=kind, database="postgresql", bots=2, said=_SAID, words=120)
    return replace(drawn, dooms=((), ()), blows=(), weather=Weather(), lease_s=_LEASE_S)


@asynccontextmanager
async def two_bots(drawn: Scenario, folder: Path) -> AsyncIterator[tuple[PaperOutside, Database]]:
    paper_voices(folder)
    outside = PaperOutside(drawn)
    async with (
        open_databases(folder) as databases,
        databases.new(drawn.database, folder) as url,
        Database(url) as database,
        outside.open(folder) as place,
    ):
        bots = Bots(BotPlan("", url, place, folder, drawn.words, drawn.lease_s), drawn.dooms)
        with bots.gone_at_the_end():
            bots.begin()
            yield outside, database


async def holders(database: Database) -> dict[int, int]:
    """Process number → places that it holds."""
    held = select(LeaseRow.owner, func.count()).where(LeaseRow.owner != "").group_by(LeaseRow.owner)
    async with database.reading() as connection:
        return {int(row[0].split("/")[1]): row[1] for row in await connection.execute(held)}


async def open_messages(database: Database) -> int:
    async with database.reading() as connection:
        return await connection.scalar(select(func.count()).where(InboxRow.state.in_(OPEN_STATES))) or 0


@pytest.mark.parametrize("kind", [DISCORD, SLACK], ids=lambda kind: kind.name)
async def test_the_other_goes_on_long_before_the_leases_expire(kind: Kind, tmp_path: Path) -> None:
    drawn = scenario(kind)
    async with two_bots(drawn, tmp_path) as (outside, database):
        async with asyncio.timeout(_PATIENCE_S):
            await asyncio.gather(*(outside.deliver(event) for _, event in drawn.said))
            while len(held := await holders(database)) < 2 or not outside.platform.messages:  # noqa: ASYNC110 - processes
                await asyncio.sleep(0.05)
            victim = max(held, key=lambda number: held[number])
            os.kill(victim, 9)
            killed_at = time.monotonic()
            while await open_messages(database):  # noqa: ASYNC110 - the database has no event
                await asyncio.sleep(0.05)
        went_on_after_s = time.monotonic() - killed_at
        judgement = await outside.judged(())

        assert judgement.faults == []
        assert held[victim] > 0
        assert went_on_after_s < _GOES_ON_WITHIN_S
