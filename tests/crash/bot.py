"""A bot as a process of its own, which can be told to die or to be held at any named state of a message.

The walk is the program's; the model and the points of death are the tests'. The adapter is its platform's.
"""

import asyncio
import logging
import os
import signal
import sys
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeVar

from bots import walk as composition
from bots.walk import Account, Ground, WalkOptions, open_walk
from core.answering.limits import AnswerLimits
from core.dispatcher import DispatchLimits
from core.memory.connections import Access
from core.memory.database import Database
from core.memory.grouped import GroupedWrites, Operation
from core.policy import Manner, Policy
from tests.crash.fate import Doom, Fate
from tests.platforms.paper_bot import voices_in
from tests.platforms.paper_model import PaperModel, answer_to

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

#: Whatever is done to a bot, no message is given up: each is owed its answer.
_NEVER = 1_000_000
_OPTIONS = WalkOptions(
    policy=Policy(Manner("banter")),
    event_secret=b"of the crash trials",
    dispatch=DispatchLimits(places=8, poll_s=0.05, drain_s=5.0),
    answer=AnswerLimits(
        attempts=_NEVER, sending_attempts=_NEVER, first_pause_s=0.02, longest_pause_s=0.1, notice_after_s=60.0
    ),
    timeout_s=20.0,
)


class Place(Protocol):
    """Where a bot reaches its platform; it travels to the bot's process."""

    def opened(
        self, name: str, fate: Fate, stop: asyncio.Event, database: Database
    ) -> AbstractAsyncContextManager[Account]:
        """The bot's account there. `stop`: set when the bot is to end, by whoever knows first."""
        ...


@dataclass(frozen=True, slots=True)
class BotPlan:
    name: str
    database_url: str
    place: Place
    #: Holds the model's files.
    folder: Path
    words: int
    lease_s: float
    doom: Doom | None = None


class FatedWrites(GroupedWrites):
    """Writes around which the process can die."""

    fate = Fate(None)

    async def write(self, operation: Operation[_Item, _Result], item: _Item) -> _Result:
        name = operation.__name__.strip("_")  # type: ignore[attr-defined]  # they are all functions
        self.fate.passes("before", name)
        result = await super().write(operation, item)
        if name != "take" or result:
            self.fate.passes("after", name)
        return result


def run_bot(plan: BotPlan) -> None:
    """Until SIGTERM; the target of a process."""
    logging.basicConfig(stream=sys.stderr, level=os.environ.get("BANTER_CRASH_LOG", "CRITICAL"))
    asyncio.run(_run(plan))


async def _run(plan: BotPlan) -> None:
    fate = FatedWrites.fate = Fate(plan.doom)
    setattr(composition, "GroupedWrites", FatedWrites)  # noqa: B010 - mypy takes it for a constant
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    # where several people speak, a question begins with a name
    model = PaperModel(lambda question: answer_to(question.split()[-1], plan.words), pace_s=0.015)
    options = replace(_OPTIONS, lease_s=plan.lease_s)
    async with (
        Database(plan.database_url, access=Access(pool_size=2)) as database,
        plan.place.opened(plan.name, fate, stop, database) as account,
    ):
        ground = Ground(database, model, voices_in(plan.folder))
        async with open_walk(ground, [account], options):
            await stop.wait()
