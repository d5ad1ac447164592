"""How a bot's process reaches the paper platform outside it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from bots.walk import Account
from core.errors import StorageError
from core.memory.database import Database
from core.ports import Accept
from tests.crash.fate import Fate
from tests.crash.wire import BotsEnd, connect
from tests.platforms.kinds import KINDS, Kind
from tests.platforms.paper_bot import account
from tests.platforms.paper_platform import Words
from tests.platforms.paper_sender import PaperEvent, Wire


@dataclass(frozen=True, slots=True)
class PaperPlace:
    """Implements `Place`."""

    socket: Path
    kind: str
    nonce_window_s: float

    @asynccontextmanager
    async def opened(self, name: str, fate: Fate, stop: asyncio.Event, _database: Database) -> AsyncIterator[Account]:
        line = await connect(self.socket, name)
        line.on_written = partial(fate.passes, "during")
        kind = replace(KINDS[self.kind], nonce_window_s=self.nonce_window_s)
        yield replace(account(kind, fated_wire(line, fate)), receiver=_LineReceiver(line, kind, stop))


def fated_wire(wire: Wire, fate: Fate) -> Wire:
    async def call(name: str, words: Words) -> str:
        fate.passes("before", name)
        answer = await wire(name, words)
        fate.passes("after", name)
        return answer

    return call


@dataclass(frozen=True, slots=True)
class _LineReceiver:
    """Implements `Receiver`. The bot ends with the line."""

    line: BotsEnd
    kind: Kind
    stop: asyncio.Event

    async def run(self, accept: Accept) -> None:
        async def take_in(event: PaperEvent) -> None:
            if self.stop.is_set():
                raise StorageError("a bot that ends takes nothing more in")
            await accept([event.arrival(self.kind)])

        await self.line.listen(take_in)
        self.stop.set()
