"""A program that answers people until it is told to end: settings → the walk, and what an operator sees of it.

SIGTERM and SIGINT end it in order, and it exits with 0.
"""

import asyncio
import logging
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from starlette.routing import Route

from bots.metrics import PrometheusMeasures
from bots.privacy import privacy_by_command, retaining
from bots.products import OpenProduct
from bots.readiness import EngineWriter, Seen, ServerWriter, Writer, watched
from bots.walk import Account, Ground, Walk, open_walk
from bots.web import serving, web_app
from bots.wiring import open_backend, open_database, open_event_secret, open_voices, walk_options, warming_up
from core.commands.asked import Privacy
from core.generation.client import EngineClient
from core.generation.openai import OpenAIBackend
from core.generation.request import Backend
from core.measures import (
    DATABASE_S,
    ENGINE_RUNNING,
    ENGINE_WAITING,
    INBOX_BEGUN,
    INBOX_OLDEST_S,
    INBOX_WAITING,
    LEASES_HELD,
    READY,
    Gauge,
)
from core.memory.database import Database
from core.memory.upgrade import prepare
from core.settings.settings import Settings
from core.voice import Voices

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Opened:
    """What a service needs; others open and close it."""

    database: Database
    backend: Backend
    voices: Voices
    #: Who writes the replies, to be looked at.
    writer: Writer
    #: The database's own, which the keys of its events are hashed with.
    event_secret: bytes
    #: None where nothing can be forgotten or exported by command.
    privacy: Privacy | None = None


class ServiceViews:
    """What is known of the service, by numbers. Nothing of it is people's."""

    def __init__(self, measures: PrometheusMeasures, seen: Seen) -> None:
        self._measures = measures
        self._seen = seen
        #: None until people are answered.
        self.walk: Walk | None = None

    def metrics(self) -> bytes:
        """See `Views`."""
        return self._measures.text(self._looked_at())

    def health(self) -> Mapping[str, bool]:
        """See `Views`; that there is an answer tells of the event loop."""
        return {"dispatcher": self.walk is None or self.walk.lives}

    def readiness(self) -> Mapping[str, bool]:
        """See `Views`."""
        is_open = self.walk is not None and self.walk.lives and not self.walk.is_ending
        return {"open": is_open, "database": self._seen.backlog is not None, "engine": self._seen.writer.ready}

    def _looked_at(self) -> dict[Gauge, float]:
        looked: dict[Gauge, float | None] = {
            READY: float(all(self.readiness().values())),
            LEASES_HELD: 0 if self.walk is None else self.walk.places,
            ENGINE_WAITING: self._seen.writer.waiting,
            ENGINE_RUNNING: self._seen.writer.running,
            DATABASE_S: self._seen.database_s,
        }
        if (backlog := self._seen.backlog) is not None:
            looked |= {INBOX_WAITING: backlog.waiting, INBOX_BEGUN: backlog.begun, INBOX_OLDEST_S: backlog.oldest_s}
        return {gauge: value for gauge, value in looked.items() if value is not None}


async def run_service(settings: Settings, config: Path | None, products: Sequence[OpenProduct]) -> None:
    """Until SIGTERM or SIGINT. Raises BanterError where it can't begin, or a part of it fails."""
    voices = open_voices(settings)
    backend = open_backend(settings, config, voices)
    async with AsyncExitStack() as closing:
        closing.push_async_callback(backend.aclose)
        database = await closing.enter_async_context(open_database(settings))
        await prepare(database)
        secret = await open_event_secret(settings, database)
        writer = _writer(backend, voices, settings.persona)
        await closing.enter_async_context(warming_up(backend, voices, settings.persona))
        privacy = await closing.enter_async_context(privacy_by_command(settings, config))
        await closing.enter_async_context(retaining(settings, database))
        opened = [await closing.enter_async_context(product(settings, secret, database)) for product in products]
        await answer_people(
            settings,
            [product.account for product in opened],
            Opened(database, backend, voices, writer, secret, privacy),
            [route for product in opened for route in product.routes],
        )


async def answer_people(
    settings: Settings, accounts: Sequence[Account], opened: Opened, routes: Sequence[Route] = ()
) -> None:
    """As `run_service`, on what was opened before."""
    _keep_quiet_about_tasks()
    async with AsyncExitStack() as closing:
        stop = closing.enter_context(_told_to_stop())
        seen = await closing.enter_async_context(watched(opened.database, opened.writer))
        measures = PrometheusMeasures()
        views = ServiceViews(measures, seen)
        if settings.web.port:  # it answers until the very end
            await closing.enter_async_context(serving(web_app(views, routes), settings.web.host, settings.web.port))
        options = walk_options(settings, opened.event_secret)
        ground = Ground(opened.database, opened.backend, opened.voices, measures, opened.privacy)
        views.walk = await closing.enter_async_context(open_walk(ground, accounts, options))
        logger.info("people are answered", extra={"action": "begin", "accounts": len(accounts)})
        await views.walk.until(stop)
        logger.info("the program ends", extra={"action": "end"})


def _writer(backend: Backend, voices: Voices, persona: str) -> Writer:
    if isinstance(backend, EngineClient):
        return EngineWriter(backend, lambda: voices.of(persona).spec)
    if isinstance(backend, OpenAIBackend):
        return ServerWriter(backend)
    raise TypeError(f"nobody knows how well {type(backend).__name__} is")


@contextmanager
def _told_to_stop() -> Iterator[asyncio.Event]:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT)
    for number in numbers:
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


def _keep_quiet_about_tasks() -> None:
    """asyncio's own words about a task that failed repeat its error, and that may repeat what a person said."""

    def log(_loop: asyncio.AbstractEventLoop, context: Mapping[str, object]) -> None:
        error = context.get("exception")
        kind = type(error).__name__ if error is not None else "no error"
        logger.error("a task failed unseen: %s", kind, extra={"action": "unseen"})

    asyncio.get_running_loop().set_exception_handler(log)
