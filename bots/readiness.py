"""Can people be answered now? The database and whoever writes the replies are looked at, again and again.

The looking is apart from the asking: whoever asks gets what was seen last, at once.
"""

import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from core.errors import BanterError, StorageError
from core.generation.client import EngineClient
from core.generation.request import ModelSpec
from core.memory.backlog import Backlog, read_backlog
from core.memory.database import Database

if TYPE_CHECKING:
    from core.generation.openai import OpenAIBackend

logger = logging.getLogger(__name__)

_LOOK_S = 2.0
#: A server that is somebody else's is asked less often.
_SERVER_LOOK_S = 15.0
_TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True)
class WriterState:
    """Of the engine or the server."""

    ready: bool
    #: None where it does not tell.
    waiting: int | None = None
    running: int | None = None


class Writer(Protocol):
    """Who writes the replies, as far as its health goes."""

    #: So often it can be looked at.
    look_s: float

    async def look(self) -> WriterState: ...

    async def aclose(self) -> None: ...


class EngineWriter:
    """The engine: it is ready when it has a model. One that has none, or is not there, is made to load it."""

    look_s = _LOOK_S

    def __init__(self, client: EngineClient, find_model: Callable[[], ModelSpec]) -> None:
        """`find_model` reads files."""
        self._client = client
        self._find_model = find_model
        self._loading: asyncio.Task[None] | None = None

    async def look(self) -> WriterState:
        """Raises BanterError where the engine does not say how it is."""
        try:
            statistics = await self._client.inspect()
        except BanterError:
            self._load()
            raise
        if statistics is None or not statistics.models:
            self._load()
        if statistics is None:
            return WriterState(ready=False)
        return WriterState(bool(statistics.models), statistics.waiting, statistics.running)

    async def aclose(self) -> None:
        if self._loading is not None:
            self._loading.cancel()
            await asyncio.gather(self._loading, return_exceptions=True)

    def _load(self) -> None:
        if self._loading is None or self._loading.done():
            self._loading = asyncio.create_task(self._load_once())

    async def _load_once(self) -> None:
        try:
            model = await asyncio.to_thread(self._find_model)
            async with contextlib.aclosing(self._client.prepare(model)) as steps:
                async for _ in steps:
                    pass
        except BanterError as error:
            logger.warning("the model is not ready: %s", error, extra={"action": "warm_up"})


class ServerWriter:
    """A server that follows OpenAI's format: it is ready when it answers."""

    look_s = _SERVER_LOOK_S

    def __init__(self, backend: "OpenAIBackend") -> None:
        self._backend = backend

    async def look(self) -> WriterState:
        """Raises BanterError where it does not answer."""
        await self._backend.models()
        return WriterState(ready=True)

    async def aclose(self) -> None: ...


@dataclass(slots=True)
class Seen:
    """What was seen last. Nothing is ready before it was looked at."""

    backlog: Backlog | None = None
    database_s: float | None = None
    writer: WriterState = WriterState(ready=False)


@asynccontextmanager
async def watched(database: Database, writer: Writer) -> AsyncIterator[Seen]:
    """Until the end of the block."""
    seen = Seen()
    tasks = [asyncio.create_task(_watch_database(database, seen)), asyncio.create_task(_watch_writer(writer, seen))]
    try:
        yield seen
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await writer.aclose()


async def _watch_database(database: Database, seen: Seen) -> None:
    while True:
        begin = time.perf_counter()
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                seen.backlog = await read_backlog(database)
            seen.database_s = time.perf_counter() - begin
        except (StorageError, TimeoutError) as error:
            if seen.database_s is not None:
                logger.warning("the database is away: %s", error, extra={"action": "look"})
            seen.backlog = seen.database_s = None
        await asyncio.sleep(_LOOK_S)


async def _watch_writer(writer: Writer, seen: Seen) -> None:
    while True:
        try:
            async with asyncio.timeout(_TIMEOUT_S):
                state = await writer.look()
        except (BanterError, TimeoutError):
            state = WriterState(ready=False)
        if state.ready != seen.writer.ready:
            logger.info("replies can%s be written", "" if state.ready else "'t", extra={"action": "look"})
        seen.writer = state
        await asyncio.sleep(writer.look_s)
