"""A sender on the local Slack, with what tests send by it."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar

from adapters.slack.api import Clients
from adapters.slack.buttons import Buttons
from adapters.slack.calls import Calls
from adapters.slack.pace import Pace
from adapters.slack.sender import SlackSender
from adapters.slack.workspaces import Workspace
from bots.sandbox.json_values import JsonObject, object_in
from bots.sandbox.local_slack.driver import LocalSlack, local_slack
from bots.sandbox.local_slack.limits import NO_RATES
from bots.sandbox.local_slack.options import Options
from bots.sandbox.local_slack.people import Person, Place
from bots.sandbox.local_slack.sights import InstallSeen, MessageSeen, SessionSeen, StreamSeen
from core.dialogue import Platform, SessionKey
from core.errors import PlatformAway, PlatformRefused, RateLimited, SendUnclear
from core.ports import Outgoing

TOKEN = "0123456789abcdef0123"

_Result = TypeVar("_Result")


class TimeOfTests:
    """Nobody waits in it: whoever sleeps finds it later."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def clock(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds


class Installed:
    """Implements `Workspaces` for those that the local server has."""

    def __init__(self, *installs: InstallSeen) -> None:
        self.known = {one.id: _workspace(one) for one in installs}

    async def of(self, workspace_id: str) -> Workspace:
        if workspace_id not in self.known:
            raise PlatformRefused("the app is not installed there")
        return self.known[workspace_id]

    async def serving(self, team_id: str, enterprise_id: str, *, is_enterprise_install: bool) -> Workspace:
        return await self.of(enterprise_id if is_enterprise_install else team_id)

    async def removed(self, workspace_id: str, at: float) -> None:
        self.known.pop(workspace_id, None)


def _workspace(install: InstallSeen) -> Workspace:
    return Workspace(install.id, install.bot_user_id, install.bot_id, install.token, install.name)


@dataclass
class Stage:
    slack: LocalSlack
    anna: Person
    #: Where Anna asked, and what.
    place: Place
    question: MessageSeen
    installed: Installed
    buttons: Buttons
    time: TimeOfTests
    clients: Clients
    senders: list[SlackSender] = field(default_factory=list)

    @property
    def sender(self) -> SlackSender:
        return self.senders[-1]

    @property
    def key(self) -> SessionKey:
        return self.key_of(self.question)

    def key_of(self, question: MessageSeen) -> SessionKey:
        return SessionKey(Platform.SLACK, self.slack.app_id, self.slack.install.id, self.place.id, question.root_ts)

    def start_anew(self) -> SlackSender:
        """As another process would: it knows nothing of what was sent. Time has gone on as well."""
        self.time.now += 100.0
        self.senders.append(SlackSender(Calls(self.clients, self._pace()), self.installed, self.buttons))
        return self.sender

    def _pace(self) -> Pace:
        return Pace(self.time.clock, self.time.sleep)

    def part(self, markdown: str = "", number: int = 0, **more: object) -> Outgoing:
        """Open, and drawn by the model, where nothing else is said."""
        part = Outgoing(self.key, self.question.ts, TOKEN, number, markdown, is_drawn=True, asker_id=self.anna.id)
        return replace(part, **more)  # type: ignore[arg-type]

    def last(self, markdown: str, number: int = 0, **more: object) -> Outgoing:
        return self.part(markdown, number, is_closed=True, is_last=True, **more)

    async def shows(self, handle: str, *texts: str) -> None:
        """A part that grows; time goes on meanwhile."""
        for text in texts:
            self.time.now += 30.0
            await self.sender.append(handle, self.part(text), text)

    async def written(self) -> list[MessageSeen]:
        """What stands below the question."""
        return (await self.place.look()).in_thread(self.question.root_ts)

    async def session(self) -> SessionSeen:
        """Of the question's thread."""
        session = (await self.place.look()).thread(self.question.ts).session
        assert session is not None
        return session

    async def patiently(self, call: Callable[[], Awaitable[_Result]]) -> _Result:
        """As the core does: again, whatever came of it but a refusal."""
        for _ in range(8):
            try:
                return await call()
            except (PlatformAway, SendUnclear):
                self.time.now += 1.0
            except RateLimited as limited:
                self.time.now += limited.retry_after_s
        raise AssertionError("it never went well")

    async def calls(self, method: str) -> int:
        return len(await self.slack.calls(method))


def stream_of(message: MessageSeen) -> StreamSeen:
    assert message.stream is not None
    return message.stream


def mark_of(message: MessageSeen) -> JsonObject:
    """What the message says of itself."""
    return object_in((message.metadata or {}).get("event_payload"))


@asynccontextmanager
async def standing(options: Options | None = None, *, is_direct: bool = False) -> AsyncIterator[Stage]:
    """Anna has asked something in a channel, or in her own one."""
    async with local_slack(options or Options(rates=NO_RATES)) as slack:
        anna = await slack.person("Anna")
        place = anna.dm if is_direct else await slack.channel("general", anna)
        question = await anna.says("what is rain?", place)
        clients = Clients(slack.api_url)
        stage = Stage(
            slack, anna, place, question, Installed(slack.install), Buttons(b"a secret"), TimeOfTests(), clients
        )
        stage.start_anew()
        try:
            yield stage
        finally:
            await clients.aclose()
