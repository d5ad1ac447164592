"""The engine's process: a local socket in front of the engine.

Any number of clients, one thread that owns the device. The process ends by itself when it has had no client for a
while, on SIGTERM, and when it is told to leave.
"""

import asyncio
import contextlib
import logging
import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import ValidationError

from core.dialogue import FinishReason
from core.errors import BanterError, EngineUnavailable, QueueFull, RequestFailed
from core.generation.engine import Engine
from core.generation.launcher import make_private
from core.generation.messages import (
    LINE_LIMIT_BYTES,
    LOAD_TIMEOUT_S,
    PROTOCOL,
    Answer,
    Cancel,
    Failed,
    Finished,
    Hypothesis,
    Leave,
    Load,
    Loaded,
    Progress,
    Score,
    Scores,
    Submit,
    Tokens,
    Welcome,
    client_messages,
    line,
)
from core.generation.queue import Control, Job, JobKey, Queue
from core.generation.request import Timings

logger = logging.getLogger(__name__)

#: A client that doesn't read is dropped when so much waits for it.
UNREAD_LIMIT_BYTES = 8 * 1024 * 1024
#: How long a new process waits for one that is just leaving.
TAKE_OVER_S = 30.0


@dataclass(frozen=True, slots=True)
class ServerLimits:
    #: Jobs that may wait; one more is refused.
    waiting: int = 64
    #: Seconds without a client until the process ends.
    idle_s: float = 300.0


def serve(engine: Engine, socket: Path, limits: ServerLimits) -> None:
    """Serves until idle, told to leave or terminated. Raises EngineUnavailable when another process serves already."""
    make_private(socket.parent)
    try:
        with FileLock(socket.with_suffix(".lock"), timeout=TAKE_OVER_S):
            asyncio.run(Server(engine, limits).serve(socket))
    except Timeout:
        raise EngineUnavailable(f"another engine serves {socket} already") from None


class Server:
    """Accepts jobs, runs them one after another, streams their answers."""

    def __init__(self, engine: Engine, limits: ServerLimits) -> None:
        self._engine = engine
        self._idle_s = limits.idle_s
        self._queue = Queue(limits.waiting)
        self._jobs: dict[JobKey, Job] = {}
        self._clients: set[asyncio.StreamWriter] = set()
        self._leaving = asyncio.Event()
        self._idle_timer: asyncio.TimerHandle | None = None

    async def serve(self, socket: Path) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._leaving.set)
        socket.unlink(missing_ok=True)
        listener = await asyncio.start_unix_server(self._serve_client, socket, limit=LINE_LIMIT_BYTES)
        socket.chmod(0o600)
        self._watch_idleness()
        runner = asyncio.create_task(self._run_jobs())
        await asyncio.wait([runner, asyncio.create_task(self._leaving.wait())], return_when=asyncio.FIRST_COMPLETED)
        socket.unlink(missing_ok=True)
        listener.close()
        for job in self._jobs.values():
            job.control.cancelled = True
        for writer in self._clients:
            writer.close()
        runner.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await runner

    async def _serve_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients.add(writer)
        self._watch_idleness()
        try:
            _send(writer, Welcome(protocol=PROTOCOL, device=str(self._engine.device), pid=os.getpid()))
            async for received in reader:
                self._receive(writer, received)
        except (ConnectionError, ValueError) as error:  # ValueError: too long a line, or none of the protocol
            logger.warning("dropped a client: %s", error, extra={"action": "drop"})
        finally:
            for key in [key for key in self._jobs if key[0] is writer]:
                self._end(key, FinishReason.CANCELLED)
            self._clients.discard(writer)
            self._watch_idleness()
            writer.close()

    def _receive(self, client: asyncio.StreamWriter, received: bytes) -> None:
        try:
            message = client_messages.validate_json(received)
        except ValidationError as error:
            raise ValueError(
                f"a line that is no message of protocol {PROTOCOL} ({error.error_count()} errors)"
            ) from None
        match message:
            case Cancel():
                self._end((client, message.id), FinishReason.CANCELLED)
            case Leave():
                self._leaving.set()
            case Load() | Submit() | Score():
                self._admit(client, message)

    def _admit(self, client: asyncio.StreamWriter, message: Load | Submit | Score) -> None:
        loop = asyncio.get_running_loop()
        timeout_s = LOAD_TIMEOUT_S if isinstance(message, Load) else message.timeout_s
        answer = partial(_send, client)

        def emit(token_id: int) -> None:
            loop.call_soon_threadsafe(answer, Tokens(id=message.id, token_ids=(token_id,)))

        def tell_loading(fraction: float) -> None:
            loop.call_soon_threadsafe(self._tell_loading, message, fraction)

        control = Control(deadline=time.monotonic() + timeout_s, emit=emit, loading=tell_loading)
        key = (client, message.id)
        if key in self._jobs:
            raise ValueError(f"two requests with the id {message.id}")
        job = Job(key, message, answer, control, loop.call_later(timeout_s, self._end, key, FinishReason.DEADLINE))
        ahead = len(self._jobs)
        try:
            self._queue.put(job)
        except QueueFull as error:
            job.expiry.cancel()
            answer(_failure(message.id, error))
            return
        self._jobs[key] = job
        if ahead:
            answer(Progress(id=message.id, position=ahead))

    def _tell_loading(self, loading: Load | Submit | Score, fraction: float) -> None:
        """Everyone waits for a model while it is loaded."""
        for job in self._jobs.values():
            job.answer(Progress(id=job.message.id, loading=loading.model.name, fraction=fraction))

    def _end(self, key: JobKey, reason: FinishReason) -> None:
        """Ends a waiting job now and a running one at its next token."""
        job = self._jobs.get(key)
        if job is None:
            return
        if reason is FinishReason.CANCELLED:
            job.control.cancelled = True
        if self._queue.remove(job):
            self._finish(key, _ended_early(job, reason))

    def _finish(self, key: JobKey, answer: Answer) -> None:
        job = self._jobs.pop(key)
        job.expiry.cancel()
        job.answer(answer)

    async def _run_jobs(self) -> None:
        loop = asyncio.get_running_loop()
        thread = ThreadPoolExecutor(1, thread_name_prefix="engine")
        try:
            while True:
                job = await self._queue.next()
                for position, waiting in self._queue.positions():
                    waiting.answer(Progress(id=waiting.message.id, position=position))
                answer = await loop.run_in_executor(thread, self._run, job)
                self._finish(job.key, answer)
        finally:
            thread.shutdown(wait=False)  # a model that is being loaded can't be called off

    def _run(self, job: Job) -> Answer:
        """In the engine's thread."""
        queue_s = time.monotonic() - job.arrived_at
        try:
            match job.message:
                case Load():
                    self._engine.load(job.message.model, job.control.loading)
                    return Loaded(id=job.message.id)
                case Score():
                    scores = self._engine.score(job.message.model, job.message.pairs, job.control)
                    return Scores(id=job.message.id, log_probabilities=scores)
                case Submit():
                    finished = self._engine.generate(job.message, job.control)
                    return finished.model_copy(update={"timings": replace(finished.timings, queue_s=queue_s)})
        except BanterError as error:
            return _failure(job.message.id, error)
        except Exception as error:  # the one supervised loop: a job may fail, the engine goes on
            logger.exception("a job failed", extra={"action": "job_failed"})
            return _failure(job.message.id, RequestFailed(f"the engine failed: {type(error).__name__}; see its log"))

    def _watch_idleness(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None
        if not self._clients:
            self._idle_timer = asyncio.get_running_loop().call_later(self._idle_s, self._leaving.set)


def _send(writer: asyncio.StreamWriter, answer: Answer | Welcome) -> None:
    if writer.is_closing():
        return
    writer.write(line(answer))
    if writer.transport.get_write_buffer_size() > UNREAD_LIMIT_BYTES:
        writer.transport.abort()


def _failure(job_id: str, error: BanterError) -> Failed:
    return Failed(id=job_id, error=type(error).__name__, reason=str(error))


def _ended_early(job: Job, reason: FinishReason) -> Answer:
    """The answer to a job that never ran."""
    message = job.message
    if not isinstance(message, Submit):
        return _failure(message.id, RequestFailed(f"{reason.value} while it waited"))
    nothing = Hypothesis(token_ids=message.prefix_ids, finish_reason=reason, log_probability=0.0)
    waited_s = time.monotonic() - job.arrived_at
    return Finished(
        id=message.id,
        hypotheses=(nothing,) * message.sampling.candidates,
        timings=Timings(queue_s=waited_s, total_s=waited_s),
    )
