"""A receiver at work on the local Slack, and what it hands over."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from starlette.applications import Starlette

from adapters.slack.api import Clients
from adapters.slack.directory import SlackDirectory
from adapters.slack.events_http import HttpOptions
from adapters.slack.intake import Intake
from adapters.slack.people import People
from adapters.slack.receiver import SlackReceiver
from adapters.slack.socket_mode import SocketOptions
from adapters.slack.workspaces import Workspace
from adapters.trouble import Pauses
from bots.sandbox.local_slack.driver import LocalSlack
from bots.sandbox.local_slack.sights import InstallSeen
from bots.web import serving
from core.dialogue import Inbound, InboundMessage
from core.errors import DatabaseAway, PlatformAway, PlatformRefused
from core.ports import Arrival, Cursor

DEADLINE_S = 20.0
QUICK = Pauses(first_s=0.02, longest_s=0.1, slow_s=0.2)


class Kept:
    """Implements `Accept`, in memory."""

    def __init__(self) -> None:
        self.arrivals: list[Arrival] = []
        #: While it is not set, nothing is kept.
        self.opened = asyncio.Event()
        self.opened.set()
        #: So many calls fail.
        self.fails = 0
        self.calls = 0
        self._changed = asyncio.Condition()

    async def __call__(self, arrivals: Sequence[Arrival], cursor: Cursor | None = None) -> None:
        self.calls += 1
        await self._tell()
        await self.opened.wait()
        if self.fails:
            self.fails -= 1
            raise DatabaseAway("the database is away")
        self.arrivals += arrivals
        await self._tell()

    @property
    def said(self) -> list[InboundMessage]:
        return [one.inbound for one in self.arrivals if isinstance(one.inbound, InboundMessage)]

    @property
    def texts(self) -> list[str]:
        """Each event once, however often it came."""
        return list({message.event_key: message.text for message in self.said}.values())

    async def until(self, is_so: Callable[["Kept"], bool]) -> None:
        async with asyncio.timeout(DEADLINE_S), self._changed:
            await self._changed.wait_for(lambda: is_so(self))

    async def says(self, *texts: str) -> None:
        """It was handed these and nothing else."""
        await self.until(lambda kept: len(kept.texts) >= len(texts))
        assert sorted(self.texts) == sorted(texts)

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


class Installed:
    """Implements `Workspaces`, as a local Slack has them installed."""

    def __init__(self, *installs: InstallSeen) -> None:
        self.workspaces = {one.id: workspace_of(one) for one in installs}
        self._teams = {team: one.id for one in installs for team in one.team_ids}
        self.is_away = False
        self.gone: list[str] = []
        self._changed = asyncio.Event()

    async def of(self, workspace_id: str) -> Workspace:
        if self.is_away:
            raise PlatformAway("the installations can't be read")
        if workspace_id not in self.workspaces:
            raise PlatformRefused("the app is not installed there")
        return self.workspaces[workspace_id]

    async def serving(self, team_id: str, enterprise_id: str, *, is_enterprise_install: bool) -> Workspace:
        is_whole = is_enterprise_install and enterprise_id in self.workspaces
        return await self.of(enterprise_id if is_whole else self._teams.get(team_id, team_id))

    async def removed(self, workspace_id: str, at: float) -> None:
        await self.of(workspace_id)
        del self.workspaces[workspace_id]
        self.gone.append(workspace_id)
        self._changed.set()

    async def until_gone(self) -> None:
        async with asyncio.timeout(DEADLINE_S):
            await self._changed.wait()


def workspace_of(install: InstallSeen) -> Workspace:
    return Workspace(install.id, install.bot_user_id, install.bot_id, install.token)


class Watching:
    """Implements `Native`: it remembers what it was asked."""

    def __init__(self) -> None:
        self.understood: list[Mapping[str, object]] = []
        self.answered: list[Mapping[str, object]] = []
        self.says: list[Inbound] = []
        self.acks: Mapping[str, object] | None = None
        #: While it is not set, nothing is shown.
        self.opened = asyncio.Event()
        self.opened.set()
        self._shown = asyncio.Condition()

    def understand(self, body: Mapping[str, object], workspace: Workspace) -> list[Inbound]:
        self.understood.append(body)
        return self.says

    def ack_of(self, body: Mapping[str, object]) -> Mapping[str, object] | None:
        return self.acks

    async def respond(self, body: Mapping[str, object], workspace: Workspace) -> None:
        await self.opened.wait()
        self.answered.append(body)
        async with self._shown:
            self._shown.notify_all()

    async def shows(self, count: int = 1) -> None:
        async with asyncio.timeout(DEADLINE_S), self._shown:
            await self._shown.wait_for(lambda: len(self.answered) >= count)


@dataclass
class Stage:
    slack: LocalSlack
    receiver: SlackReceiver
    installed: Installed
    kept: Kept = field(default_factory=Kept)
    native: Watching = field(default_factory=Watching)
    #: Where HTTP events go; "" where they come over sockets.
    url: str = ""


def socket_options(slack: LocalSlack) -> SocketOptions:
    return SocketOptions(slack.app_token, stagger_s=0.0, ping_interval_s=0.5, short_s=0.0, pauses=QUICK)


@asynccontextmanager
async def staged(
    slack: LocalSlack, options: SocketOptions | HttpOptions | None = None, *installs: InstallSeen, app_id: str = ""
) -> AsyncIterator[Stage]:
    """Nobody accepts yet."""
    installed, native = Installed(*(installs or (slack.install,))), Watching()
    clients = Clients(slack.api_url)
    intake = Intake(app_id or slack.app_id, installed, People(SlackDirectory(clients)), native)
    receiver = SlackReceiver(intake, clients, options or socket_options(slack))
    try:
        yield Stage(slack, receiver, installed, native=native)
    finally:
        await clients.aclose()


@asynccontextmanager
async def listening(stage: Stage) -> AsyncIterator[asyncio.Task[None]]:
    """People are heard until the end of the block."""
    task = asyncio.create_task(stage.receiver.run(stage.kept))
    try:
        yield task
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def over_sockets(slack: LocalSlack, *installs: InstallSeen) -> AsyncIterator[Stage]:
    async with staged(slack, None, *installs) as stage, listening(stage):
        await slack.connected(2)
        yield stage


@asynccontextmanager
async def at_a_url(slack: LocalSlack, *installs: InstallSeen) -> AsyncIterator[Stage]:
    """Nobody accepts yet, and Slack does not know the address."""
    async with (
        staged(slack, HttpOptions(slack.signing_secret, limit_bytes=50_000), *installs) as stage,
        serving(Starlette(routes=stage.receiver.routes), "127.0.0.1", 0) as port,
    ):
        stage.url = f"http://127.0.0.1:{port}/slack/events"
        yield stage


@asynccontextmanager
async def over_http(slack: LocalSlack, *installs: InstallSeen) -> AsyncIterator[Stage]:
    async with at_a_url(slack, *installs) as stage, listening(stage):
        await slack.post_events_to(stage.url, stage.url, stage.url)
        yield stage


WAYS = {"sockets": over_sockets, "http": over_http}


def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What an operator reads."""
    return [
        record.getMessage()
        for record in caplog.records
        if record.name.startswith("adapters.") and record.levelno >= logging.INFO
    ]
