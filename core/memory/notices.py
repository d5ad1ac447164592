"""What other processes tell through PostgreSQL: something is in the inbox.

LISTEN belongs to one connection, so there is one of its own for it, outside every pool. Notices that were sent while it
was away are gone; so each new connection begins by looking. SQLite has no such thing, and one process.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from core.errors import DatabaseAway, StorageError
from core.memory.address import Address
from core.memory.database import Database
from core.memory.failures import explained
from core.memory.inbox import CHANNEL, URGENT

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class NoticeLimits:
    connect_timeout_s: float = 10.0
    #: So often the connection is asked whether it still is one.
    look_s: float = 30.0
    look_timeout_s: float = 10.0
    #: Before it connects anew; twice as long after each next failure.
    first_pause_s: float = 0.5
    longest_pause_s: float = 30.0


DEFAULT_LIMITS = NoticeLimits()


class _Connection(Protocol):
    """As far as asyncpg's is needed here."""

    async def add_listener(self, channel: str, callback: Callable[..., None]) -> None: ...
    def add_termination_listener(self, callback: Callable[..., None]) -> None: ...
    async def execute(self, query: str, *, timeout: float) -> str: ...  # noqa: ASYNC109 - asyncpg's
    def terminate(self) -> None: ...


@asynccontextmanager
async def listening(
    database: Database, heard: Callable[[bool], None], limits: NoticeLimits = DEFAULT_LIMITS
) -> AsyncIterator[None]:
    """`heard` is called for every notice, with whether it is urgent, and whenever some may have been missed.

    The server may come and go.
    """
    if not database.knows_notify:
        yield
        return
    task = asyncio.create_task(_keep_listening(database.address, heard, limits))
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _keep_listening(address: Address, heard: Callable[[bool], None], limits: NoticeLimits) -> None:
    pause_s = limits.first_pause_s

    def hear(payload: str) -> None:
        nonlocal pause_s
        pause_s = limits.first_pause_s
        heard(payload == URGENT)

    while True:
        try:
            await _listen(address, hear, limits)
        except StorageError as error:
            logger.warning("no notices are heard: %s", error, extra={"action": "listen"})
        await asyncio.sleep(pause_s)
        pause_s = min(2 * pause_s, limits.longest_pause_s)


async def _listen(address: Address, hear: Callable[[str], None], limits: NoticeLimits) -> None:
    """Raises StorageError when the connection is lost."""
    lost = asyncio.Event()
    with explained(address):
        connection = await _connect(address, limits)
        try:
            connection.add_termination_listener(lambda *_: lost.set())
            await connection.add_listener(CHANNEL, lambda _connection, _pid, _channel, payload: hear(payload))
            hear(URGENT)
            while not lost.is_set():
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(lost.wait(), limits.look_s)
                    break
                await connection.execute("SELECT 1", timeout=limits.look_timeout_s)
        finally:
            connection.terminate()
    raise DatabaseAway(f"The connection to PostgreSQL at {address.place} was lost")


async def _connect(address: Address, limits: NoticeLimits) -> _Connection:
    """With the same words as SQLAlchemy connects."""
    import asyncpg

    _, options = address.url.get_dialect()().create_connect_args(address.url)
    settings = {"application_name": "banter notices"}
    connection: _Connection = await asyncpg.connect(
        **options, timeout=limits.connect_timeout_s, server_settings=settings
    )
    return connection
