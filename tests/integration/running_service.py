"""A service in the test's own process, with a platform in memory, that is ended as an operator ends it."""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2
from pydantic import SecretStr

from bots.readiness import WriterState
from bots.service import Opened, answer_people
from bots.walk import Account
from core.dialogue import Platform
from core.edge import Edge
from core.memory.database import Database
from core.memory.upgrade import prepare
from core.ports import Accept, Arrival
from core.settings.service import WebSettings
from core.settings.settings import DatabaseSettings, Settings
from tests.integration.walk_stage import BOT, PLATFORMS, Board, SteadyModel, new_splitter, open_voices

DEADLINE_S = 30.0


class OpenReceiver:
    """Hands over what a test says."""

    def __init__(self) -> None:
        self._accept: asyncio.Future[Accept] = asyncio.get_running_loop().create_future()

    async def run(self, accept: Accept) -> None:
        self._accept.set_result(accept)
        await asyncio.Event().wait()

    async def hand_over(self, *arrivals: Arrival) -> None:
        async with asyncio.timeout(DEADLINE_S):
            accept = await asyncio.shield(self._accept)
        await accept(arrivals)


class ToldWriter:
    """Is as ready as it is told to be."""

    look_s = 0.01

    def __init__(self) -> None:
        self.state = WriterState(ready=True, waiting=3, running=2)

    async def look(self) -> WriterState:
        return self.state

    async def aclose(self) -> None: ...


@dataclass(frozen=True, slots=True)
class RunningService:
    board: Board
    receiver: OpenReceiver
    writer: ToldWriter
    web: httpx2.AsyncClient

    async def get(self, path: str) -> httpx2.Response:
        return await self.web.get(path)

    async def becomes(self, path: str, status: int) -> httpx2.Response:
        """What is looked at now and then shows a little later."""
        async with asyncio.timeout(DEADLINE_S):
            while (answer := await self.get(path)).status_code != status:  # noqa: ASYNC110 - over HTTP nobody tells
                await asyncio.sleep(0.01)
        return answer


@asynccontextmanager
async def running_service(
    folder: Path, model: SteadyModel | None = None, board: Board | None = None
) -> AsyncIterator[RunningService]:
    """Until SIGTERM at the end of the block."""
    url = SecretStr(f"sqlite:///{folder / 'banter.db'}")
    settings = Settings(database=DatabaseSettings(url=url), web=WebSettings(port=free_port()))
    board, receiver, writer = board or Board(PLATFORMS["discord"]), OpenReceiver(), ToldWriter()
    account = Account(Platform.DISCORD, BOT, Edge(board, new_splitter), receiver)
    async with Database(settings.database_url) as database:
        await prepare(database)
        opened = Opened(database, model or SteadyModel(), open_voices(folder), writer, b"secret")
        serving = asyncio.create_task(answer_people(settings, [account], opened))
        base = f"http://{settings.web.host}:{settings.web.port}"
        async with httpx2.AsyncClient(base_url=base, timeout=DEADLINE_S) as web:
            await receiver.hand_over()
            yield RunningService(board, receiver, writer, web)
            os.kill(os.getpid(), signal.SIGTERM)
            async with asyncio.timeout(DEADLINE_S):
                await serving


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])
