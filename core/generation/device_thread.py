"""The one thread that touches the device: takes jobs in between steps and sends their answers to the event loop."""

import asyncio
import contextlib
import logging
import os
import queue
import threading
import time
from collections.abc import Callable, Collection, Sequence
from functools import partial

from core.dialogue import FinishReason
from core.generation.engine import Engine, Job
from core.generation.messages import Answer, ModelStatistics
from core.generation.request import ModelSpec

logger = logging.getLogger(__name__)

#: Exit code of a process whose device is lost.
DEVICE_LOST = 70

_Command = Callable[[], None]


class DeviceThread:
    """Owned by one event loop, on which `deliver` and `loading` are called."""

    def __init__(
        self,
        engine: Engine,
        deliver: Callable[[Sequence[Answer]], None],
        loading: Callable[[ModelSpec, float], None],
    ) -> None:
        self._engine = engine
        self._deliver = deliver
        self._loading = loading
        self._loop = asyncio.get_running_loop()
        # Bounded by what the server hands over: jobs that run, and one word for each of them.
        self._commands: queue.SimpleQueue[_Command | None] = queue.SimpleQueue()
        self._at_work_since: float | None = None
        self._thread = threading.Thread(target=self._run, name="engine", daemon=True)

    def start(self) -> None:
        self._engine.loading = self._beat_and_tell
        self._thread.start()

    @property
    def silent_s(self) -> float:
        """For how long it has been busy with the same step; 0 while it has nothing to do."""
        since = self._at_work_since
        return time.monotonic() - since if since is not None else 0.0

    def submit(self, job: Job) -> None:
        self._commands.put(partial(self._engine.submit, job))

    def end(self, job_id: str, reason: FinishReason) -> None:
        self._commands.put(partial(self._engine.end, job_id, reason))

    def hold(self, job_id: str, *, held: bool) -> None:
        self._commands.put(partial(self._engine.hold, job_id, held=held))

    def ask(self, answer: Callable[[Sequence[ModelStatistics]], None]) -> None:
        self._commands.put(lambda: self._tell(answer, self._engine.statistics()))

    def forget(self, sessions: Collection[str], answer: Callable[[int], None]) -> None:
        self._commands.put(lambda: self._tell(answer, self._engine.forget(sessions)))

    def stop(self) -> None:
        """After its present step; a model that is being loaded can't be called off."""
        self._commands.put(None)

    def _run(self) -> None:
        try:
            while self._obey():
                answers = self._engine.step()
                self._at_work_since = time.monotonic()
                if answers:
                    self._tell(self._deliver, answers)
        except BaseException:  # the one supervised loop: what a step could not answer ends the process
            logger.critical("the engine's thread failed", exc_info=True, extra={"action": "device_lost"})
            os._exit(DEVICE_LOST)

    def _obey(self) -> bool:
        """Carries out what was asked, and waits where there is nothing else to do. False when it is over."""
        while True:
            idle = not self._engine.can_step
            if idle:
                self._at_work_since = None
            elif self._commands.empty():
                return True
            command = self._commands.get()
            self._at_work_since = time.monotonic()
            if command is None:
                return False
            command()

    def _beat_and_tell(self, spec: ModelSpec, fraction: float) -> None:
        self._at_work_since = time.monotonic()
        self._tell(partial(self._loading, spec), fraction)

    def _tell(self, hear: Callable[..., None], what: object) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody listens any more
            self._loop.call_soon_threadsafe(hear, what)
