"""A connection to SQLite that carries out a whole piece of work in its own thread.

aiosqlite gives every connection a thread, and sends each call there and its result back: four ways for one statement,
each of them a wait for two threads' turns. Here a coroutine that speaks to nothing but its connection is sent there
once: while it runs in that thread, the same calls are made on the spot, and none of its awaits waits.
"""

import asyncio
import contextlib
import sqlite3
import threading
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeVar

import aiosqlite

_Result = TypeVar("_Result")


class ThreadConnection(aiosqlite.Connection):
    """See `connect`."""

    async def carry_out(self, work: Callable[[], Coroutine[Any, Any, _Result]]) -> _Result:
        """What `work` gives, or raises. It is carried out to its end even if whoever waits for it is cancelled."""
        done = asyncio.ensure_future(self._execute(partial(_drive, work)))
        try:
            result: _Result = await asyncio.shield(done)
        except asyncio.CancelledError:
            while not done.done():  # the connection is free only then, however often somebody is cancelled
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.wait([done])
            raise
        return result

    async def rollback(self) -> None:
        """The pool asks for one whenever a connection comes back."""
        if self.in_transaction:
            await super().rollback()

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if threading.current_thread() is not self._thread:
            return await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call] # aiosqlite has no types there
        return fn(*args, **kwargs)


def connect(file: str, **named: Any) -> ThreadConnection:
    """Opens nothing before it is awaited. `named` is as for `sqlite3.connect`."""
    connection = ThreadConnection(partial(sqlite3.connect, file, **named), iter_chunk_size=64)
    connection._thread.daemon = True  # a program that is killed does not wait for it
    return connection


def _drive(work: Callable[[], Coroutine[Any, Any, _Result]]) -> _Result:
    coroutine = work()
    try:
        coroutine.send(None)
    except StopIteration as end:
        result: _Result = end.value
        return result
    coroutine.close()
    raise RuntimeError("work in a connection's thread waits for nothing but its connection")
