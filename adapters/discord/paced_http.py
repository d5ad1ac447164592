"""discord.py's HTTP client, told for each call how much waiting it may do.

discord.py waits for a bucket, sleeps when Discord says that it was too much, and makes a call again that failed. That
is right where an answer is needed. What is merely shown must not wait, for newer words take its place; and what is sent
is tried again by the core, which knows what to do in doubt. So an answer of a call is looked at before discord.py sees
it, and taken away from it where nothing is to be waited for.
"""

import asyncio
from dataclasses import dataclass
from enum import Enum
from types import SimpleNamespace

import aiohttp
from discord.http import HTTPClient, Ratelimit, Route

from adapters.discord.buckets import Bucket
from adapters.discord.flow import Flow
from core.errors import RateLimited, SendUnclear

#: A call that Discord wants to have made later than this is not waited for.
LONGEST_WAIT_S = 30.0

_USUAL_PAUSE_S = 5.0
_LONGEST_PAUSE_S = 3600.0
#: Of interactions: what the bot may do altogether does not count them
#: (https://docs.discord.com/developers/interactions/receiving-and-responding).
_BESIDE_THE_BOTS_LIMIT = ("/interactions/", "/webhooks/")
#: Of each bucket, for what opens and what closes.
_KEPT_BACK = 1


class Manner(Enum):
    """How a call is made."""

    #: It waits for nothing, and is made once: what is merely shown.
    SHOWN = "shown"
    #: It waits for its turn, and is made once: the core tries again.
    SENT = "sent"
    #: It waits, and is made again where Discord was too busy or broken: an answer is needed.
    ASKED = "asked"


@dataclass(slots=True)
class Call:
    """One that is under way."""

    route: Route
    manner: Manner
    #: Something of it was written to the connection.
    has_left: bool = False


class PacedHttp(HTTPClient):
    """Counts by `Bucket`s."""

    def __init__(self, proxy: str | None = None) -> None:
        trace = aiohttp.TraceConfig()
        trace.on_request_headers_sent.append(self._leaves)
        trace.on_request_end.append(self._is_answered)
        super().__init__(
            asyncio.get_running_loop(), proxy=proxy, http_trace=trace, max_ratelimit_timeout=LONGEST_WAIT_S
        )
        self._flow = Flow(self.loop)
        #: Of the loop's clock: until then Discord wants to hear nothing at all.
        self._quiet_until = 0.0

    def get_ratelimit(self, key: str) -> Ratelimit:
        """The bucket that a call waits for; discord.py asks for it by its own key."""
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = Bucket(LONGEST_WAIT_S, self._flow)
            self._try_clear_expired_ratelimits()
        return bucket

    def bucket_of(self, route: Route) -> Bucket:
        name = self._bucket_hashes.get(route.key)
        known = None if name is None else self._buckets.get(f"{name}:{route.major_parameters}")
        bucket = known or self.get_ratelimit(f"{name or route.key}:{route.major_parameters}")
        assert isinstance(bucket, Bucket)  # noqa: S101 - this class makes no others
        return bucket

    def check_room(self, route: Route, manner: Manner) -> None:
        """Raises RateLimited where the call would have to wait and may not."""
        quiet_s = self._quiet_until - self.loop.time()
        if quiet_s > 0 and not route.path.startswith(_BESIDE_THE_BOTS_LIMIT):
            raise RateLimited("Discord wants to be left alone", quiet_s)
        if manner is Manner.SHOWN:
            if self._flow.shown_in_s() > 0:
                raise RateLimited("much is being sent now", self._flow.shown_in_s())
            bucket = self.bucket_of(route)
            if bucket.free <= min(_KEPT_BACK, bucket.limit - 1):
                raise RateLimited("Discord takes no more there now", bucket.left_s())

    async def _leaves(self, _: object, context: SimpleNamespace, __: object) -> None:
        call = context.trace_request_ctx
        if isinstance(call, Call):
            call.has_left = True

    async def _is_answered(self, _: object, context: SimpleNamespace, answered: aiohttp.TraceRequestEndParams) -> None:
        """What it raises comes out of the call."""
        call, response = context.trace_request_ctx, answered.response
        manner = call.manner if isinstance(call, Call) else Manner.SENT  # the login
        if response.status == 429:
            self._is_too_much(call.route if isinstance(call, Call) else None, manner, response)
        elif response.status >= 500 and manner is not Manner.ASKED:
            raise SendUnclear(f"Discord's server failed (HTTP {response.status})")

    def _is_too_much(self, route: Route | None, manner: Manner, response: aiohttp.ClientResponse) -> None:
        """Of all calls, of those in a bucket; or Discord's doorkeeper is tired of this address."""
        pause_s = _seconds(response.headers.get("Retry-After"))
        if route is None or response.headers.get("X-RateLimit-Global") or not response.headers.get("Via"):
            self._quiet_until = max(self._quiet_until, self.loop.time() + pause_s)
        else:
            self.bucket_of(route).limited(pause_s)
        if manner is not Manner.ASKED:
            raise RateLimited("too much was sent", pause_s)


def _seconds(told: str | None) -> float:
    try:
        return min(max(0.05, float(told or _USUAL_PAUSE_S)), _LONGEST_PAUSE_S)
    except (ValueError, OverflowError):
        return _USUAL_PAUSE_S
