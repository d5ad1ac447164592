"""How much Discord takes: of one request, and of an app in a while.

Buckets are as they are seen in practice, for Discord names none: its headers do. Each bucket is a window that begins
with its first request. Characters are counted in UTF-16 units, the stricter way to read "2,000 characters".
"""

import hashlib
import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from bots.sandbox.local_discord.refusals import TooOften


@dataclass(frozen=True, slots=True)
class Window:
    """At most so many in so long."""

    count: int
    seconds: float


_WINDOWS = {
    "create_message": Window(5, 5.0),
    "edit_message": Window(5, 5.0),
    "delete_message": Window(5, 1.0),
    "typing": Window(5, 5.0),
    "add_reaction": Window(1, 0.25),
    "remove_reaction": Window(1, 0.25),
    "start_thread": Window(50, 300.0),
    "edit_channel": Window(5, 15.0),
    "webhook": Window(5, 2.0),
    "create_dm": Window(10, 60.0),
    "put_commands": Window(2, 60.0),
}


@dataclass(frozen=True, slots=True)
class Rates:
    #: Of routes that have no other one.
    usual: Window = Window(30, 10.0)
    #: Of one bot, over all routes but those of interactions.
    everything: Window = Window(50, 1.0)
    #: By operation, where one has to be otherwise than usual.
    windows: Mapping[str, Window] = field(default_factory=dict)
    #: Names of a thread or channel: two in ten minutes, which no header tells.
    renames: Window = Window(2, 600.0)
    #: IDENTIFYs at once, for each of `max_concurrency`.
    identify: Window = Window(1, 5.0)
    #: What one gateway connection takes.
    gateway: Window = Window(120, 60.0)
    #: The same without an end.
    is_unlimited: bool = False

    def window(self, operation: str) -> Window:
        return self.windows.get(operation) or _WINDOWS.get(operation) or self.usual


NO_RATES = Rates(is_unlimited=True)


@dataclass(frozen=True, slots=True)
class Limits:
    message_chars: int = 2_000
    nonce_chars: int = 25
    #: For so long a nonce means the same message.
    nonce_age_s: float = 300.0
    file_bytes: int = 10 << 20
    files: int = 10
    #: Within which an interaction has to be answered, and how long its token lives.
    answer_s: float = 3.0
    token_age_s: float = 900.0
    #: Of one interaction where the app is not installed.
    follow_ups: int = 5
    #: How long a session can be resumed, and how many of its events are kept.
    session_age_s: float = 180.0
    replay: int = 2_000
    heartbeat_s: float = 41.25
    active_threads: int = 1_000
    identifies_a_day: int = 1_000
    max_concurrency: int = 1
    commands_a_day: int = 200
    #: Signed addresses of attachments.
    link_age_s: float = 86_400.0


@dataclass(slots=True)
class _Spent:
    count: int = 0
    ends: float = -math.inf


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a bucket has left, as headers tell it."""

    bucket: str
    limit: int
    remaining: int
    reset: float
    reset_after: float

    def headers(self) -> dict[str, str]:
        return {
            "X-RateLimit-Limit": str(self.limit),
            "X-RateLimit-Remaining": str(self.remaining),
            "X-RateLimit-Reset": f"{self.reset:.3f}",
            "X-RateLimit-Reset-After": f"{self.reset_after:.3f}",
            "X-RateLimit-Bucket": self.bucket,
        }


class Tallies:
    """What was asked lately, by bucket and by what it is of."""

    def __init__(self) -> None:
        self._spent: dict[tuple[str, str], _Spent] = {}

    def count(self, operation: str, of: str, window: Window, now: float) -> Allowance:
        """Nothing is counted where it is too much: then `remaining` is -1."""
        spent = self._spent.setdefault((operation, of), _Spent())
        if now >= spent.ends:
            spent.count, spent.ends = 0, now + window.seconds
        left = window.count - spent.count - 1
        if left >= 0:
            spent.count += 1
        return Allowance(bucket_of(operation), window.count, left, spent.ends, spent.ends - now)

    def check(self, operation: str, of: str, window: Window, now: float, scope: str) -> None:
        """Raises TooOften."""
        allowed = self.count(operation, of, window, now)
        if allowed.remaining < 0:
            raise TooOften(allowed.reset_after, scope)


def bucket_of(operation: str) -> str:
    """As opaque as Discord's."""
    return hashlib.sha256(operation.encode()).hexdigest()[:32]


def length(text: str) -> int:
    """In UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2
