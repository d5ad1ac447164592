"""What the gateway tells → the core, in the order of each channel, and nothing of it on the websocket's time.

Discord brings nothing again, and wants no ack: what is not kept when this process ends is fetched at the next start,
from where the marks are. What has no room here (the database is away for long) is left for the same fetching.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence

from adapters.discord.back_fill import BackFill
from adapters.discord.gaps import seen_in
from adapters.discord.keeping import Keeping, arrivals_of, dead
from adapters.discord.lanes import MESSAGE, Event, LaneLimits, Lanes
from adapters.discord.ledger import Ledger
from adapters.discord.places import VOICE, Place, unknown
from adapters.discord.snowflakes import number_in, snowflake, snowflake_or_none
from adapters.discord.whereabouts import Whereabouts
from adapters.payloads import NotUnderstood, found_in, list_in, text_in
from core.errors import StorageError
from core.ports import Arrival

logger = logging.getLogger(__name__)

#: They say something to the core.
_SAID = frozenset(
    {
        MESSAGE,
        "MESSAGE_UPDATE",
        "MESSAGE_DELETE",
        "MESSAGE_DELETE_BULK",
        "MESSAGE_REACTION_ADD",
        "MESSAGE_REACTION_REMOVE",
    }
)
#: A channel or a thread is there that was not before, and nobody has said anything in it.
_MADE = frozenset({"CHANNEL_CREATE", "THREAD_CREATE"})
#: A thread that was put away is told of again by the first of them.
_WAKING = frozenset({"THREAD_CREATE", "THREAD_UPDATE"})
#: Interactions that are answered at once; Discord waits for three seconds alone.
_INTERACTIONS = 200


class Intake:
    """Of one account's receiver."""

    def __init__(
        self,
        whereabouts: Whereabouts,
        ledger: Ledger,
        keeping: Keeping,
        back_fill: BackFill,
        answer: Callable[[Mapping[str, object]], Awaitable[None]],
        limits: LaneLimits = LaneLimits(),  # noqa: B008 - a value that nobody can change
    ) -> None:
        """`answer` takes an interaction in, within some seconds; it raises nothing."""
        self._whereabouts = whereabouts
        self._ledger = ledger
        self._keeping = keeping
        self._back_fill = back_fill
        self._answer = answer
        self._lanes = Lanes(self._carry, limits)
        self._answers: set[asyncio.Task[None]] = set()
        #: Nothing more has room; it was said.
        self._is_full = False

    def take(self, shard: int, kind: str, data: object, stamp: str) -> None:
        """At once, and whatever is in it."""
        try:
            self._take(shard, Event(kind, data if isinstance(data, Mapping) else {}, stamp))
        except Exception as error:  # noqa: BLE001 - the websocket is read on, whatever came over it
            logger.error("an event was lost: %s", type(error).__name__, extra={"action": "receive"})

    async def aclose(self) -> None:
        for task in self._answers:
            task.cancel()
        await asyncio.gather(*self._answers, return_exceptions=True)
        await self._lanes.aclose()

    def _take(self, shard: int, event: Event) -> None:
        kind, data = event.kind, event.data
        is_woken = self._is_woken(event)
        self._whereabouts.servers.learn(kind, data)
        if is_woken:
            self._catch_up(text_in(data, "id"))
        if kind == "READY":
            self._back_fill.begin(shard, filter(None, (text_in(one, "id") for one in list_in(data, "guilds"))))
        elif kind == "GUILD_CREATE":
            self._look_through(shard, data)
        elif kind == "GUILD_DELETE" and text_in(data, "id"):
            self._back_fill.leave(text_in(data, "id"))
        elif kind in _MADE:
            self._make(event)
        elif kind == "INTERACTION_CREATE":
            self._be_asked(data)
        elif kind in _SAID and not self._is_own_work(event):
            self._put(event)

    def _look_through(self, shard: int, guild: Mapping[str, object]) -> None:
        if text_in(guild, "id") and not guild.get("unavailable"):
            self._back_fill.look_through(text_in(guild, "id"), shard, seen_in(guild, self._whereabouts.account.id))

    def _is_own_work(self, event: Event) -> bool:
        """The bot's own edits, of which there are many."""
        author = found_in(event.data, "author", "id")
        return event.kind == "MESSAGE_UPDATE" and author == self._whereabouts.account.id

    def _is_woken(self, event: Event) -> bool:
        """Whether a thread that is not new is told of for the first time: something may have been said in it before."""
        is_told = event.kind in _WAKING and not event.data.get("newly_created")
        return is_told and self._whereabouts.servers.place(text_in(event.data, "id")) is None

    def _catch_up(self, thread: str) -> None:
        place = self._whereabouts.servers.place(thread)
        if place is not None and place.is_thread:
            self._back_fill.catch_up(place)

    def _make(self, event: Event) -> None:
        if event.kind == "CHANNEL_CREATE" or event.data.get("newly_created"):
            told = {"channel_id": event.data.get("id"), "guild_id": event.data.get("guild_id")}
            self._put(Event(event.kind, told))

    def _be_asked(self, data: Mapping[str, object]) -> None:
        if len(self._answers) >= _INTERACTIONS:
            logger.warning("an interaction was not answered: too many at once", extra={"action": "interaction"})
            return
        task = asyncio.ensure_future(self._answered(data))
        self._answers.add(task)
        task.add_done_callback(self._answers.discard)

    async def _answered(self, data: Mapping[str, object]) -> None:
        await self._answer(data)

    def _put(self, event: Event) -> None:
        channel = text_in(event.data, "channel_id")
        if self._lanes.put(channel, event):
            self._is_full = False
            return
        if not self._is_full:
            self._is_full = True
            logger.warning(
                "what comes from Discord can't be kept as fast as it comes; it is fetched later",
                extra={"action": "receive", "platform": "discord", "waiting": self._lanes.count},
            )
        if event.can_be_fetched:
            self._leave(event)

    def _leave(self, event: Event) -> None:
        try:
            place = self._whereabouts.known(event.data)
            if place is None:
                guild = snowflake_or_none(event.data.get("guild_id"))
                place = unknown(snowflake(event.data.get("channel_id")), guild, None)
        except NotUnderstood:
            return
        self._back_fill.fetch(place)

    async def _carry(self, channel: str, events: Sequence[Event]) -> None:
        place, arrivals = await self._understood(channel, events)
        newest = max((_mark_of(event) for event in events), default=0)
        while True:
            cursor = None if place is None else self._ledger.live_cursor(place, newest)
            try:
                await self._keeping.keep(arrivals, cursor)
            except StorageError as error:
                await self._keeping.paused(error)
            except Exception as error:  # noqa: BLE001 - what comes next must not wait for it
                logger.error("events were lost: %s", type(error).__name__, extra={"action": "receive"})
                return
            else:
                self._keeping.passed()
                self._ledger.passed(cursor)
                return

    async def _understood(self, channel: str, events: Sequence[Event]) -> tuple[Place | None, list[Arrival]]:
        arrivals: list[Arrival] = []
        place: Place | None = None
        for event in events:
            try:
                here = place = await self._whereabouts.place(event.data)
            except NotUnderstood as error:
                nowhere = self._whereabouts.happening(event, Place(channel, VOICE))
                arrivals.append(dead(nowhere, str(error)))
            else:
                arrivals += arrivals_of(self._whereabouts.happening(event, here))
        return place, arrivals


def _mark_of(event: Event) -> int:
    """Where a channel's mark stands when this was kept; 0 where it stays."""
    if event.kind in _MADE:
        return number_in(event.data, "channel_id") - 1
    return number_in(event.data, "id") if event.can_be_fetched else 0
