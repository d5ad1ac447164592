"""What many tasks ask of the database, together: what is asked for while one group is carried out makes the next one.

A commit waits for the disk, and every statement for a thread or a server; both are paid once for a whole group. Where
the database refuses a group, each item is carried out alone, so that a bad one fails alone.
"""

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar, cast

from sqlalchemy.ext.asyncio import AsyncConnection

from core.errors import DatabaseAway, StorageError
from core.measures import GROUPS_REFUSED, UNMEASURED, WRITE_GROUP, WRITE_S, Measures
from core.memory.database import Database, Work

logger = logging.getLogger(__name__)

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_Item_contra = TypeVar("_Item_contra", contravariant=True)
_Result_co = TypeVar("_Result_co", covariant=True)


class Operation(Protocol[_Item_contra, _Result_co]):
    """Named statements over any number of items, over a connection; where they write, in a transaction that is open."""

    def __call__(
        self, database: Database, connection: AsyncConnection, items: Sequence[_Item_contra], /
    ) -> Awaitable[Sequence[_Result_co | StorageError]]:
        """One result for each item, or why that one was not carried out; then nothing of it was written."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class _Asked:
    operation: Operation[object, object]
    item: object
    result: asyncio.Future[object]


class _Grouped(ABC):
    """One group at a time; any number of tasks may ask."""

    def __init__(self, database: Database, group_limit: int, waiting_limit: int, measures: Measures) -> None:
        self.database = database
        self._measures = measures
        self._group_limit = group_limit
        self._room = asyncio.Semaphore(waiting_limit)
        self._asked: deque[_Asked] = deque()
        self._working: asyncio.Task[None] | None = None

    async def _ask(self, operation: Operation[_Item, _Result], item: _Item) -> _Result:
        async with self._room:
            result: asyncio.Future[object] = asyncio.get_running_loop().create_future()
            self._asked.append(_Asked(cast("Operation[object, object]", operation), item, result))
            if self._working is None:
                self._working = asyncio.create_task(self._work())
            return cast("_Result", await result)

    async def aclose(self) -> None:
        """What was asked for is done first."""
        if self._working is not None:
            await self._working

    async def _work(self) -> None:
        try:
            while self._asked:
                count = min(len(self._asked), self._group_limit)
                await self._carry_out([self._asked.popleft() for _ in range(count)])
        finally:
            self._working = None

    async def _carry_out(self, group: Sequence[_Asked]) -> None:
        try:
            results = await self._together(partial(self._all, group))
        except DatabaseAway as error:
            results = dict.fromkeys(group, error)
        except Exception as error:  # noqa: BLE001 - what the others asked goes on; whoever asked gets the error
            if len(group) > 1:
                kind = type(error.__cause__ or error).__name__
                logger.warning("a group of %s was refused: %s", len(group), kind, extra={"action": "group"})
                self._measures.count(GROUPS_REFUSED)
                for asked in group:
                    await self._carry_out([asked])
                return
            results = dict.fromkeys(group, error)
        for asked in group:
            _tell(asked.result, results[asked])

    @abstractmethod
    async def _together(self, work: Work[Mapping[_Asked, object]]) -> Mapping[_Asked, object]:
        """Carries out the work of a group. Raises StorageError."""

    async def _all(self, group: Sequence[_Asked], connection: AsyncConnection) -> Mapping[_Asked, object]:
        results: dict[_Asked, object] = {}
        for operation in dict.fromkeys(asked.operation for asked in group):
            of_it = [asked for asked in group if asked.operation == operation]
            found = await operation(self.database, connection, [asked.item for asked in of_it])
            results.update(zip(of_it, found, strict=True))
        return results


class GroupedWrites(_Grouped):
    """One transaction at a time."""

    def __init__(
        self,
        database: Database,
        group_limit: int = 256,
        waiting_limit: int = 4096,
        measures: Measures = UNMEASURED,
    ) -> None:
        super().__init__(database, group_limit, waiting_limit, measures)

    async def write(self, operation: Operation[_Item, _Result], item: _Item) -> _Result:
        """Committed when it returns. Raises StorageError: nothing of this item was written.

        A caller that is cancelled does not know whether it was.
        """
        return await self._ask(operation, item)

    async def _together(self, work: Work[Mapping[_Asked, object]]) -> Mapping[_Asked, object]:
        begin = time.perf_counter()
        results = await self.database.write(work)
        self._measures.observe(WRITE_S, time.perf_counter() - begin)
        self._measures.observe(WRITE_GROUP, len(results))
        return results


class GroupedReads(_Grouped):
    """Over one connection, one after another: a way to the database costs more than a short query."""

    def __init__(self, database: Database, group_limit: int = 32, waiting_limit: int = 4096) -> None:
        super().__init__(database, group_limit, waiting_limit, UNMEASURED)

    async def read(self, operation: Operation[_Item, _Result], item: _Item) -> _Result:
        """Raises StorageError."""
        return await self._ask(operation, item)

    async def _together(self, work: Work[Mapping[_Asked, object]]) -> Mapping[_Asked, object]:
        return await self.database.read(work)


def _tell(future: asyncio.Future[object], result: object) -> None:
    if future.done():
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
