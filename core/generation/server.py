"""The engine's process: a local socket in front of the queue, and a thread that owns the device.

Any number of clients. The process ends by itself when it has had no client for a while, on SIGTERM, when it is told to
leave, and when its device hangs: the clients start another one and go on.
"""

import asyncio
import contextlib
import logging
import os
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import count
from pathlib import Path

from filelock import FileLock, Timeout
from pydantic import ValidationError

from core.dialogue import FinishReason
from core.errors import EngineUnavailable, QueueFull
from core.generation.device_thread import DEVICE_LOST, DeviceThread
from core.generation.engine import Engine, failed, never_begun
from core.generation.jobs import Job, JobKey
from core.generation.launcher import make_private
from core.generation.messages import (
    HEARTBEAT_S,
    LINE_LIMIT_BYTES,
    LOAD_TIMEOUT_S,
    PROTOCOL,
    Answer,
    Cancel,
    ClientMessage,
    Failed,
    Finished,
    Forget,
    Forgotten,
    Heartbeat,
    Hold,
    Inspect,
    Leave,
    Load,
    Loaded,
    ModelStatistics,
    Progress,
    Resume,
    Score,
    Scores,
    Started,
    Statistics,
    Submit,
    Welcome,
    client_messages,
    line,
)
from core.generation.queue import QueueLimits
from core.generation.request import ModelSpec
from core.generation.waiting_room import WaitingRoom

logger = logging.getLogger(__name__)

#: A client that doesn't read is dropped when so much waits for it.
UNREAD_LIMIT_BYTES = 8 * 1024 * 1024
#: How long a new process waits for one that is just leaving.
TAKE_OVER_S = 30.0
#: Those who wait hear of their place so often at most.
POSITIONS_S = 0.25

_LAST_ANSWERS = (Loaded, Finished, Scores, Failed)


@dataclass(frozen=True, slots=True)
class ServerLimits:
    queue: QueueLimits = field(default_factory=QueueLimits)
    #: Seconds without a client until the process ends.
    idle_s: float = 300.0
    #: Seconds in one step until the device is taken for hung.
    hang_s: float = 120.0


def serve(engine: Engine, socket: Path, limits: ServerLimits) -> None:
    """Serves until idle, told to leave or terminated. Raises EngineUnavailable when another process serves already."""
    make_private(socket.parent)
    try:
        with FileLock(socket.with_suffix(".lock"), timeout=TAKE_OVER_S):
            asyncio.run(Server(engine, limits).serve(socket))
    except Timeout:
        raise EngineUnavailable(f"another engine serves {socket} already") from None


class Server:
    """Takes requests in, hands them to the engine in fair order, streams their answers."""

    def __init__(self, engine: Engine, limits: ServerLimits) -> None:
        self._engine = engine
        self._limits = limits
        self._room = WaitingRoom(limits.queue, engine.most_running)
        self._jobs: dict[JobKey, Job] = {}
        #: Those that the engine has, by its name for them.
        self._in_engine: dict[str, Job] = {}
        self._numbers = count(1)
        self._clients: set[asyncio.StreamWriter] = set()
        self._leaving = asyncio.Event()
        self._idle_timer: asyncio.TimerHandle | None = None
        self._positions_timer: asyncio.TimerHandle | None = None

    async def serve(self, socket: Path) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._leaving.set)
        self._device = DeviceThread(self._engine, self._deliver, self._tell_loading)
        self._device.start()
        socket.unlink(missing_ok=True)
        listener = await asyncio.start_unix_server(self._serve_client, socket, limit=LINE_LIMIT_BYTES)
        socket.chmod(0o600)
        self._watch_idleness()
        heart = asyncio.create_task(self._beat())
        await self._leaving.wait()
        socket.unlink(missing_ok=True)
        listener.close()
        for writer in self._clients:
            writer.close()
        heart.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await heart
        self._device.stop()

    async def _serve_client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients.add(writer)
        self._watch_idleness()
        try:
            _send(writer, Welcome(protocol=PROTOCOL, device=self._engine.device, pid=os.getpid()))
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
            message: ClientMessage = client_messages.validate_json(received)
        except ValidationError as error:
            raise ValueError(
                f"a line that is no message of protocol {PROTOCOL} ({error.error_count()} errors)"
            ) from None
        match message:
            case Leave():
                self._leaving.set()
            case Load() | Submit() | Score():
                self._admit(client, message)
            case Cancel():
                self._end((client, message.id), FinishReason.CANCELLED)
            case Hold() | Resume():
                self._hold((client, message.id), held=isinstance(message, Hold))
            case Inspect():
                self._device.ask(partial(self._tell_statistics, client, message.id))
            case Forget():
                self._forget_sessions(client, message)

    def _admit(self, client: asyncio.StreamWriter, message: Load | Submit | Score) -> None:
        key = (client, message.id)
        if key in self._jobs:
            raise ValueError(f"two requests with the id {message.id}")
        timeout_s = LOAD_TIMEOUT_S if isinstance(message, Load) else message.timeout_s
        expiry = asyncio.get_running_loop().call_later(timeout_s, self._end, key, FinishReason.DEADLINE)
        job = Job(key, str(next(self._numbers)), message, expiry, partial(_send, client))
        try:
            job.position = self._room.enter(job)
        except QueueFull as error:
            expiry.cancel()
            job.answer(failed(message.id, error))
            return
        self._jobs[key] = job
        self._dispatch()
        if self._room.holds(job):
            job.answer(self._progress(job))
            self._plan_positions()

    def _forget_sessions(self, client: asyncio.StreamWriter, message: Forget) -> None:
        for job in self._jobs.values():
            job.forget(message.sessions)
        self._device.forget(message.sessions, lambda slots: _send(client, Forgotten(id=message.id, slots=slots)))

    def _dispatch(self) -> None:
        """Hands over what the engine has room for."""
        while (job := self._room.next()) is not None:
            if job.engine_id in self._in_engine:
                self._device.hold(job.engine_id, held=False)
                continue
            self._in_engine[job.engine_id] = job
            job.answer(Started(id=job.message.id))  # before it can do any harm
            self._device.submit(job.message.model_copy(update={"id": job.engine_id}))

    def _deliver(self, answers: Sequence[Answer]) -> None:
        for answer in answers:
            job = self._in_engine.get(answer.id)
            if job is None:
                continue
            if isinstance(answer, _LAST_ANSWERS):
                self._forget(job)
            job.tell(answer)
        if any(isinstance(answer, _LAST_ANSWERS) for answer in answers):
            self._dispatch()

    def _end(self, key: JobKey, reason: FinishReason) -> None:
        """Ends a waiting job now and a running one after the present step."""
        job = self._jobs.get(key)
        if job is None:
            return
        if job.engine_id in self._in_engine:
            self._device.end(job.engine_id, reason)
        else:
            self._room.leave(job)
            self._forget(job)
            job.tell(never_begun(job.message, reason))
            self._dispatch()  # others may have waited for it: nothing goes before what has to run alone

    def _hold(self, key: JobKey, *, held: bool) -> None:
        """A reader that is far behind gives its place to others, and waits for one when it has caught up."""
        job = self._jobs.get(key)
        if job is None or job.engine_id not in self._in_engine:
            return
        if held:
            self._room.pause(job)
            self._device.hold(job.engine_id, held=True)
        else:
            self._room.resume(job)
        self._dispatch()

    def _forget(self, job: Job) -> None:
        job.expiry.cancel()
        del self._jobs[job.key]
        if self._in_engine.pop(job.engine_id, None) is not None:
            self._room.served(job)
        self._plan_positions()

    def _plan_positions(self) -> None:
        if self._positions_timer is None and len(self._room):
            self._positions_timer = asyncio.get_running_loop().call_later(POSITIONS_S, self._tell_positions)

    def _tell_positions(self) -> None:
        self._positions_timer = None
        for position, job in self._room.positions():
            if position != job.position:
                job.position = position
                job.answer(self._progress(job))

    def _progress(self, job: Job) -> Progress:
        wait_s = self._room.expected_wait_s(job.position)
        return Progress(id=job.message.id, position=job.position, expected_wait_s=wait_s)

    def _tell_loading(self, spec: ModelSpec, fraction: float) -> None:
        """Everyone in the engine waits for a model while it is loaded."""
        for job in self._in_engine.values():
            job.answer(Progress(id=job.message.id, loading=spec.name, fraction=fraction))

    def _tell_statistics(
        self, client: asyncio.StreamWriter, message_id: str, models: Sequence[ModelStatistics]
    ) -> None:
        statistics = Statistics(
            id=message_id,
            device=self._engine.device,
            waiting=len(self._room),
            running=len(self._in_engine),
            expected_wait_s=self._room.expected_wait_s(len(self._room)),
            models=tuple(models),
        )
        _send(client, statistics)

    async def _beat(self) -> None:
        """Says that this process lives, and ends it when its device does not."""
        while True:
            await asyncio.sleep(HEARTBEAT_S)
            if self._device.silent_s > self._limits.hang_s:
                logger.critical("the device hangs", extra={"action": "device_hangs", "silent_s": self._device.silent_s})
                os._exit(DEVICE_LOST)
            for client in self._clients:
                _send(client, Heartbeat())

    def _watch_idleness(self) -> None:
        if self._idle_timer is not None:
            self._idle_timer.cancel()
            self._idle_timer = None
        if not self._clients:
            loop = asyncio.get_running_loop()
            self._idle_timer = loop.call_later(self._limits.idle_s, self._leaving.set)


def _send(writer: asyncio.StreamWriter, answer: Answer | Welcome | Heartbeat) -> None:
    if writer.is_closing():
        return
    writer.write(line(answer))
    if writer.transport.get_write_buffer_size() > UNREAD_LIMIT_BYTES:
        writer.transport.abort()
