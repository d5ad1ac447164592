"""One connection to the engine that many requests share.

Nobody who is slow stops the reading: every answer is sorted at once to the request that it belongs to.
"""

import asyncio
import contextlib
import logging
from collections.abc import Iterator, Sequence
from typing import Self

from core.errors import EngineUnavailable, RequestFailed
from core.generation import peer
from core.generation.exchange import EngineLost, Exchange, Job
from core.generation.launcher import Connection, EngineProcess
from core.generation.messages import (
    LINE_LIMIT_BYTES,
    PROTOCOL,
    ClientMessage,
    EngineMessage,
    Failed,
    Finished,
    Forget,
    Forgotten,
    Heartbeat,
    Inspect,
    Leave,
    Loaded,
    Scores,
    Statistics,
    Welcome,
    engine_messages,
    line,
)

logger = logging.getLogger(__name__)

#: An engine that says nothing for so long, though it is asked something, hangs.
SILENCE_S = 15.0
#: So often the silence is looked at. A pause of this program itself counts as one look, however long it was.
_LOOKS = 10
#: How long an engine that was asked to leave may take for it.
LEAVE_TIMEOUT_S = 30.0
#: How long an engine may take to say how it is.
INSPECT_TIMEOUT_S = 10.0
#: How long the last words may take to the engine.
_CLOSE_TIMEOUT_S = 1.0


class EngineHung(EngineUnavailable):
    """The engine takes connections and says nothing; whoever needs it kills it and starts another."""

    def __init__(self, link: "Link") -> None:
        super().__init__("the engine hangs; `banter engine --stop` ends it, and the next request starts another")
        self.link = link


class Link:
    """Sends jobs, and sorts the answers."""

    def __init__(self, connection: Connection, silence_s: float) -> None:
        self._reader, self._writer = connection
        self._silence_s = silence_s
        self._exchanges: dict[str, Exchange] = {}
        self._welcome: Welcome | None = None
        #: Set when the engine has said its first word, or nothing more can come.
        self._met = asyncio.Event()
        self._foreign = False
        self._lines = 0
        self._sending = asyncio.Lock()
        #: The engine's process; None where that is not known.
        self.process = peer.listener(self._writer)
        #: Whether it was given up because of its silence.
        self.hung = False
        #: Whether the engine has carried out anything for it.
        self.useful = False
        self._reading = asyncio.create_task(self._read())
        self._watching = asyncio.create_task(self._watch())

    @classmethod
    async def over(cls, connection: Connection, silence_s: float = SILENCE_S) -> Self:
        """Raises EngineLost when the engine was just leaving, EngineHung when it says nothing, EngineUnavailable
        when the other side is none.
        """
        link = cls(connection, silence_s)
        try:
            await link._meet()
        except BaseException:
            await link.aclose()
            raise
        return link

    @property
    def welcome(self) -> Welcome:
        if self._welcome is None:
            raise EngineLost
        return self._welcome

    @property
    def lost(self) -> bool:
        return self._reading.done()

    async def ask(self, job: Job) -> Exchange:
        """Sends a job as soon as the engine has read most of what was sent before.

        Raises EngineLost, and RequestFailed for a job that is too long.
        """
        exchange = Exchange(job, self.send)
        asked = line(job.model_copy(update={"id": exchange.id}))
        if len(asked) > LINE_LIMIT_BYTES:
            raise RequestFailed(f"the request has {len(asked):,} bytes; the engine takes {LINE_LIMIT_BYTES:,}")
        async with self._sending:
            try:
                await self._writer.drain()
            except OSError:
                raise EngineLost from None
            if self.lost:
                raise EngineLost
            self._exchanges[exchange.id] = exchange
            self._writer.write(asked)
        return exchange

    @contextlib.contextmanager
    def closing(self, exchange: Exchange) -> Iterator[Exchange]:
        """In the end nobody reads its answers any more, and it is called off where it has not ended."""
        try:
            yield exchange
        finally:
            del self._exchanges[exchange.id]
            exchange.cancel()

    def send(self, message: ClientMessage) -> None:
        """Short words about jobs, few for each: they need not wait until the engine reads."""
        if not self._writer.is_closing():
            self._writer.write(line(message))

    async def aclose(self) -> None:
        self._writer.close()
        try:
            async with asyncio.timeout(_CLOSE_TIMEOUT_S):
                await self._writer.wait_closed()
        except (OSError, TimeoutError):
            self._writer.transport.abort()
        for task in (self._reading, self._watching):
            task.cancel()
        await asyncio.gather(self._reading, self._watching, return_exceptions=True)

    async def _meet(self) -> None:
        await self._met.wait()
        if self.hung:
            raise EngineHung(self)
        if self._foreign or (self._welcome is not None and self._welcome.protocol != PROTOCOL):
            raise EngineUnavailable(
                "what listens on the engine's socket is no engine of this version; end that process"
            )
        if self._welcome is None:
            raise EngineLost

    async def _read(self) -> None:
        try:
            async for received in self._reader:
                self._lines += 1
                self._sort(engine_messages.validate_json(received))
        except OSError as error:
            logger.warning("the engine's connection ended: %s", error, extra={"action": "engine_lost"})
        except ValueError as error:  # no message, too long a line, or half of one
            self._foreign = self._welcome is None
            kind = type(error).__name__  # its words may be a reply's
            logger.warning("the engine said what nobody knows (%s)", kind, extra={"action": "engine_lost"})
        finally:
            for exchange in self._exchanges.values():
                exchange.lose()
            self._met.set()
            self._watching.cancel()
            self._writer.transport.abort()

    def _sort(self, message: EngineMessage) -> None:
        if isinstance(message, Welcome):
            self._welcome = message
            self.process = self.process or peer.named(message.pid)
            self._met.set()
        elif not isinstance(message, Heartbeat):
            self.useful |= isinstance(message, Loaded | Finished | Scores)
            if message.id in self._exchanges:
                self._exchanges[message.id].receive(message)

    async def _watch(self) -> None:
        silent = 0
        while silent < _LOOKS:
            heard = self._lines
            await asyncio.sleep(self._silence_s / _LOOKS)
            expected = bool(self._exchanges) or self._welcome is None
            silent = silent + 1 if expected and self._lines == heard else 0
        self.hung = True
        self._writer.transport.abort()


async def inspect_engine(process: EngineProcess) -> Statistics | None:
    """How the engine is; None where none runs. Raises EngineUnavailable."""
    connection = await process.connect_if_running()
    if connection is None:
        return None
    async with contextlib.aclosing(await Link.over(connection)) as link:
        try:
            async with asyncio.timeout(INSPECT_TIMEOUT_S):
                answer = await (await link.ask(Inspect(id=""))).next()
        except TimeoutError:
            raise EngineHung(link) from None
    if isinstance(answer, Statistics):
        return answer
    raise EngineUnavailable(answer.reason if isinstance(answer, Failed) else "the engine does not say how it is")


async def forget_in_engine(process: EngineProcess, sessions: Sequence[str]) -> int:
    """Nothing that the engine has read for these sessions is kept, () being all; how many slots held something.

    Where no engine runs there is nothing to forget. Raises EngineUnavailable.
    """
    connection = await process.connect_if_running()
    if connection is None:
        return 0
    try:
        link = await Link.over(connection)
    except EngineLost:
        return 0
    async with contextlib.aclosing(link):
        try:
            async with asyncio.timeout(INSPECT_TIMEOUT_S):
                answer = await (await link.ask(Forget(id="", sessions=tuple(sessions)))).next()
        except EngineLost:
            return 0
        except TimeoutError:
            raise EngineHung(link) from None
    if isinstance(answer, Forgotten):
        return answer.slots
    raise EngineUnavailable(answer.reason if isinstance(answer, Failed) else "the engine does not say what it forgot")


async def end_engine(process: EngineProcess) -> bool:
    """Asks the engine to leave and waits until its process is gone; kills it where it hangs. False where none runs.

    Raises EngineUnavailable when it stays.
    """
    connection = await process.connect_if_running()
    if connection is None:
        return False
    try:
        link = await Link.over(connection)
    except EngineHung as hung:
        await peer.kill(hung.link.process)
        return True
    except EngineLost:
        return True
    async with contextlib.aclosing(link):
        link.send(Leave())
        if not await peer.ended(link.process, LEAVE_TIMEOUT_S):
            raise EngineUnavailable(f"the engine does not end; see {process.log}")
    return True
