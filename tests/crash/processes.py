"""Bots as processes: begun, killed, held, let go and begun again."""

import asyncio
import os
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from multiprocessing import get_context
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.crash.bot import BotPlan, run_bot
from tests.crash.fate import Doom

#: Of its lease: a bot that is held sleeps until others have taken its places.
_HELD_FOR = 1.5
_LOOK_S = 0.03
_END_S = 60.0
#: A process that began so lately may not listen to signals yet.
_NEW_S = 5.0

_context = get_context("forkserver")
_context.set_forkserver_preload(
    ["tests.crash.bot", *(f"tests.crash.{name}_place" for name in ("discord", "paper", "slack", "telegram"))]
)


@dataclass
class Bots:
    """Those of one trial; whoever dies is replaced at once."""

    plan: BotPlan
    dooms: Sequence[Sequence[Doom]]
    kills: int = 0
    holds: int = 0
    #: When each of them was seen, by `time.monotonic()`.
    seen_at: list[float] = field(default_factory=list)
    _running: dict[int, BaseProcess] = field(default_factory=dict)
    _begun: dict[int, int] = field(default_factory=dict)
    #: By `time.monotonic`.
    _begun_at: dict[int, float] = field(default_factory=dict)
    _held: set[int] = field(default_factory=set)
    _waking: set[asyncio.Task[None]] = field(default_factory=set)
    _calm: bool = False

    def begin(self) -> None:
        for number in range(len(self.dooms)):
            self._start(number)

    async def watch(self) -> None:
        """Until it is cancelled."""
        while True:
            for number, process in list(self._running.items()):
                if not process.is_alive():
                    self.kills += 1
                    self.seen_at.append(time.monotonic())
                    self._start(number)
                elif _is_stopped(process) and process.pid not in self._held:
                    self._wake_later(process)
            await asyncio.sleep(_LOOK_S)

    def strike(self, number: int, *, kills: bool) -> None:
        pid = self._running[number].pid
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL if kills else signal.SIGSTOP)

    def calm_down(self) -> None:
        """Processes that begin from now on live."""
        self._calm = True

    @property
    def all_awake(self) -> bool:
        return not self._waking and not any(_is_stopped(process) for process in self._running.values())

    async def end(self) -> list[str]:
        """In order, as on SIGTERM; the faults of those that could not."""
        for process in self._running.values():
            process.terminate()
        asked_at = time.monotonic()
        return [
            fault
            for number, process in self._running.items()
            if (fault := await _ended(process, is_new=asked_at - self._begun_at[number] < _NEW_S))
        ]

    @contextmanager
    def gone_at_the_end(self) -> Iterator[None]:
        try:
            yield
        finally:
            for task in self._waking:
                task.cancel()
            for process in self._running.values():
                process.kill()
                process.join()

    def _start(self, number: int) -> None:
        turn = self._begun[number] = self._begun.get(number, -1) + 1
        dooms = self.dooms[number]
        doom = dooms[turn] if turn < len(dooms) and not self._calm else None
        plan = replace(self.plan, name=f"bot {number}.{turn}", doom=doom)
        process = self._running[number] = _context.Process(target=run_bot, args=(plan,), daemon=True)
        process.start()
        self._begun_at[number] = time.monotonic()

    def _wake_later(self, process: BaseProcess) -> None:
        self.holds += 1
        self.seen_at.append(time.monotonic())
        task = asyncio.create_task(self._wake(process))
        self._waking.add(task)
        task.add_done_callback(self._waking.discard)

    async def _wake(self, process: BaseProcess) -> None:
        pid = process.pid
        if pid is None:
            return
        self._held.add(pid)
        await asyncio.sleep(_HELD_FOR * self.plan.lease_s)
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)
        self._held.discard(pid)


def _is_stopped(process: BaseProcess) -> bool:
    try:
        return Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"
    except (FileNotFoundError, ProcessLookupError):  # it ends while it is looked at
        return False


async def _ended(process: BaseProcess, *, is_new: bool) -> str:
    for _ in range(int(_END_S / _LOOK_S)):
        if not process.is_alive():
            # A kill that was planned may come while it ends; nobody else kills.
            is_fine = process.exitcode in (0, -signal.SIGKILL) or (is_new and process.exitcode == -signal.SIGTERM)
            return "" if is_fine else f"a bot ended with {process.exitcode}"
        if _is_stopped(process) and process.pid is not None:  # it was held at its very last step
            with suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGCONT)
        await asyncio.sleep(_LOOK_S)
    return f"a bot did not end within {_END_S:g} s"
