"""One trial: people speak, bots die and sleep, and in the end everybody has one answer or the trial is bad."""

import asyncio
import tempfile
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

from sqlalchemy import func, select

from core.errors import StorageError
from core.memory.database import Database
from core.memory.tables import OPEN_STATES, InboxRow
from tests.crash.bot import BotPlan, Place
from tests.crash.databases import Databases
from tests.crash.history import history
from tests.crash.meanwhile import all_the_while
from tests.crash.processes import Bots
from tests.crash.scenario import Scenario
from tests.crash.verdict import Fault, Judgement, Verdict
from tests.platforms.paper_sender import PaperEvent

_SETTLE_S = 120.0
_LOOK_S = 0.03


class Outside(Protocol):
    """A platform outside of its bots, for one trial: it goes on whatever is done to them."""

    def open(self, folder: Path) -> AbstractAsyncContextManager[Place]:
        """Where bots reach it. `folder` is the trial's own."""
        ...

    async def begins(self) -> None:
        """Returns when people begin to speak, and blows to fall."""
        ...

    async def deliver(self, event: PaperEvent) -> None:
        """Somebody says it; returns when it was taken in."""
        ...

    async def calm_down(self) -> None:
        """Nothing goes wrong from now on."""
        ...

    async def judged(self, troubles: Sequence[float]) -> Judgement:
        """What people see in the end. `troubles`: when bots were found killed or held, by `time.monotonic()`."""
        ...

    def log_of(self, event: PaperEvent) -> Sequence[str]:
        """What is known there of a message, once it was judged."""
        ...


async def run_trial(scenario: Scenario, outside: Outside, databases: Databases, model_folder: Path) -> Verdict:
    with tempfile.TemporaryDirectory(prefix="banter-crash-") as name:
        async with (
            databases.new(scenario.database, Path(name)) as url,
            Database(url) as database,
            outside.open(Path(name)) as place,
        ):
            plan = BotPlan("", url, place, model_folder, scenario.words, scenario.lease_s)
            return await _run(scenario, outside, database, plan)


async def _run(scenario: Scenario, outside: Outside, database: Database, plan: BotPlan) -> Verdict:
    bots = Bots(plan, scenario.dooms)
    with bots.gone_at_the_end():
        faults = await _play(scenario, outside, bots, database)
    judgement = await outside.judged(bots.seen_at)
    faults += judgement.faults
    blamed = {fault.message_id for fault in faults}
    told: list[str] = []
    for _, event in scenario.said:
        if event.id in blamed:
            told += [*await history(database, event.text), *outside.log_of(event)]
    return Verdict(
        scenario,
        tuple(faults),
        len(scenario.said),
        bots.kills,
        bots.holds,
        judgement.left_over,
        "\n".join(told),
        judgement.brought_again,
    )


async def _play(scenario: Scenario, outside: Outside, bots: Bots, database: Database) -> list[Fault]:
    bots.begin()
    async with all_the_while(bots.watch()):
        try:
            async with asyncio.timeout(_SETTLE_S):
                await outside.begins()
                await asyncio.gather(_speak(scenario, outside), _strike(scenario, bots))
                bots.calm_down()
                await outside.calm_down()
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
