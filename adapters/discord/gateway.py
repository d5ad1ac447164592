"""One shard's way to the gateway: a connection after the other, and a session that outlives them.

discord.py speaks the protocol: compression, heartbeats (from a thread of its own), resumption. Its `Client.connect` is
not used, and neither is its cache. That loop forgets a session where the first try to resume it fails, begins sessions
without looking at how many are left, and ends with whatever a malformed event makes its parsers raise. Here the parsers
give every event on as it is, and the loop is this one.
"""

import asyncio
import contextlib
import logging
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Protocol

import discord
import yarl
from discord.gateway import DiscordWebSocket, ReconnectWebSocket
from discord.http import Route

from adapters.discord.api import proxy_for, translated
from adapters.discord.application import Application
from adapters.discord.identify import Starts
from adapters.discord.refusals import WrongToken
from adapters.trouble import Pauses, Trouble
from core.errors import PlatformAway, PlatformError, RateLimited

logger = logging.getLogger(__name__)

_WRONG_TOKEN, _NO_SUCH_SHARD, _MORE_SHARDS, _OLD_VERSION = 4004, 4010, 4011, 4012
_NOT_GRANTED = frozenset({4013, 4014})
#: How a connection is closed: for good, or so that its session can be resumed.
_FOR_GOOD, _FOR_NOW = 1000, 4000
_CLOSE_S = 5.0


class Take(Protocol):
    """`Intake.take`."""

    def __call__(self, shard: int, kind: str, data: object, stamp: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Shard:
    id: int
    count: int


@dataclass(frozen=True, slots=True)
class LineOptions:
    token: str = field(repr=False)
    #: Until a connection is open.
    open_s: float = 30.0
    #: A connection on which nothing comes for so long is dead; heartbeats are answered more often.
    silence_s: float = 60.0
    #: One that ended sooner is followed by the next one after a pause, but for the first such.
    short_s: float = 10.0
    #: Before a session that replaces an invalid one, as Discord asks for.
    invalid_s: tuple[float, float] = (1.0, 5.0)
    pauses: Pauses = field(default_factory=Pauses)


@dataclass(frozen=True, slots=True)
class _Session:
    id: str
    sequence: int | None
    url: yarl.URL


class _Everything(dict[str, Callable[[Any], None]]):
    """In the place of discord.py's parsers: each event is given on."""

    def __init__(self, take: Callable[[str, object], None]) -> None:
        super().__init__()
        self._take = take

    def __missing__(self, kind: str) -> Callable[[Any], None]:
        return partial(self._take, kind)


class Line:
    def __init__(
        self, shard: Shard, application: Application, starts: Starts, take: Take, options: LineOptions
    ) -> None:
        self._shard = shard
        self._application = application
        self._starts = starts
        self._take = take
        self._options = options
        self._trouble = Trouble("discord", options.pauses)
        self._session: _Session | None = None
        self._socket: DiscordWebSocket | None = None
        #: Connections in a row that ended soon.
        self._shorts = 0

    async def run(self) -> None:
        """Until it is cancelled. Raises PlatformAway where Discord wants other shards."""
        clock = asyncio.get_running_loop().time
        while True:
            begun = clock()
            try:
                await self._listen()
            except ReconnectWebSocket as end:
                if not end.resume:
                    await asyncio.sleep(random.uniform(*self._options.invalid_s))  # noqa: S311
            except discord.ConnectionClosed as end:
                await self._closed(end.code)
            except WrongToken as error:
                await self._trouble.met("token", str(error), is_slow=True)
            except RateLimited as error:
                await self._trouble.met("limited", str(error), at_least_s=error.retry_after_s)
            except PlatformError as error:
                await self._trouble.met("away", f"{error}; what is said meanwhile is fetched later")
            await self._breathe(clock() - begun)

    async def _listen(self) -> None:
        """One connection, until it ends; it always ends by what it raises."""
        before = self._session
        how, is_broken = _FOR_NOW, False
        async with self._opened() as socket:
            try:
                while True:
                    await socket.poll_event()
            except asyncio.CancelledError:
                how = _FOR_GOOD
                raise
            except (ReconnectWebSocket, discord.ConnectionClosed):
                raise
            except Exception as error:  # noqa: BLE001 - its words may be a person's
                is_broken = True
                raise PlatformAway(f"what came from the gateway can't be read ({type(error).__name__})") from None
            finally:
                self._session = _session_of(socket)
                if is_broken and self._session == before:
                    self._session = None  # it would break at the same place for ever
                self._socket = None
                await _close(socket, how)

    @asynccontextmanager
    async def _opened(self) -> AsyncIterator[DiscordWebSocket]:
        """Raises PlatformError, ReconnectWebSocket."""
        session = self._session
        if session is not None:
            async with self._client() as client:
                self._socket = await self._connect(client, session.url, session)
                yield self._socket
            return
        async with self._client() as client:
            async with self._starts.turn(self._shard.id) as url:
                self._socket = await self._connect(client, yarl.URL(url), None)
            yield self._socket

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[discord.Client]:
        """It is a new one for each connection: what is left of one that failed to open goes with it."""
        client = _Client(
            intents=await self._application.intents(),
            shard_id=self._shard.id,
            shard_count=self._shard.count,
            heartbeat_timeout=self._options.silence_s,
            max_messages=None,
            chunk_guilds_at_startup=False,
            member_cache_flags=discord.MemberCacheFlags.none(),
            proxy=proxy_for(Route.BASE),
        )
        client.give_on(self._given)
        async with client:
            with translated():
                async with asyncio.timeout(self._options.open_s):
                    await client.http.static_login(self._options.token)
            yield client

    async def _connect(self, client: discord.Client, url: yarl.URL, session: _Session | None) -> DiscordWebSocket:
        with translated():
            async with asyncio.timeout(self._options.open_s):
                return await DiscordWebSocket.from_client(
                    client,
                    initial=True,
                    gateway=url,
                    shard_id=self._shard.id,
                    session=None if session is None else session.id,
                    sequence=None if session is None else session.sequence,
                    resume=session is not None,
                )

    def _given(self, kind: str, data: object) -> None:
        socket = self._socket
        stamp = "" if socket is None else f"{socket.session_id}.{socket.sequence}"
        if kind in ("READY", "RESUMED"):
            self._trouble.passed()
            extra = {"action": "receive", "platform": "discord", "shard": self._shard.id}
            logger.info("Discord is listened to (%s)", kind, extra=extra)
        self._take(self._shard.id, kind, data, stamp)

    async def _closed(self, code: int) -> None:
        """By Discord, with a code after which the same would fail again. Raises PlatformAway."""
        self._session = None
        if code in (_NO_SUCH_SHARD, _MORE_SHARDS, _OLD_VERSION):
            raise PlatformAway(f"Discord wants the bot to listen in another way ({code})")
        if code == _WRONG_TOKEN:
            await self._trouble.met("token", str(WrongToken()), is_slow=True)
        elif code in _NOT_GRANTED and not self._application.lose_content():
            await self._trouble.met("intents", f"Discord refuses what the bot wants to hear ({code})", is_slow=True)

    async def _breathe(self, lasted_s: float) -> None:
        """Discord ends connections now and then; ends that follow each other are slowed down."""
        self._shorts = self._shorts + 1 if lasted_s < self._options.short_s else 0
        if self._shorts > 1:
            pauses = self._options.pauses
            await asyncio.sleep(min(pauses.first_s * 2 ** min(self._shorts - 2, 10), pauses.longest_s))


class _Client(discord.Client):
    """A connection's; it remembers nothing."""

    def give_on(self, take: Callable[[str, object], None]) -> None:
        self._connection.parsers = _Everything(take)

    async def before_identify_hook(self, _shard_id: int | None, *, initial: bool = False) -> None:
        """`Starts` has waited already."""


def _session_of(socket: DiscordWebSocket) -> _Session | None:
    return _Session(socket.session_id, socket.sequence, socket.gateway) if socket.session_id else None


async def _close(socket: DiscordWebSocket, code: int) -> None:
    with contextlib.suppress(Exception):  # whatever is wrong with it, it is not used any more
        async with asyncio.timeout(_CLOSE_S):
            await socket.close(code)
