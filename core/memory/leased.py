"""A place that one process answers at, and what waits there: the values."""

import time
from dataclasses import dataclass
from datetime import datetime

from core.dialogue import Inbound, TurnState

_LEAVING = " leaving "


@dataclass(frozen=True, slots=True)
class Lease:
    place: str
    owner: str
    epoch: int
    #: By `time.monotonic`; nothing is sent after it.
    until: float

    @property
    def left_s(self) -> float:
        return self.until - time.monotonic()


@dataclass(frozen=True, slots=True)
class WaitingMessage:
    """An event that is owed an answer."""

    id: int
    state: TurnState
    attempts: int
    accepted_at: datetime
    not_before: datetime
    #: The person's turn, once it was begun.
    turn_id: int | None
    inbound: Inbound
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Work:
    """A place that is leased, and the oldest of what waits there."""

    lease: Lease
    messages: tuple[WaitingMessage, ...]


def leaving(owner: str, place: str) -> str:
    """The owner of a lease whose place went elsewhere: whoever answers there has to stop at the place that it took."""
    return f"{owner}{_LEAVING}{place}" if owner and _LEAVING not in owner else owner


def holder_of(owner: str) -> str:
    """The process of a lease's owner, whether the place went elsewhere or not."""
    return owner.partition(_LEAVING)[0]
