"""Spoilt envelopes and requests through the real receivers into a real inbox, and all that must not come of them."""

import asyncio
import json
import logging
import random
import time
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx2
from sqlalchemy import func, select
from starlette.applications import Starlette

from adapters.slack.api import Clients
from adapters.slack.directory import SlackDirectory
from adapters.slack.events_http import HttpOptions
from adapters.slack.home import Home
from adapters.slack.intake import Intake
from adapters.slack.interactions import Known
from adapters.slack.labels import NativeLabels
from adapters.slack.native import Native
from adapters.slack.people import People
from adapters.slack.receiver import SlackReceiver
from adapters.slack.socket_mode import SocketOptions
from adapters.slack.workspaces import Workspace
from adapters.trouble import Pauses
from bots.web import serving
from core.dialogue import Person, Platform
from core.errors import PlatformRefused
from core.memory.database import Database
from core.memory.grouped import GroupedWrites
from core.memory.inbox import Inbox
from core.memory.tables import DEAD, InboxRow
from core.policy import Manner, Policy
from core.ports import Accept, Arrival, Cursor
from core.reception import Reception
from core.redaction import without_secrets
from tests.fuzz.slack_mutating import APP, SECRET, WORKSPACE, Forgery, Posted, SlackMutator, envelope_of, sound_body
from tests.fuzz.telegram_mutating import drawn_values
from tests.integration.slack.spoilt_slack import Frame, SpoiltSlack, serving_spoilt_slack
from tests.unit.slack.acted import SEALS, PlainButtons

#: Nothing takes so long between two acks.
_STALL_S = 30.0
#: Every so many inputs somebody says something that must not get lost.
_SOUND_EVERY = 25
#: Of a hundred requests.
_FORGED, _REPLAYED = 20, 5
_AT_ONCE = 8
_EXPECTED = ("an event was not understood", "somebody was shown nothing")
_MARK = "said by a forger"


class Fault(AssertionError):
    """Something came of an input that must not."""


@dataclass(slots=True)
class Fed:
    frames: int = 0
    requests: int = 0
    sound: int = 0
    forged: int = 0
    replayed: int = 0
    #: What it was understood as.
    kinds: Counter[str] = field(default_factory=Counter)
    #: As the inbox holds them.
    dead: int = 0
    dead_letters: set[str] = field(default_factory=set)
    #: How many connections there were.
    sockets: int = 0


class _Complaints(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not any(words in record.getMessage() for words in _EXPECTED):
            self.lines.append(record.getMessage())


class _Watched:
    """Passes on what comes, and remembers what it was."""

    def __init__(self, accept: Accept, fed: Fed) -> None:
        self._accept = accept
        self._fed = fed

    async def __call__(self, arrivals: Sequence[Arrival], cursor: Cursor | None = None) -> None:
        await self._accept(arrivals, cursor)
        for arrival in arrivals:
            self._fed.kinds[type(arrival.inbound).__name__] += 1
            if arrival.error:
                self._fed.dead_letters.add(without_secrets(arrival.raw))


class _OneWorkspace:
    """Implements `Workspaces`; it can't be taken away."""

    async def of(self, workspace_id: str) -> Workspace:
        if workspace_id != WORKSPACE.id:
            raise PlatformRefused("the app is not installed there")
        return WORKSPACE

    async def serving(self, team_id: str, enterprise_id: str, *, is_enterprise_install: bool) -> Workspace:
        return await self.of(team_id)

    async def removed(self, workspace_id: str, at: float) -> None: ...


class _NoDialogues:
    """Implements `HomeBook`."""

    async def of(self, person: Person) -> Home:
        return Home()


async def feed(url: str, inputs: int, number: int) -> Fed:
    """Half of them over websockets, half over HTTP; `number` is the seed. Raises Fault."""
    chance = random.Random(number)
    mutator = SlackMutator(drawn_values(number), chance)
    frames = [_sound_frame(one) if one % _SOUND_EVERY == 0 else mutator.frame(one) for one in range(1, inputs // 2 + 1)]
    rest = range(inputs // 2 + 1, inputs + 1)
    requests = [_sound_request(one) if one % _SOUND_EVERY == 0 else _request(mutator, one, chance) for one in rest]
    fed = Fed(len(frames), len(requests))
    complaints = _Complaints()
    for name in ("adapters", "core", "asyncio", "uvicorn"):
        logging.getLogger(name).addHandler(complaints)
    try:
        async with Database(url, synchronous="normal") as database:
            await _feed(database, frames, requests, fed)
            await _judge(database, fed, inputs)
    finally:
        for name in ("adapters", "core", "asyncio", "uvicorn"):
            logging.getLogger(name).removeHandler(complaints)
    if complaints.lines:
        raise Fault(f"the log says {complaints.lines[:5]}")
    return fed


async def _feed(database: Database, frames: list[Frame], requests: list[Posted], fed: Fed) -> None:
    writes = GroupedWrites(database)
    inbox = Inbox(database, writes, b"secret")
    watched = _Watched(Reception((Platform.SLACK, APP), inbox, Policy(Manner("banter")), lambda _urgent: None), fed)
    async with serving_spoilt_slack(APP, frames) as slack:
        pauses = Pauses(0.01, 0.05, 0.05)
        async with _receiving(slack, SocketOptions("xapp-1", stagger_s=0.0, short_s=0.0, pauses=pauses), watched):
            await _follow(slack)
        fed.sockets = slack.sockets
        options = HttpOptions(SECRET)
        async with (
            _receiving(slack, options, watched) as receiver,
            serving(Starlette(routes=receiver.routes), "127.0.0.1", 0) as port,
        ):
            await _post_all(f"http://127.0.0.1:{port}{options.path}", requests, fed)
    await writes.aclose()


@asynccontextmanager
async def _receiving(
    slack: SpoiltSlack, options: SocketOptions | HttpOptions, accept: Accept
) -> AsyncIterator[SlackReceiver]:
    clients = Clients(f"{slack.url}/api/")
    native = Native(Known(APP, PlainButtons(), SEALS), clients, _NoDialogues(), NativeLabels())
    intake = Intake(APP, _OneWorkspace(), People(SlackDirectory(clients)), native)
    receiver = SlackReceiver(intake, clients, options)
    running = asyncio.create_task(receiver.run(accept))
    try:
        await asyncio.sleep(0)
        yield receiver
        if running.done():
            raise Fault("the receiver ended") from running.exception()
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await clients.aclose()


async def _follow(slack: SpoiltSlack) -> None:
    """Until every envelope that can be acked is."""
    while not slack.is_through:
        slack.changed.clear()
        try:
            async with asyncio.timeout(_STALL_S):
                await slack.changed.wait()
        except TimeoutError:
            raise Fault(f"the sockets stall with {len(slack.frames)} frames left") from None


async def _post_all(url: str, requests: list[Posted], fed: Fed) -> None:
    todo = iter(requests)

    async def post(web: httpx2.AsyncClient) -> None:
        for one in todo:
            await _post(web, url, one, fed)

    limits = httpx2.Limits(max_connections=_AT_ONCE)
    async with httpx2.AsyncClient(timeout=_STALL_S, trust_env=False, limits=limits) as web:
        await asyncio.gather(*(post(web) for _ in range(_AT_ONCE)))


async def _post(web: httpx2.AsyncClient, url: str, posted: Posted, fed: Fed) -> None:
    headers = posted.headers(time.time())
    times = 2 if posted.forgery is Forgery.NONE and zlib.crc32(posted.body) % 100 < _REPLAYED else 1
    for _ in range(times):
        status = (await web.post(url, content=posted.body, headers=headers)).status_code
        expected = 200 if posted.forgery is Forgery.NONE else 401
        if status != expected:
            raise Fault(f"a {posted.forgery.value} request was answered with {status}: {posted.body[:500]!r}")
    fed.replayed += times - 1
    fed.forged += posted.forgery is not Forgery.NONE


async def _judge(database: Database, fed: Fed, inputs: int) -> None:
    async with database.reading() as connection:
        asked = select(func.count()).where(InboxRow.state == DEAD)
        fed.dead = int((await connection.execute(asked)).scalar_one())
        rows = (await connection.execute(select(InboxRow.kind, InboxRow.inbound, InboxRow.raw))).all()
    said = Counter(json.loads(inbound)["text"] for kind, inbound, _ in rows if kind == "message" and inbound)
    wanted = [f"sound {number}" for number in range(_SOUND_EVERY, inputs + 1, _SOUND_EVERY)]
    fed.sound = sum(said[text] == 1 for text in wanted)
    if fed.sound != len(wanted):
        raise Fault(f"{len(wanted) - fed.sound} sound messages got lost or were doubled")
    if any(_MARK in f"{inbound}{raw}" for _, inbound, raw in rows):
        raise Fault("what a forger said was kept")
    if fed.dead < len(fed.dead_letters):
        raise Fault(f"{len(fed.dead_letters)} were not understood, and {fed.dead} are kept as dead letters")


def _sound_frame(number: int) -> Frame:
    return Frame(json.dumps(envelope_of(number, sound_body(f"sound {number}", number))), f"envelope-{number}")


def _sound_request(number: int) -> Posted:
    return Posted(json.dumps(sound_body(f"sound {number}", number)).encode())


def _request(mutator: SlackMutator, number: int, chance: random.Random) -> Posted:
    if chance.randrange(100) >= _FORGED:
        return mutator.posted()
    forgery = chance.choice([one for one in Forgery if one is not Forgery.NONE])
    return Posted(json.dumps(sound_body(f"{_MARK} {number}", number)).encode(), forgery)
