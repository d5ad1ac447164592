"""The walk, put together: platforms in, inbox, dispatcher, model, outbox, platforms out; and its orderly end.

Any number of accounts may stand at its edges. What it opens it closes the other way round: nothing more comes in,
replies are finished or handed back, what was asked of the database is written.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from core.answering.front import Front
from core.answering.handler import Answering
from core.answering.limits import AnswerLimits
from core.commands.asked import Known, Privacy
from core.commands.commands import Commands
from core.dialogue import Platform, SessionKey
from core.dispatcher import Dispatcher, DispatchLimits
from core.doorkeeper import Doorkeeper
from core.edge import Edge
from core.errors import BanterError, PlatformAway, SettingsError
from core.generation.request import Backend
from core.guards import GuardLimits
from core.measures import RECEIVER_FAILURES, UNMEASURED, Measures
from core.memory.database import Database
from core.memory.grouped import GroupedWrites
from core.memory.inbox import Inbox
from core.memory.leases import Leases
from core.memory.notices import listening
from core.memory.pairing import Pairings
from core.memory.store import Memory
from core.memory.usage import Usage
from core.observed import ObservedHandler, ObservedOutbox, ObservedSender
from core.observer import Observer
from core.policy import Policy
from core.ports import Accept
from core.process_name import process_name
from core.reception import Reception
from core.recollection import Recollection, RecollectionLimits, recollecting
from core.responder import Responder
from core.takeovers import taking_over
from core.texts import Texts
from core.voice import Voices

logger = logging.getLogger(__name__)

_FIRST_PAUSE_S = 1.0
_LONGEST_PAUSE_S = 60.0


class Receiver(Protocol):
    """The only listener of an account."""

    async def run(self, accept: Accept) -> None:
        """Hands over what comes, until it is cancelled. Whatever else ends it, it is begun again after a pause.

        Raises SettingsError where that would help nobody; then the program ends.
        """
        ...


@dataclass(frozen=True, slots=True)
class Account:
    """One account on one platform: how it is listened to and how it speaks."""

    platform: Platform
    #: As the session keys of what comes in name it.
    bot: str
    edge: Edge
    receiver: Receiver


@dataclass(frozen=True, slots=True)
class Ground:
    """What the walk stands on; others open and close it."""

    database: Database
    backend: Backend
    voices: Voices
    measures: Measures = UNMEASURED
    #: None where nothing can be forgotten or exported by command.
    privacy: Privacy | None = None


@dataclass(frozen=True, slots=True)
class WalkOptions:
    policy: Policy
    #: Of the inbox's event keys; the same in every process of one database.
    event_secret: bytes
    #: Longer than any platform's `send_timeout_s`.
    lease_s: float = 60.0
    dispatch: DispatchLimits = field(default_factory=DispatchLimits)
    answer: AnswerLimits = field(default_factory=AnswerLimits)
    guards: GuardLimits = field(default_factory=GuardLimits)
    recollection: RecollectionLimits = field(default_factory=RecollectionLimits)
    #: From the question to the end of its reply.
    timeout_s: float = 300.0


class Walk:
    """What is running."""

    def __init__(self, dispatcher: Dispatcher, accepts: Mapping[tuple[Platform, str], Accept]) -> None:
        self.accepts = accepts
        self._dispatcher = dispatcher
        #: None of them ever ends by itself.
        self.tasks: list[asyncio.Task[None]] = []
        self.is_ending = False

    @property
    def lives(self) -> bool:
        return self.is_ending or not any(task.done() for task in self.tasks)

    @property
    def places(self) -> int:
        """At which this process answers."""
        return self._dispatcher.places

    async def until(self, stop: asyncio.Event) -> None:
        """Raises what ended a part of it before that."""
        stopping = asyncio.create_task(stop.wait())
        try:
            done, _ = await asyncio.wait({stopping, *self.tasks}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            stopping.cancel()
        for task in done - {stopping}:
            error = None if task.cancelled() else task.exception()
            if isinstance(error, BanterError):
                raise error
            raise BanterError("a part of the program failed; see its log") from error


@asynccontextmanager
async def open_walk(ground: Ground, accounts: Sequence[Account], options: WalkOptions) -> AsyncIterator[Walk]:
    """From here to the end of the block people are answered."""
    async with AsyncExitStack() as closing:
        writes = GroupedWrites(ground.database, measures=ground.measures)
        closing.push_async_callback(writes.aclose)
        memory = Memory(ground.database)
        policy = options.policy
        at = [(account.platform, account.bot) for account in accounts]
        leases = Leases(ground.database, writes, process_name(), options.lease_s, at)
        recollection = await closing.enter_async_context(recollecting(memory, ground.backend, options.recollection))
        answering = _answering(ground, memory, writes, accounts, options, recollection)
        dispatcher = Dispatcher(leases, ObservedHandler(answering, ground.measures), options.dispatch)
        inbox, wake = Inbox(ground.database, writes, options.event_secret), _waking(dispatcher)
        accepts = {
            (account.platform, account.bot): Reception(
                (account.platform, account.bot), inbox, policy, wake, options.answer.burst_s
            )
            for account in accounts
        }
        walk = Walk(dispatcher, accepts)
        walk.tasks.append(await closing.enter_async_context(taking_over(leases, wake)))
        walk.tasks.append(await closing.enter_async_context(_dispatching(dispatcher)))
        await closing.enter_async_context(listening(ground.database, wake))
        walk.tasks += await closing.enter_async_context(_receiving(accounts, accepts, ground.measures))
        try:
            yield walk
        finally:
            walk.is_ending = True


def _answering(
    ground: Ground,
    memory: Memory,
    writes: GroupedWrites,
    accounts: Sequence[Account],
    options: WalkOptions,
    recollection: Recollection,
) -> Answering:
    observer = Observer(ground.measures)
    edges = {
        (account.platform, account.bot): Edge(
            ObservedSender(account.edge.sender, account.platform.value, observer),
            account.edge.splitter,
            account.edge.limits,
        )
        for account in accounts
    }
    responder = Responder(memory, ground.backend, ground.voices, options.guards, options.timeout_s, recollection)
    texts = Texts()
    judge = Doorkeeper(options.policy, Usage(ground.database, writes), Pairings(ground.database))
    front = Front(options.policy, Commands(Known(ground.voices, texts, ground.privacy)), ground.voices, texts, judge)
    return Answering(
        memory, ObservedOutbox(writes, observer), responder, front, lambda key: _edge_of(edges, key), options.answer
    )


def _edge_of(edges: Mapping[tuple[Platform, str], Edge], key: SessionKey) -> Edge:
    try:
        return edges[key.platform, key.bot]
    except KeyError:
        raise PlatformAway(f"this program has no account on {key.platform.value} for that message") from None


def _waking(dispatcher: Dispatcher) -> Callable[[bool], None]:
    def wake(urgent: bool, /) -> None:
        dispatcher.wake(urgent=urgent)

    return wake


@asynccontextmanager
async def _dispatching(dispatcher: Dispatcher) -> AsyncIterator[asyncio.Task[None]]:
    running = asyncio.create_task(dispatcher.run())
    try:
        yield running
    finally:
        await dispatcher.drain()
        await asyncio.gather(running, return_exceptions=True)  # whoever waits for it was told of its error


@asynccontextmanager
async def _receiving(
    accounts: Sequence[Account], accepts: Mapping[tuple[Platform, str], Accept], measures: Measures
) -> AsyncIterator[list[asyncio.Task[None]]]:
    """What was handed over and not yet stored when it ends was not acked, and comes again."""
    tasks = [
        asyncio.create_task(_keep_receiving(account, accepts[account.platform, account.bot], measures))
        for account in accounts
    ]
    try:
        yield tasks
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _keep_receiving(account: Account, accept: Accept, measures: Measures) -> None:
    pause_s = _FIRST_PAUSE_S
    while True:
        begin = time.monotonic()
        reason = "it returned"
        try:
            await account.receiver.run(accept)
        except SettingsError:
            raise
        except Exception as error:  # noqa: BLE001 - one account's trouble is not the others'
            reason = type(error).__name__  # its words may be a person's, or hold a token
        platform = account.platform.value
        measures.count(RECEIVER_FAILURES, platform)
        logger.warning("a receiver ended: %s", reason, extra={"action": "receive", "platform": platform})
        if time.monotonic() - begin > _LONGEST_PAUSE_S:
            pause_s = _FIRST_PAUSE_S
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, _LONGEST_PAUSE_S)
