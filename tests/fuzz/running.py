"""Random batches, one after another, to one bot that lives through all of them."""

import asyncio
import itertools
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager

from hypothesis import HealthCheck, Phase, given, seed, settings

from core.memory.database import Database
from core.memory.upgrade import prepare
from core.voice import Voices
from tests.fuzz.feeding import Feeder, feeding
from tests.fuzz.inputs import Batch, batches

#: Of one batch.
_MOST = 25
#: Of one seed; hypothesis remembers what it has tried, and slows down with it.
_BATCHES = 500


def feed(url: str, voices: Voices, inputs: int, number: int) -> Feeder:
    """At least so many inputs; `number` is the seed. Raises Fault, whose words hold the batch."""
    with asyncio.Runner() as runner, _opened(runner, url, voices) as feeder:
        rounds = itertools.count()
        while feeder.inputs < inputs:
            _feed_some(runner, feeder, inputs, number + next(rounds))
        return feeder


def _feed_some(runner: asyncio.Runner, feeder: Feeder, inputs: int, number: int) -> None:
    """Nothing is made smaller where it fails: what the bot has lived through before is a part of the fault."""

    @seed(number)
    @settings(
        max_examples=_BATCHES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(batches(_MOST))
    def feed_one(batch: Batch) -> None:
        if feeder.inputs < inputs:
            runner.run(feeder.feed(batch))

    feed_one()


@contextmanager
def _opened(runner: asyncio.Runner, url: str, voices: Voices) -> Iterator[Feeder]:
    """The bot lives in the runner's loop between the batches."""
    database = Database(url)
    stage = feeding(database, voices)
    feeder = runner.run(_entered(stage))
    try:
        yield feeder
    finally:
        runner.run(_left(stage, database))


async def _entered(stage: AbstractAsyncContextManager[Feeder]) -> Feeder:
    return await stage.__aenter__()


async def _left(stage: AbstractAsyncContextManager[Feeder], database: Database) -> None:
    await stage.__aexit__(None, None, None)
    await database.__aexit__(None, None, None)


def prepared(url: str) -> str:
    """The same address, with the tables there."""
    asyncio.run(_prepare(url))
    return url


async def _prepare(url: str) -> None:
    async with Database(url) as database:
        await prepare(database)
