"""How a bot's process reaches the local Slack outside it: by the program's own adapter, in a quicker time.

A second of Slack's is shorter here, for the server's clock, for the adapter's pace, and for what the one tells the
other.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace

import aiohttp
from starlette.applications import Starlette

from adapters.seals import Seals
from adapters.slack.api import Clients
from adapters.slack.buttons import Buttons
from adapters.slack.calls import Calls
from adapters.slack.directory import SlackDirectory
from adapters.slack.events_http import HttpOptions
from adapters.slack.home import Home
from adapters.slack.intake import Intake
from adapters.slack.interactions import Known
from adapters.slack.labels import NativeLabels
from adapters.slack.native import Native
from adapters.slack.outbound import new_splitter
from adapters.slack.pace import Pace
from adapters.slack.people import People
from adapters.slack.receiver import SlackReceiver
from adapters.slack.sender import SlackSender
from adapters.slack.socket_mode import SocketOptions
from adapters.trouble import Pauses
from bots.slack_workspaces import OneWorkspace
from bots.walk import Account
from bots.web import serving
from core.dialogue import Person, Platform, SessionKey
from core.edge import Edge
from core.errors import RateLimited
from core.memory.database import Database
from core.ports import Capabilities, Outgoing
from tests.crash.fate import Fate
from tests.crash.fated_calls import tell_of_calls
from tests.platforms.paper_bot import SENDS

#: So many seconds of Slack's pass in one.
SPEED = 20.0
#: The turn, and both calls.
SEND_TIMEOUT_S = 1.2
LEASE_S = 3.0

_SECRET = b"of the crash trials"
_HOST = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class SlackPlace:
    """Implements `Place`."""

    api_url: str
    app_id: str
    token: str = field(repr=False)
    app_token: str = field(repr=False)
    signing_secret: str = field(repr=False)
    #: Where events are posted to; 0: they come over websockets.
    port: int = 0

    @asynccontextmanager
    async def opened(self, _name: str, fate: Fate, _stop: asyncio.Event, _database: Database) -> AsyncIterator[Account]:
        clients, buttons = Clients(self.api_url), Buttons(_SECRET)
        _watch(clients, fate)
        workspaces = OneWorkspace(clients, self.token)
        pace = Pace(lambda: time.monotonic() * SPEED, lambda seconds: asyncio.sleep(seconds / SPEED))
        sender = QuickSender(Calls(clients, pace), workspaces, buttons)
        native = Native(Known(self.app_id, buttons, Seals(_SECRET)), clients, _NobodysBook(), NativeLabels())
        intake = Intake(self.app_id, workspaces, People(SlackDirectory(clients)), native)
        receiver = SlackReceiver(intake, clients, self._way())
        async with AsyncExitStack() as closing:
            closing.push_async_callback(clients.aclose)
            if receiver.routes:
                app = Starlette(routes=list(receiver.routes))
                await closing.enter_async_context(serving(app, _HOST, self.port))
            yield Account(Platform.SLACK, self.app_id, Edge(sender, new_splitter(), SENDS), receiver)

    def _way(self) -> SocketOptions | HttpOptions:
        if self.port:
            return HttpOptions(self.signing_secret)
        pauses = Pauses(first_s=0.02, longest_s=0.1, slow_s=0.3)
        return SocketOptions(self.app_token, stagger_s=0.1, ping_interval_s=1.0, short_s=0.3, pauses=pauses)


class _Sooner(RateLimited):
    """In seconds of ours."""


class QuickSender(SlackSender):
    """It tells the core in seconds of ours what it means in Slack's."""

    def capabilities(self, key: SessionKey) -> Capabilities:
        can = super().capabilities(key)
        return replace(
            can,
            edit_interval_s=can.edit_interval_s / SPEED,
            stream_age_s=can.stream_age_s / SPEED,
            typing_interval_s=can.typing_interval_s / SPEED,
            send_timeout_s=SEND_TIMEOUT_S,
        )

    async def open(self, part: Outgoing) -> str:
        with _sooner():
            return await super().open(part)

    async def update(self, handle: str, part: Outgoing) -> None:
        with _sooner():
            await super().update(handle, part)

    async def append(self, handle: str, part: Outgoing, text: str) -> None:
        with _sooner():
            await super().append(handle, part, text)

    async def close(self, handle: str, part: Outgoing) -> None:
        with _sooner():
            await super().close(handle, part)

    async def find(self, part: Outgoing) -> str | None:
        with _sooner():
            return await super().find(part)

    async def withdraw(self, handle: str, part: Outgoing) -> None:
        with _sooner():
            await super().withdraw(handle, part)


class _NobodysBook:
    """Implements `HomeBook`: nobody opens App Home."""

    async def of(self, person: Person) -> Home:
        return Home()


@contextlib.contextmanager
def _sooner() -> Iterator[None]:
    """Once, although one method calls another."""
    try:
        yield
    except _Sooner:
        raise
    except RateLimited as limited:
        raise _Sooner(str(limited), limited.retry_after_s / SPEED) from None


def _watch(clients: Clients, fate: Fate) -> None:
    trace = aiohttp.TraceConfig()
    tell_of_calls(trace, fate, lambda _, told: told.url.path.rpartition("/")[2])
    trace.freeze()
    clients.session.trace_configs.append(trace)
