"""The connection that all requests of this program share, made anew where it was lost."""

import asyncio
import logging

from core.errors import EngineUnavailable
from core.generation import peer
from core.generation.exchange import EngineLost
from core.generation.launcher import EngineProcess
from core.generation.link import EngineHung, Link

logger = logging.getLogger(__name__)

#: After an engine that was lost before it had done anything; twice as long after each next one.
PAUSE_S = 0.1
_LONGEST_PAUSE_S = 5.0


class Connector:
    """Kills an engine that hangs, and has another one started."""

    def __init__(self, process: EngineProcess, silence_s: float) -> None:
        self._process = process
        self._silence_s = silence_s
        self._connecting: asyncio.Task[Link] | None = None
        #: Engines in a row that were lost before they had done anything.
        self._useless = 0
        self._closed = False

    async def link(self) -> Link:
        """Raises EngineUnavailable where no engine can be started, EngineLost where one ended right away."""
        if self._closed:
            raise EngineUnavailable("the program is ending: the engine is not asked any more")
        if self._connecting is None or _is_over(self._connecting):
            self._connecting = asyncio.create_task(self._connect(self._connecting))
        connecting = self._connecting
        await asyncio.wait({connecting})
        if connecting.cancelled():
            raise EngineLost
        return connecting.result()

    async def aclose(self) -> None:
        self._closed = True
        if self._connecting is None:
            return
        self._connecting.cancel()
        for link in await asyncio.gather(self._connecting, return_exceptions=True):
            if isinstance(link, Link):
                await link.aclose()

    async def _connect(self, earlier: asyncio.Task[Link] | None) -> Link:
        lost = _link_of(earlier)
        if lost is not None:
            logger.warning("the engine was lost", extra={"action": "engine_lost", "hung": lost.hung})
            await lost.aclose()
            if lost.hung:
                await peer.kill(lost.process)
        self._useless = self._useless + 1 if _was_useless(earlier) else 0
        await asyncio.sleep(pause_s(self._useless))
        connection = await self._process.connect()
        try:
            return await Link.over(connection, self._silence_s)
        except EngineHung as hung:
            await peer.kill(hung.link.process)
            raise EngineLost from None


def pause_s(useless: int) -> float:
    """How long to wait after so many engines in a row that were lost before they had done anything."""
    return min(PAUSE_S * 2.0 ** (useless - 1), _LONGEST_PAUSE_S) if useless else 0.0


def _is_over(connecting: asyncio.Task[Link]) -> bool:
    link = _link_of(connecting)
    return connecting.done() and (link is None or link.lost)


def _link_of(connecting: asyncio.Task[Link] | None) -> Link | None:
    if connecting is None or not connecting.done() or connecting.cancelled() or connecting.exception():
        return None
    return connecting.result()


def _was_useless(connecting: asyncio.Task[Link] | None) -> bool:
    """Whether an engine took the connection and was lost before it had done anything."""
    link = _link_of(connecting)
    if link is not None:
        return not link.useful
    failed = connecting is not None and not connecting.cancelled()
    return failed and connecting is not None and isinstance(connecting.exception(), EngineLost)
