"""What the app is told, how often it was tried, and whether it took it.

An event that is not acknowledged in time is brought again: at once, after a minute, after five minutes; then it is
lost, or comes every hour for a day where the app asked for that. Interactions and commands come once.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field

from bots.sandbox.json_values import JsonObject, object_in
from bots.sandbox.local_slack.accounts import Install
from bots.sandbox.local_slack.bringing import Answer, Kind, Parcel, Way
from bots.sandbox.local_slack.channels import Channel
from bots.sandbox.local_slack.wire import event_body
from bots.sandbox.local_slack.world import World

_MOST = 100_000
_MOST_AT_ONCE = 10_000
#: After the first failure, the second …
_WAITS_S = (0.0, 60.0, 300.0)
_LATE_WAITS_S = (3600.0,) * 23


@dataclass(frozen=True, slots=True)
class Attempt:
    at: float
    over: str
    is_ack: bool
    reason: str
    status: int


@dataclass(slots=True)
class Delivery:
    event_id: str
    install: str
    #: The event's type and subtype, its channel and its ts.
    what: str
    channel: str
    ts: str
    body: JsonObject
    attempts: list[Attempt] = field(default_factory=list)
    #: pending, taken, lost
    state: str = "pending"

    def to_json(self) -> JsonObject:
        return asdict(self)


class Deliveries:
    """One app's."""

    def __init__(self, world: World, way: Callable[[], Way]) -> None:
        self._world = world
        self._way = way
        self._deliveries: deque[Delivery] = deque(maxlen=_MOST)
        self._tasks: set[asyncio.Task[None]] = set()
        self.copies = world.options.copies
        #: Events are kept back, as long as it is held.
        self._held: deque[Delivery] | None = None
        world.tell = self.tell

    def tell(self, install: Install, channel: Channel | None, event: JsonObject) -> None:
        """An event, from now on until it is taken or lost."""
        self.bring_body(install.id, event_body(self._world, install, channel, event))

    def bring_body(self, install_id: str, body: JsonObject) -> str:
        """Whatever it says; gives its event id."""
        event = object_in(body.get("event"))
        what = ".".join(str(event[name]) for name in ("type", "subtype") if event.get(name))
        ts = str(event.get("ts") or event.get("event_ts") or "")
        delivery = Delivery(str(body.get("event_id", "")), install_id, what, str(event.get("channel", "")), ts, body)
        self._deliveries.append(delivery)
        if self._held is not None:
            self._held.append(delivery)
        else:
            self._begin(delivery)
        return delivery.event_id

    def repeat(self, event_id: str) -> None:
        """Once more, as if Slack had lost the acknowledgement. Raises ValueError."""
        known = next((one for one in self._deliveries if one.event_id == event_id), None)
        if known is None:
            raise ValueError(f"there is no event {event_id}")
        again = Delivery(known.event_id, known.install, known.what, known.channel, known.ts, known.body)
        again.attempts = list(known.attempts)
        self._deliveries.append(again)
        self._begin(again)

    def hold(self) -> None:
        """Nothing is brought until it is let go."""
        self._held = self._held if self._held is not None else deque(maxlen=_MOST)

    def let_go(self, *, is_reversed: bool) -> None:
        """In the order in which it happened, or the other way round."""
        held, self._held = self._held or deque(), None
        for delivery in reversed(held) if is_reversed else held:
            self._begin(delivery)

    async def interact(self, kind: Kind, payload: JsonObject) -> Answer:
        """Something a person waits for: it is brought once."""
        return await self._way().bring(Parcel(kind, payload))

    @property
    def pending(self) -> int:
        """How many are on their way, each copy of its own."""
        return len(self._tasks) + len(self._held or ())

    def to_json(self) -> list[JsonObject]:
        return [delivery.to_json() for delivery in self._deliveries]

    async def aclose(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _begin(self, delivery: Delivery) -> None:
        if len(self._tasks) >= _MOST_AT_ONCE:
            delivery.state = "lost"
            return
        for _ in range(self.copies):
            task = asyncio.create_task(self._bring(delivery))
            self._tasks.add(task)
            task.add_done_callback(self._ended)

    async def _bring(self, delivery: Delivery) -> None:
        waits_s = _WAITS_S + (_LATE_WAITS_S if self._world.options.has_delayed_events else ())
        answer = await self._attempt(delivery, Parcel(Kind.EVENT, delivery.body))
        for retry, wait_s in enumerate(waits_s, 1):
            if answer.is_ack or answer.is_final:
                break
            await self._world.clock.until(self._world.clock.now() + wait_s)
            answer = await self._attempt(delivery, Parcel(Kind.EVENT, delivery.body, retry, answer.reason))
        if answer.is_ack:
            delivery.state = "taken"
        elif delivery.state == "pending":
            delivery.state = "lost"

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._world.changes.happen()

    async def _attempt(self, delivery: Delivery, parcel: Parcel) -> Answer:
        at = time.monotonic()
        answer = await self._way().bring(parcel)
        delivery.attempts.append(Attempt(at, answer.over, answer.is_ack, answer.reason, answer.status))
        self._world.changes.happen()
        return answer
