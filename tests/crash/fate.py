"""What happens to a bot by itself, at a named state of a message."""

import os
import signal
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Doom:
    """What happens to a bot by itself."""

    #: "before", "during" (a call that is on its way) or "after" ...
    moment: str
    #: ... a write of the outbox, inbox or leases, or a call on the platform ...
    action: str
    #: ... for the so-manieth time.
    number: int
    #: The process is killed, or else stopped, as by SIGSTOP.
    kills: bool = True


class Fate:
    """Counts the moments, and strikes."""

    def __init__(self, doom: Doom | None) -> None:
        self._doom = doom
        self._count = 0

    def passes(self, moment: str, action: str) -> None:
        doom = self._doom
        if doom is None or (doom.moment, doom.action) != (moment, action):
            return
        self._count += 1
        if self._count == doom.number:
            os.kill(os.getpid(), signal.SIGKILL if doom.kills else signal.SIGSTOP)
