"""An engine without a model, which speaks the protocol and does what it is told to.

In the test's own process every answer is told by the test. As a process of its own, which can be killed and stopped,
it follows a script: the first engine on a socket its first word, the second one its second word, and so on; the last
word stands for all that follow. Its token at place n of a reply is always `token_at(n)`.
"""

import asyncio
import json
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

from pydantic import BaseModel

from core.dialogue import FinishReason
from core.generation.launcher import EngineProcess, make_private
from core.generation.messages import (
    LINE_LIMIT_BYTES,
    PROTOCOL,
    Answer,
    Cancel,
    ClientMessage,
    Finished,
    Heartbeat,
    Hypothesis,
    Load,
    Loaded,
    Score,
    Scores,
    Started,
    Statistics,
    Submit,
    Tokens,
    Welcome,
    client_messages,
    line,
)
from core.generation.request import Timings

DEADLINE_S = 30.0
HEARTBEAT_S = 0.02
M = TypeVar("M", bound=ClientMessage)


def token_at(place: int) -> int:
    return 20 + place % 60


class Connected:
    """A client, as the engine sees it."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        self._beating = asyncio.create_task(self._beat())

    def answer(self, *answers: Answer | Welcome) -> None:
        for answer in answers:
            self.writer.write(line(answer))

    def say(self, job: Submit, first: int, count: int) -> None:
        """The reply's tokens from place `first` on."""
        self.answer(Tokens(id=job.id, token_ids=tuple(map(token_at, range(first, first + count)))))

    def finish(self, job: Submit, count: int, reason: FinishReason = FinishReason.LENGTH) -> None:
        """The whole reply has `count` tokens."""
        drawn = Hypothesis(token_ids=tuple(map(token_at, range(count))), finish_reason=reason, log_probability=-1.0)
        self.answer(Finished(id=job.id, hypotheses=(drawn,) * job.sampling.candidates, timings=Timings(total_s=1.0)))

    async def aclose(self) -> None:
        self._beating.cancel()
        await asyncio.gather(self._beating, return_exceptions=True)
        self.writer.transport.abort()

    async def _beat(self) -> None:
        while not self.writer.is_closing():
            self.writer.write(line(Heartbeat()))
            await asyncio.sleep(HEARTBEAT_S)


class ScriptedEngine:
    """Answers nothing by itself."""

    def __init__(self, socket: Path) -> None:
        self.process = EngineProcess(socket, (sys.executable, "-c", "raise SystemExit('error: none')"), socket.parent)
        #: Whether it takes connections and welcomes nobody.
        self.silent = False
        #: Set with the first connection.
        self.came = asyncio.Event()
        self.clients: list[Connected] = []
        self._received: dict[type[BaseModel], asyncio.Queue[ClientMessage]] = {}

    async def __aenter__(self) -> Self:
        make_private(self.process.socket.parent)
        self._listener = await asyncio.start_unix_server(self._serve, self.process.socket, limit=LINE_LIMIT_BYTES)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.leave()

    @property
    def client(self) -> Connected:
        """The one that came last."""
        return self.clients[-1]

    async def receive(self, kind: type[M]) -> M:
        """The next message of a kind, from any client."""
        async with asyncio.timeout(DEADLINE_S):
            message = await self._queue(kind).get()
        assert isinstance(message, kind)
        return message

    def has_received(self, kind: type[BaseModel]) -> bool:
        return not self._queue(kind).empty()

    def stop_reading(self) -> None:
        for client in self.clients:
            client.writer.transport.pause_reading()  # type: ignore[attr-defined]

    async def begin(self) -> Submit:
        """The next request, started."""
        job = await self.receive(Submit)
        self.client.answer(Started(id=job.id))
        return job

    async def leave(self) -> None:
        """Nobody can connect any more."""
        self._listener.close()
        await self.die()

    async def die(self) -> None:
        """Every connection ends; whoever connects again meets a new engine."""
        for client in self.clients:
            await client.aclose()
        self.clients.clear()

    def _queue(self, kind: type[BaseModel]) -> asyncio.Queue[ClientMessage]:
        return self._received.setdefault(kind, asyncio.Queue())

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.came.set()
        connected = Connected(writer)
        self.clients.append(connected)
        if self.silent:
            return
        connected.answer(Welcome(protocol=PROTOCOL, device="none", pid=os.getpid()))
        try:
            async for received in reader:
                message = client_messages.validate_json(received)
                self._queue(type(message)).put_nowait(message)
        except ConnectionError:
            pass
        await connected.aclose()


class Script:
    """What an engine of a process of its own does with the jobs it is given.

    `answers` carries them out; `stalls` begins, says three tokens and nothing more; `dies` the same, and dies;
    `dies-waiting` dies before it begins; `mute` doesn't even welcome anybody.
    """

    def __init__(self, word: str) -> None:
        self._word = word

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self._word == "mute":
            await reader.read()
            return
        connected = Connected(writer)
        connected.answer(Welcome(protocol=PROTOCOL, device="none", pid=os.getpid()))
        try:
            async for received in reader:
                await self._carry_out(connected, client_messages.validate_json(received))
        except ConnectionError:
            pass
        await connected.aclose()

    async def _carry_out(self, client: Connected, job: ClientMessage) -> None:
        if self._word == "dies-waiting":
            os._exit(1)
        if isinstance(job, Submit | Load | Score):
            client.answer(Started(id=job.id))
        if isinstance(job, Submit):
            rest = job.sampling.max_new_tokens - len(job.prefix_ids)
            client.say(job, len(job.prefix_ids), rest if self._word == "answers" else 3)
        await client.writer.drain()
        if self._word == "dies":
            os._exit(1)
        if self._word == "answers":
            _finish(client, job)


def _finish(client: Connected, job: ClientMessage) -> None:
    match job:
        case Submit():
            client.finish(job, job.sampling.max_new_tokens)
        case Load():
            client.answer(Loaded(id=job.id))
        case Score():
            client.answer(Scores(id=job.id, log_probabilities=(-1.0,) * len(job.pairs)))
        case Cancel():
            pass


def scripted_process(folder: Path, *words: str) -> EngineProcess:
    make_private(folder)
    command = (sys.executable, "-P", str(Path(__file__)), str(folder), *words)
    return EngineProcess(folder / "engine.sock", command, folder / "engine.log", start_timeout_s=DEADLINE_S)


def pids(process: EngineProcess) -> list[int]:
    """Of all engines that were started on a socket."""
    starts = process.socket.with_name("starts")
    return [json.loads(start) for start in starts.read_text().splitlines()] if starts.exists() else []


def statistics(job_id: str) -> Statistics:
    return Statistics(id=job_id, device="none", waiting=2, running=3, expected_wait_s=4.5, models=())


async def _main(folder: Path, words: list[str]) -> None:
    starts = folder / "starts"
    with starts.open("a") as file:
        file.write(f"{os.getpid()}\n")
    number = len(starts.read_text().splitlines())
    script = Script(words[min(number, len(words)) - 1])
    socket = folder / "engine.sock"
    socket.unlink(missing_ok=True)
    async with await asyncio.start_unix_server(script.serve, socket, limit=LINE_LIMIT_BYTES):
        await asyncio.sleep(DEADLINE_S)


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1]), sys.argv[2:]))
