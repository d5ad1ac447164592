"""The wire between a bot's process and the platform outside it: lines of JSON over a Unix socket.

A bot makes calls and acks events; the platform answers calls and hands over events. When a bot dies, nobody answers.
"""

import asyncio
import itertools
import json
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

from core.errors import StorageError
from tests.platforms.paper_platform import CallFailed, Trouble, Words
from tests.platforms.paper_sender import PaperEvent

Line = Mapping[str, object]


class BotsEnd:
    """The bot's end: implements `Wire`, and hands events to whoever accepts them."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._numbers = itertools.count(1)
        self._asked: dict[int, asyncio.Future[str]] = {}
        #: Called when a call is on its way.
        self.on_written: Callable[[str], None] = lambda _name: None

    async def __call__(self, name: str, words: Words) -> str:
        number = next(self._numbers)
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        try:
            write_line(self._writer, {"call": name, "number": number, "words": dict(words)})
            self.on_written(name)
            return str(await answer)
        finally:
            del self._asked[number]

    async def listen(self, accept: Callable[[PaperEvent], Awaitable[None]]) -> None:
        """Until the platform closes the line. What could not be kept is not acked."""
        acks: set[asyncio.Task[None]] = set()
        while line := await self._reader.readline():
            told = json.loads(line)
            if "event" in told:
                task = asyncio.create_task(self._take_in(PaperEvent(**told["event"]), accept))
                acks.add(task)
                task.add_done_callback(acks.discard)
            else:
                self._hear(told)

    async def _take_in(self, event: PaperEvent, accept: Callable[[PaperEvent], Awaitable[None]]) -> None:
        try:
            await accept(event)
        except StorageError:
            return
        write_line(self._writer, {"ack": event.id})

    def _hear(self, told: Mapping[str, object]) -> None:
        answer = self._asked.get(int(str(told["number"])))
        if answer is None or answer.done():
            return
        if "trouble" in told:
            answer.set_exception(CallFailed(Trouble(str(told["trouble"])), float(str(told["retry_after_s"]))))
        else:
            answer.set_result(str(told["answer"]))


async def connect(socket: Path, name: str) -> BotsEnd:
    reader, writer = await asyncio.open_unix_connection(socket)
    write_line(writer, {"bot": name})
    return BotsEnd(reader, writer)


def write_line(writer: asyncio.StreamWriter, line: Line) -> None:
    writer.write(json.dumps(line).encode() + b"\n")
