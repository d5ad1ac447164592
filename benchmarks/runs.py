"""Which rival serves which workload, in which order: everything of one run that takes time.

Rivals alternate round by round, in one order and then in the other: the machine's other work falls on all alike.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.measuring import Figures
from benchmarks.rivals.process import RivalFailed, RivalProcess
from benchmarks.workloads import Vocabulary, Workload, equal, sessions, storm

WORKS = ("equal", "storm", "sessions", "long")
#: What static batching holds is the most that it serves a second of so many requests: of those that wait already (full
#: groups, padded to their longest), and of a stream that is twice as fast (smaller groups, which are quicker).
_CAPACITY_REQUESTS = 64
_TOO_FAST = 2.0
#: Those of the rivals that keep keys and values between turns; the others would only take their time.
_LONG_RIVALS = ("banter", "vllm")


@dataclass(frozen=True, slots=True)
class Scale:
    """How much is asked. Tokens of one request in `equal`; rounds of `equal` alone."""

    requests: tuple[int, ...] = (1, 8, 32)
    prompt_tokens: int = 64
    reply_tokens: int = 64
    rounds: int = 5
    #: After so many seconds no other round begins.
    rounds_s: float = math.inf
    #: At the higher load; the lower one asks fewer, and lasts as long.
    storm_requests: int = 128
    #: Against what static batching holds.
    storm_loads: tuple[float, ...] = (1.5, 0.5)
    #: How many at once, and exchanges of each.
    sessions: tuple[int, int] = (16, 10)
    long_sessions: tuple[int, int] = (4, 60)


@dataclass(frozen=True, slots=True)
class Run:
    work: str
    #: Of `equal` the number of requests, of `storm` the load, else "sessions x exchanges".
    case: str
    rival: str
    figures: Figures


class Benchmark:
    """Collects runs; a rival that fails is left out from there on."""

    def __init__(
        self,
        rivals: Sequence[RivalProcess],
        vocabulary: Vocabulary,
        scale: Scale,
        tell: Callable[[str], None],
    ) -> None:
        self._rivals = {rival.name: rival for rival in rivals}
        self._vocabulary = vocabulary
        self._scale = scale
        self._tell = tell
        self.runs: list[Run] = []
        #: Rival → why it was left out.
        self.failed: dict[str, str] = {}
        #: Requests a second that static batching held; 0 where it was not measured.
        self.static_capacity_per_s = 0.0

    def warm_up(self) -> None:
        work = equal(self._vocabulary, 2, 8, 8)
        for name in list(self._rivals):
            self._serve(name, work)

    def run(self, work: str) -> None:
        match work:
            case "equal":
                self._equal()
            case "storm":
                self._storm()
            case "sessions":
                self._sessions(work, self._scale.sessions, list(self._rivals))
            case "long":
                self._sessions(work, self._scale.long_sessions, [name for name in self._rivals if name in _LONG_RIVALS])

    def _equal(self) -> None:
        began = time.monotonic()
        for number in range(self._scale.rounds):
            if number and time.monotonic() - began > self._scale.rounds_s:
                self._tell(f"{number} of {self._scale.rounds} rounds: the time is up")
                return
            for requests in self._scale.requests:
                self._equal_round(number, requests)

    def _equal_round(self, number: int, requests: int) -> None:
        scale = self._scale
        workload = equal(self._vocabulary, requests, scale.prompt_tokens, scale.reply_tokens, seed=number)
        for name in list(self._rivals)[:: -1 if number % 2 else 1]:
            if name != "sequential" or requests == 1 or number == 0:  # it is slow, and what it takes adds up
                self._record("equal", str(requests), name, workload)

    def _storm(self) -> None:
        most = self._scale.storm_requests
        self.static_capacity_per_s = self._capacity(min(most, _CAPACITY_REQUESTS))
        if not self.static_capacity_per_s:
            self._tell("the storm's rate is made from what static batching holds; without it there is no storm")
            return
        for load in self._scale.storm_loads:
            asked = max(round(most * load / max(self._scale.storm_loads)), 1)
            workload = storm(self._vocabulary, asked, load * self.static_capacity_per_s)
            for name in list(self._rivals):
                self._record("storm", str(load), name, workload)

    def _capacity(self, requests: int) -> float:
        """Requests a second; 0 where static batching is not among the rivals."""
        held, per_s = 0.0, math.inf
        while "static" in self._rivals:
            self._tell(f"storm: what static batching holds of {requests} requests, {per_s:.2f} a second")
            found = self._serve("static", storm(self._vocabulary, requests, per_s))
            if found is None:
                break
            held = max(held, found.requests / found.seconds)
            if per_s < math.inf:
                return held
            per_s = _TOO_FAST * held
        return 0.0

    def _sessions(self, work: str, size: tuple[int, int], rivals: Sequence[str]) -> None:
        workload = sessions(self._vocabulary, *size)
        for name in rivals:
            self._record(work, "x".join(map(str, size)), name, workload)

    def _record(self, work: str, case: str, name: str, workload: Workload) -> None:
        self._tell(f"{work} {case}: {name}")
        found = self._serve(name, workload)
        if found:
            self.runs.append(Run(work, case, name, found))

    def _serve(self, name: str, workload: Workload) -> Figures | None:
        try:
            return self._rivals[name].serve(workload)
        except RivalFailed as error:
            self.failed[name] = str(error)
            del self._rivals[name]
            return None
