"""Places of processes that were killed on this machine: whoever runs goes on there, long before the leases expire.

What such a process sent in its last moment may still be on its way, and is looked for before it is sent again; so a
running process waits until it has found it gone twice. Other machines' processes are waited for until their leases
expire: nobody here can tell whether they live.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager

from core.errors import StorageError
from core.memory.leased import holder_of
from core.memory.leases import Leases
from core.process_name import has_ended

logger = logging.getLogger(__name__)

_LOOK_S = 3.0


@asynccontextmanager
async def taking_over(
    leases: Leases, wake: Callable[[bool], None], look_s: float = _LOOK_S
) -> AsyncIterator[asyncio.Task[None]]:
    """At once what was held before this process began, then what is left by those that end beside it.

    A database that is away says so elsewhere. The task never ends by itself.
    """
    with contextlib.suppress(StorageError):
        await _free(leases, await _ended(leases))
    looking = asyncio.create_task(_keep_looking(leases, wake, look_s))
    try:
        yield looking
    finally:
        looking.cancel()
        await asyncio.gather(looking, return_exceptions=True)  # whoever waits for it was told of its error


async def _keep_looking(leases: Leases, wake: Callable[[bool], None], look_s: float) -> None:
    seen: frozenset[str] = frozenset()
    while True:
        await asyncio.sleep(look_s)
        with contextlib.suppress(StorageError):
            ended = await _ended(leases)
            if await _free(leases, ended & seen):
                wake(False)
            seen = ended


async def _ended(leases: Leases) -> frozenset[str]:
    """Owners of leases who are gone."""
    return frozenset(owner for owner in await leases.others() if has_ended(holder_of(owner)))


async def _free(leases: Leases, owners: Collection[str]) -> int:
    freed = await leases.free_those_of(owners) if owners else 0
    if freed:
        logger.info("%s places of a process that was killed are free", freed, extra={"action": "lease"})
    return freed
