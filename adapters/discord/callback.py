"""The answer to an interaction, for which Discord waits three seconds.

It can be given once. Where nobody knows whether it came through it is given again, and Discord says so where it did.
"""

import asyncio
import time

from discord.http import Route

from adapters.discord.paced_http import Manner
from adapters.discord.refusals import INTERACTION_ANSWERED, Refused
from adapters.discord.rest import Rest
from adapters.payloads import Payload, text_in
from core.errors import PlatformAway, RateLimited, SendUnclear

#: So long Discord waits.
ANSWER_S = 3.0
#: The least that an answer is given; Discord may have begun to wait a little later.
_LEAST_S = 0.5
_PAUSE_S = 0.1


async def call_back(rest: Rest, payload: Payload, answer: dict[str, object], came_at: float) -> None:
    """`came_at` is by `time.monotonic`. Raises PlatformError, and TimeoutError where Discord waits no longer."""
    route = Route(
        "POST",
        "/interactions/{webhook_id}/{webhook_token}/callback",
        webhook_id=text_in(payload, "id"),
        webhook_token=text_in(payload, "token"),
    )
    async with asyncio.timeout(max(_LEAST_S, came_at + ANSWER_S - time.monotonic())):
        while True:
            pause_s = await _give(rest, route, answer)
            if pause_s is None:
                return
            await asyncio.sleep(pause_s)


async def _give(rest: Rest, route: Route, answer: dict[str, object]) -> float | None:
    """None where Discord has it, else for how long to wait."""
    try:
        await rest.request(route, json=answer, manner=Manner.SENT)
    except Refused as refusal:
        if refusal.code != INTERACTION_ANSWERED:
            raise
    except RateLimited as limited:
        return limited.retry_after_s
    except (PlatformAway, SendUnclear):
        return _PAUSE_S
    return None
