"""What goes wrong by request: the next calls of a method meet it."""

from collections import deque
from dataclasses import dataclass
from enum import StrEnum

_MOST = 10_000


class Kind(StrEnum):
    #: The connection breaks, and nothing was done.
    DROP_BEFORE = "drop_before"
    #: It was done, and the connection breaks before the answer.
    DROP_AFTER = "drop_after"
    DELAY_BEFORE = "delay_before"
    #: It was done at once, the answer comes late.
    DELAY_AFTER = "delay_after"
    #: An error instead of an answer; nothing was done.
    ANSWER = "answer"
    #: It was done, and an error is answered.
    ANSWER_AFTER = "answer_after"


@dataclass(slots=True)
class Fault:
    kind: Kind
    #: "" meets every method but the one that nobody asks for, "*" every one.
    method: str = ""
    times: int = 1
    #: So many calls are let through first.
    after: int = 0
    #: Of a delay; by this machine's clock.
    seconds: float = 0.0
    #: Of an answer: 429, 500, 502 …; 200 goes with `error`.
    status: int = 500
    #: One of the platform's error codes.
    error: str = ""
    retry_after_s: int = 1
    #: Only calls of this channel; "": of all.
    channel: str = ""
    #: Only calls of this installation; "": of all.
    install: str = ""


class Faults:
    def __init__(self, unasked: str = "") -> None:
        self._faults: deque[Fault] = deque()
        #: A method that opens connections, say, and is met only where it is named.
        self._unasked = unasked

    def add(self, fault: Fault) -> None:
        """Raises ValueError."""
        if len(self._faults) >= _MOST:
            raise ValueError("too many faults are ordered")
        self._faults.append(fault)

    def clear(self) -> None:
        self._faults.clear()

    @property
    def waiting(self) -> int:
        """How many calls have yet to meet one."""
        return sum(fault.times for fault in self._faults)

    def meet(self, method: str, channel: str, install: str) -> Fault | None:
        """The first one that is meant for the call."""
        for fault in self._faults:
            if not self._is_meant(fault, method, channel, install):
                continue
            if fault.after:
                fault.after -= 1
                continue
            fault.times -= 1
            if not fault.times:
                self._faults.remove(fault)
            return fault
        return None

    def _is_meant(self, fault: Fault, method: str, channel: str, install: str) -> bool:
        if fault.channel not in {"", channel} or fault.install not in {"", install}:
            return False
        return method != self._unasked if not fault.method else fault.method in {"*", method}
