"""How something reaches the app: over a socket, or to its request URL."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from bots.sandbox.json_values import JsonObject


class Kind(StrEnum):
    """As envelopes of Socket Mode have them."""

    EVENT = "events_api"
    INTERACTIVE = "interactive"
    COMMAND = "slash_commands"


@dataclass(frozen=True, slots=True)
class Parcel:
    kind: Kind
    payload: JsonObject
    #: 0 the first time.
    retry: int = 0
    #: Why it comes again.
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the app said in time, or that it did not."""

    is_ack: bool
    #: "timeout", "http_error", "connection_failed" …: as Slack names it.
    reason: str = ""
    status: int = 0
    #: What the app answered with its acknowledgement.
    response: JsonObject | None = None
    #: It asked not to be told again.
    is_final: bool = False
    #: Which connection it went over.
    over: str = ""


class Way(Protocol):
    async def bring(self, parcel: Parcel) -> Answer:
        """Within the time that the app has; raises nothing."""
        ...
