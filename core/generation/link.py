"""One connection to the engine that many requests share."""

import asyncio
import logging
import time

import psutil
from pydantic import BaseModel

from core.errors import EngineUnavailable
from core.generation.launcher import Connection, EngineProcess
from core.generation.messages import PROTOCOL, Answer, Leave, Welcome, engine_messages, line

logger = logging.getLogger(__name__)

#: How long a new connection waits for the engine's first line.
WELCOME_TIMEOUT_S = 10.0
#: How long an engine that was asked to leave may take for it.
LEAVE_TIMEOUT_S = 30.0


class EngineLost(EngineUnavailable):
    """The engine ended before its answer did. A request that can go on in a new engine does."""

    def __init__(self) -> None:
        super().__init__("the engine ended in the middle of its work; see engine.log in the data folder")


class Link:
    """Sends messages, and sorts the answers by the request that they belong to."""

    def __init__(self, connection: Connection, welcome: Welcome) -> None:
        self.welcome = welcome
        self._reader, self._writer = connection
        # Bounded by the request: its tokens, its changes of position and the steps of a loading model.
        self._answers: dict[str, asyncio.Queue[Answer | None]] = {}
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def over(cls, connection: Connection) -> "Link":
        """Raises EngineLost when the engine was just leaving, EngineUnavailable when the other side is none."""
        reader, writer = connection
        try:
            async with asyncio.timeout(WELCOME_TIMEOUT_S):
                first = await reader.readline()
            if not first:
                raise EngineLost
            welcome = engine_messages.validate_json(first)
            if isinstance(welcome, Welcome) and welcome.protocol == PROTOCOL:
                return cls(connection, welcome)
        except ConnectionError:
            writer.close()
            raise EngineLost from None
        except (TimeoutError, ValueError):  # ValueError: no message, or too long a line
            pass
        except BaseException:
            writer.close()
            raise
        writer.close()
        raise EngineUnavailable("what listens on the engine's socket is no engine of this version; end that process")

    @property
    def lost(self) -> bool:
        return self._reading.done()

    def open(self, request_id: str) -> asyncio.Queue[Answer | None]:
        """The answers to a request; None is the end of the connection."""
        answers: asyncio.Queue[Answer | None] = asyncio.Queue()
        if self.lost:
            answers.put_nowait(None)
        self._answers[request_id] = answers
        return answers

    def close(self, request_id: str) -> None:
        self._answers.pop(request_id, None)

    def send(self, message: BaseModel) -> None:
        if not self._writer.is_closing():
            self._writer.write(line(message))

    async def aclose(self) -> None:
        self._reading.cancel()
        await asyncio.gather(self._reading, return_exceptions=True)
        self._writer.close()

    async def _read(self) -> None:
        try:
            async for received in self._reader:
                message = engine_messages.validate_json(received)
                if not isinstance(message, Welcome) and message.id in self._answers:
                    self._answers[message.id].put_nowait(message)
        except (ConnectionError, ValueError) as error:
            logger.warning("the engine's connection ended: %s", error, extra={"action": "engine_lost"})
        finally:
            for answers in self._answers.values():
                answers.put_nowait(None)
            self._writer.close()


async def end_engine(process: EngineProcess) -> bool:
    """Asks the engine to leave and waits until its process is gone; False where none runs.

    Raises EngineUnavailable when it stays.
    """
    connection = await process.connect_if_running()
    if connection is None:
        return False
    link = await Link.over(connection)
    link.send(Leave())
    give_up_at = time.monotonic() + LEAVE_TIMEOUT_S
    while _runs(link.welcome.pid):
        if time.monotonic() >= give_up_at:
            raise EngineUnavailable(f"the engine does not end; see {process.log}")
        await asyncio.sleep(0.02)
    await link.aclose()
    return True


def _runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False
