"""One trial: people speak, bots die and sleep, and in the end everybody has one answer or the trial is bad."""

import asyncio
import random
import tempfile
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import func, select

from core.errors import StorageError
from core.memory.database import Database
from core.memory.tables import OPEN_STATES, InboxRow
from tests.crash.bot import BotPlan
from tests.crash.databases import Databases
from tests.crash.judge import Fault, history, judged
from tests.crash.outside import Outside, Weather
from tests.crash.processes import Bots
from tests.crash.scenario import Scenario
from tests.platforms.paper_platform import PaperPlatform

_SETTLE_S = 120.0
_LOOK_S = 0.03


@dataclass(frozen=True, slots=True)
class Verdict:
    scenario: Scenario
    faults: tuple[Fault, ...]
    messages: int
    kills: int
    holds: int
    #: Placeholders that stayed where nobody can ask what was sent.
    left_over: int
    history: str = ""


async def run_trial(scenario: Scenario, databases: Databases, model_folder: Path) -> Verdict:
    with tempfile.TemporaryDirectory(prefix="banter-crash-") as name:
        async with databases.new(scenario.database, Path(name)) as url, Database(url) as database:
            return await _run(
                scenario,
                database,
                BotPlan(
                    name="",
                    database_url=url,
                    socket=Path(name, "platform.sock"),
                    kind=scenario.kind.name,
                    nonce_window_s=scenario.kind.nonce_window_s,
                    folder=model_folder,
                    words=scenario.words,
                ),
            )


async def _run(scenario: Scenario, database: Database, plan: BotPlan) -> Verdict:
    platform = PaperPlatform(scenario.kind)
    outside = Outside(platform, random.Random(scenario.seed), scenario.weather)
    bots = Bots(plan, scenario.dooms)
    async with outside.open(plan.socket):
        with bots.gone_at_the_end():
            faults = await _play(scenario, outside, bots, database)
    faults += judged(scenario, platform)
    told = "\n".join([await history(database, platform, one.message_id) for one in faults if one.message_id])
    left_over = sum(not (seen.is_said or seen.is_deleted) for seen in platform.messages.values())
    return Verdict(scenario, tuple(faults), len(scenario.said), bots.kills, bots.holds, left_over, told)


async def _play(scenario: Scenario, outside: Outside, bots: Bots, database: Database) -> list[Fault]:
    bots.begin()
    async with _in_the_background(bots.watch()):
        try:
            async with asyncio.timeout(_SETTLE_S):
                await asyncio.gather(_speak(scenario, outside), _strike(scenario, bots))
                bots.calm_down()
                outside.weather = Weather()
                await _settled(database, bots)
        except TimeoutError:
            return [Fault("broken", "", f"somebody still waited after {_SETTLE_S:g} s")]
    return [Fault("broken", "", told) for told in await bots.end()]


async def _speak(scenario: Scenario, outside: Outside) -> None:
    async with asyncio.TaskGroup() as deliveries:
        waited_s = 0.0
        for after_s, event in sorted(scenario.said, key=lambda said: said[0]):
            await asyncio.sleep(after_s - waited_s)
            waited_s = after_s
            deliveries.create_task(outside.deliver(event))


async def _strike(scenario: Scenario, bots: Bots) -> None:
    waited_s = 0.0
    for blow in sorted(scenario.blows, key=lambda one: one.after_s):
        await asyncio.sleep(blow.after_s - waited_s)
        waited_s = blow.after_s
        bots.strike(blow.bot, kills=blow.kills)


async def _settled(database: Database, bots: Bots) -> None:
    """Nobody waits, and nobody sleeps who might still say something."""
    waiting = select(func.count()).where(InboxRow.state.in_(OPEN_STATES))
    while True:
        try:
            async with database.reading() as connection:
                if not await connection.scalar(waiting) and bots.all_awake:
                    return
        except StorageError:  # a bot that is held may hold the file's lock
            pass
        await asyncio.sleep(_LOOK_S)


@asynccontextmanager
async def _in_the_background(work: Coroutine[None, None, None]) -> AsyncIterator[None]:
    task = asyncio.create_task(work)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
