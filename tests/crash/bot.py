"""A bot as a process of its own, which can be told to die or to be held at any named state of a message.

The walk is the program's; the model, the platform's adapter and the points of death are the tests'.
"""

import asyncio
import logging
import os
import signal
import sys
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from bots import walk as composition
from bots.walk import Ground, WalkOptions, open_walk
from core.answering.limits import AnswerLimits
from core.dispatcher import DispatchLimits
from core.errors import StorageError
from core.memory.connections import Access
from core.memory.database import Database
from core.memory.grouped import GroupedWrites, Operation
from core.policy import Manner, Policy
from tests.crash.wire import connect
from tests.platforms.kinds import KINDS
from tests.platforms.paper_bot import account, voices_in
from tests.platforms.paper_model import PaperModel, answer_to
from tests.platforms.paper_platform import Words
from tests.platforms.paper_sender import BOT, PaperEvent, Wire

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")

LEASE_S = 2.0
#: Whatever is done to a bot, no message is given up: each is owed its answer.
_NEVER = 1_000_000
_OPTIONS = WalkOptions(
    policy=Policy(Manner("banter")),
    event_secret=b"of the crash trials",
    lease_s=LEASE_S,
    dispatch=DispatchLimits(places=8, poll_s=0.05, drain_s=5.0),
    answer=AnswerLimits(
        attempts=_NEVER, sending_attempts=_NEVER, first_pause_s=0.02, longest_pause_s=0.1, notice_after_s=60.0
    ),
    timeout_s=20.0,
)


@dataclass(frozen=True, slots=True)
class Doom:
    """What happens to a bot by itself."""

    #: "before", "during" (a call that is on its way) or "after" ...
    moment: str
    #: ... a write of the outbox, inbox or leases, or a call on the platform ...
    action: str
    #: ... for the so-manieth time.
    number: int
    #: The process is killed, or else stopped, as by SIGSTOP.
    kills: bool = True


@dataclass(frozen=True, slots=True)
class BotPlan:
    name: str
    database_url: str
    socket: Path
    kind: str
    nonce_window_s: float
    #: Holds the model's files.
    folder: Path
    words: int
    doom: Doom | None = None


class Fate:
    """Counts the moments, and strikes."""

    def __init__(self, doom: Doom | None) -> None:
        self._doom = doom
        self._count = 0

    def passes(self, moment: str, action: str) -> None:
        doom = self._doom
        if doom is None or (doom.moment, doom.action) != (moment, action):
            return
        self._count += 1
        if self._count == doom.number:
            os.kill(os.getpid(), signal.SIGKILL if doom.kills else signal.SIGSTOP)


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


def fated_wire(wire: Wire, fate: Fate) -> Wire:
    async def call(name: str, words: Words) -> str:
        fate.passes("before", name)
        answer = await wire(name, words)
        fate.passes("after", name)
        return answer

    return call


def run_bot(plan: BotPlan) -> None:
    """Until SIGTERM; the target of a process."""
    logging.basicConfig(stream=sys.stderr, level=os.environ.get("BANTER_CRASH_LOG", "CRITICAL"))
    asyncio.run(_run(plan))


async def _run(plan: BotPlan) -> None:
    fate = FatedWrites.fate = Fate(plan.doom)
    setattr(composition, "GroupedWrites", FatedWrites)  # noqa: B010 - mypy takes it for a constant
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    line = await connect(plan.socket, plan.name)
    line.on_written = partial(fate.passes, "during")
    kind = replace(KINDS[plan.kind], nonce_window_s=plan.nonce_window_s)
    model = PaperModel(lambda question: answer_to(question, plan.words), pace_s=0.015)
    async with Database(plan.database_url, access=Access(pool_size=2)) as database:
        ground = Ground(database, model, voices_in(plan.folder))
        async with open_walk(ground, [account(kind, fated_wire(line, fate))], _OPTIONS) as walk:
            accept = walk.accepts[kind.platform, BOT]

            async def take_in(event: PaperEvent) -> None:
                if stop.is_set():
                    raise StorageError("a bot that ends takes nothing more in")
                await accept([event.arrival(kind)])

            listening = asyncio.create_task(line.listen(take_in))
            await asyncio.wait([listening, asyncio.create_task(stop.wait())], return_when=asyncio.FIRST_COMPLETED)
        listening.cancel()
