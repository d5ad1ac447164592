"""Writes of many tasks in one transaction: what is asked for while one transaction runs goes together into the next.

A commit waits for the disk, and every statement for a thread or a server; both are paid once for a whole group. Where
the database refuses a group, each item is carried out alone, so that a bad one fails alone.
"""

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Protocol, TypeVar, cast

from sqlalchemy.ext.asyncio import AsyncConnection

from core.errors import DatabaseAway, StorageError
from core.measures import GROUPS_REFUSED, UNMEASURED, WRITE_GROUP, WRITE_S, Measures
from core.memory.database import Database

logger = logging.getLogger(__name__)

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")
_Item_contra = TypeVar("_Item_contra", contravariant=True)
_Result_co = TypeVar("_Result_co", covariant=True)


class Operation(Protocol[_Item_contra, _Result_co]):
    """Named statements over any number of items, in a transaction that is open."""

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


class GroupedWrites:
    """One transaction at a time; any number of tasks may ask."""

    def __init__(
        self,
        database: Database,
        group_limit: int = 128,
        waiting_limit: int = 4096,
        measures: Measures = UNMEASURED,
    ) -> None:
        self.database = database
        self._measures = measures
        self._group_limit = group_limit
        self._room = asyncio.Semaphore(waiting_limit)
        self._asked: deque[_Asked] = deque()
        self._writing: asyncio.Task[None] | None = None

    async def write(self, operation: Operation[_Item, _Result], item: _Item) -> _Result:
        """Committed when it returns. Raises StorageError: nothing of this item was written.

        A caller that is cancelled does not know whether it was.
        """
        async with self._room:
            result: asyncio.Future[object] = asyncio.get_running_loop().create_future()
            self._asked.append(_Asked(cast("Operation[object, object]", operation), item, result))
            if self._writing is None:
                self._writing = asyncio.create_task(self._write_all())
            return cast("_Result", await result)

    async def aclose(self) -> None:
        """What was asked for is written first."""
        if self._writing is not None:
            await self._writing

    async def _write_all(self) -> None:
        try:
            while self._asked:
                count = min(len(self._asked), self._group_limit)
                await self._write_group([self._asked.popleft() for _ in range(count)])
        finally:
            self._writing = None

    async def _write_group(self, group: Sequence[_Asked]) -> None:
        try:
            results = await self._in_one_transaction(group)
        except DatabaseAway as error:
            results = [error] * len(group)
        except Exception as error:  # noqa: BLE001 - the writes of the others go on; whoever asked gets the error
            if len(group) > 1:
                kind = type(error.__cause__ or error).__name__
                logger.warning("a group of %s writes was refused: %s", len(group), kind, extra={"action": "write"})
                self._measures.count(GROUPS_REFUSED)
                for asked in group:
                    await self._write_group([asked])
                return
            results = [error]
        for asked, result in zip(group, results, strict=True):
            _tell(asked.result, result)

    async def _in_one_transaction(self, group: Sequence[_Asked]) -> list[object]:
        begin = time.perf_counter()
        results = await self.database.write(partial(self._carry_out, group))
        self._measures.observe(WRITE_S, time.perf_counter() - begin)
        self._measures.observe(WRITE_GROUP, len(group))
        return [results[asked] for asked in group]

    async def _carry_out(self, group: Sequence[_Asked], connection: AsyncConnection) -> Mapping[_Asked, object]:
        results: dict[_Asked, object] = {}
        for operation in dict.fromkeys(asked.operation for asked in group):
            of_it = [asked for asked in group if asked.operation == operation]
            found = await operation(self.database, connection, [asked.item for asked in of_it])
            results.update(zip(of_it, found, strict=True))
        return results


def _tell(future: asyncio.Future[object], result: object) -> None:
    if future.done():
        return
    if isinstance(result, Exception):
        future.set_exception(result)
    else:
        future.set_result(result)
