"""Slack's own places on the local Slack, with the whole adapter behind them and a core that only listens."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from adapters.seals import Seals
from adapters.slack.api import Clients
from adapters.slack.buttons import Buttons
from adapters.slack.directory import SlackDirectory
from adapters.slack.home import Home, HomeDialogue
from adapters.slack.intake import Intake
from adapters.slack.interactions import Known
from adapters.slack.labels import NativeLabels
from adapters.slack.native import Native
from adapters.slack.people import People
from adapters.slack.receiver import SlackReceiver
from bots.sandbox.local_slack.driver import LocalSlack
from bots.sandbox.local_slack.people import Place
from bots.sandbox.local_slack.sights import InstallSeen
from core.dialogue import Person, Platform, SessionKey
from core.errors import DatabaseAway
from tests.integration.slack.receiving import Installed, Kept, socket_options

LABELS = NativeLabels()
SECRET = b"the database's own"


class Book:
    """Implements `HomeBook`."""

    def __init__(self) -> None:
        #: By the ids of people.
        self.homes: dict[str, Home] = {}
        self.asked: list[Person] = []
        self.is_away = False

    async def of(self, person: Person) -> Home:
        self.asked.append(person)
        if self.is_away:
            raise DatabaseAway("the database is away")
        return self.homes.get(person.platform_id, Home())


@dataclass
class NativeStage:
    slack: LocalSlack
    native: Native
    clients: Clients
    installed: Installed
    book: Book = field(default_factory=Book)
    kept: Kept = field(default_factory=Kept)

    def key(self, channel: Place, thread: str = "", person: str = "") -> SessionKey:
        return SessionKey(Platform.SLACK, self.slack.app_id, self.slack.install.id, channel.id, thread, person)

    def home_of(self, *dialogues: HomeDialogue) -> Home:
        return Home(dialogues, ("banter", "pirate"), {"en": "English", "de": "Deutsch"})


def dialogue_in(key: SessionKey, title: str = "Rain", **more: Any) -> HomeDialogue:
    return HomeDialogue(key, title, datetime(2026, 11, 20, 9, 30, tzinfo=UTC), more.pop("persona", "banter"), **more)


@asynccontextmanager
async def native_stage(slack: LocalSlack, *installs: InstallSeen) -> AsyncIterator[NativeStage]:
    """People are heard until the end of the block."""
    clients, book, installed = Clients(slack.api_url), Book(), Installed(slack.install, *installs)
    native = Native(Known(slack.app_id, Buttons(SECRET), Seals(SECRET)), clients, book, LABELS)
    intake = Intake(slack.app_id, installed, People(SlackDirectory(clients)), native)
    receiver = SlackReceiver(intake, clients, socket_options(slack))
    stage = NativeStage(slack, native, clients, installed, book)
    task = asyncio.create_task(receiver.run(stage.kept))
    try:
        await slack.connected(2)
        yield stage
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await clients.aclose()
