"""Random batches, one after another, to one bot that lives through all of them."""

import asyncio
import logging
import random

from core.memory.database import Database
from core.memory.upgrade import prepare
from core.voice import Voices
from tests.fuzz.feeding import Feeder, feeding
from tests.fuzz.mutating import Mutator, drawn

logger = logging.getLogger(__name__)

#: Of one batch.
_MOST = 100
_TOLD_EVERY = 5000


def feed(url: str, voices: Voices, inputs: int, number: int) -> Feeder:
    """At least so many inputs; `number` is the seed. Raises Fault, whose words hold the batch."""
    return asyncio.run(_feed(url, voices, inputs, number))


async def _feed(url: str, voices: Voices, inputs: int, number: int) -> Feeder:
    """First those that hypothesis drew, then what is made of them."""
    pool, chance = drawn(number), random.Random(number)
    mutator = Mutator(pool, chance)
    async with Database(url, synchronous="normal") as database, feeding(database, voices) as feeder:
        for batch in pool:
            await feeder.feed(batch)
        while feeder.inputs < inputs:
            before = feeder.inputs
            await feeder.feed(mutator.batch(chance.randint(1, _MOST)))
            if feeder.inputs // _TOLD_EVERY > before // _TOLD_EVERY:
                logger.info("%s inputs", feeder.inputs)
    return feeder


def prepared(url: str) -> str:
    """The same address, with the tables there."""
    asyncio.run(_prepare(url))
    return url


async def _prepare(url: str) -> None:
    async with Database(url) as database:
        await prepare(database)
