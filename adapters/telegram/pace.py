"""How often Telegram is spoken to: one thing after another in a chat, and not too much over all.

What is sent or changed for good waits for its turn, and goes before what is merely shown. What is merely shown never
waits, for it is old by then: it is refused with the time that is left, and comes again with newer words. Whoever is
refused or waits has a place in the chat's line, so replies in one chat, such as those in the topics of a forum, take
turns. A place is given up when nobody comes for it in time.

A turn lasts from before a call until its answer, and the pause follows: then the time between two arrivals at Telegram
is never shorter than the pause, however long they take to get there. Over all chats, calls that are on their way count
like those that were answered within the last second: a line that stalls and then delivers all at once costs no refusal.
"""

import asyncio
import contextlib
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field, replace
from itertools import islice

from adapters.telegram.capabilities import LONGEST_TURN_S, SENDS_PER_SECOND, interval_s
from core.errors import RateLimited

#: What is merely shown waits for so long, as clocks are not exact and a call's answer takes a while.
_PATIENCE_S = 0.25
#: How late somebody may come for their place.
_GRACE_S = 2.0
_TOO_MUCH = "too much is being sent over all"
#: Whoever finds the line full is refused without a place.
_LONGEST_LINE = 500


@dataclass(slots=True)
class _Place:
    is_urgent: bool
    #: When its owner was told to come.
    due_at: float


@dataclass(slots=True)
class _Line:
    """For one thing that is done by one at a time."""

    #: Between two turns.
    interval_s: float
    #: What whoever is refused is told.
    reason: str
    #: The next turn may begin then.
    free_at: float = 0.0
    #: It is somebody's turn.
    is_busy: bool = False
    #: Whose place → the place, the oldest first.
    places: dict[str, _Place] = field(default_factory=dict)

    def ask(self, who: str, *, is_urgent: bool, now: float) -> float:
        """0 where it is its turn, which `end` ends; or else how long to wait. Raises RateLimited."""
        self._forget_late_ones(now)
        at = self._turn_of(who, is_urgent=is_urgent, now=now)
        if at <= now and not self.is_busy:
            self.places.pop(who, None)
            self.is_busy = True
            return 0.0
        if who in self.places:
            self.places[who].is_urgent |= is_urgent
            self.places[who].due_at = at
        elif len(self.places) < _LONGEST_LINE:
            self.places[who] = _Place(is_urgent, at)
        else:
            raise RateLimited(self.reason, at - now)
        return at - now

    def _turn_of(self, who: str, *, is_urgent: bool, now: float) -> float:
        """The first time at which it would be in nobody's way who is before it."""
        own = self.places.get(who)
        is_urgent = is_urgent or (own is not None and own.is_urgent)
        at = max(now, now + self.interval_s if self.is_busy else self.free_at)
        is_behind = False
        ahead = []
        for name, place in self.places.items():
            is_behind = is_behind or name == who
            if name != who and (place.is_urgent > is_urgent or (place.is_urgent == is_urgent and not is_behind)):
                ahead.append(place.due_at)
        for due_at in sorted(ahead):
            if due_at < at + self.interval_s:
                at = max(at, due_at) + self.interval_s
        return at

    def put_off(self, who: str, until: float) -> None:
        """Its owner comes no sooner than then."""
        if who in self.places:
            self.places[who].due_at = max(self.places[who].due_at, until)

    def end(self, now: float) -> None:
        self.is_busy = False
        self.free_at = max(self.free_at, now + self.interval_s)

    def is_idle(self, now: float) -> bool:
        self._forget_late_ones(now)
        return not self.is_busy and not self.places and self.free_at <= now

    def _forget_late_ones(self, now: float) -> None:
        for name in [name for name, place in self.places.items() if place.due_at + _GRACE_S < now]:
            del self.places[name]


@dataclass(frozen=True, slots=True)
class _Comer:
    who: str
    is_urgent: bool
    #: It does not wait longer than that.
    until: float
    #: Refused with something that is merely shown, the core comes no sooner, whatever it is told.
    comes_back_after_s: float


class Pace:
    """Of one account."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._clock = clock
        self._sleep = sleep
        #: Those that were used last are at the end.
        self._chats: OrderedDict[str, _Line] = OrderedDict()
        self._all = _Line(1 / SENDS_PER_SECOND, _TOO_MUCH)
        self._on_way = 0
        #: When the last calls were answered.
        self._answered: deque[float] = deque()

    @property
    def known_chats(self) -> int:
        return len(self._chats)

    @contextlib.asynccontextmanager
    async def turn(self, chat_id: str, who: str, *, is_urgent: bool) -> AsyncIterator[None]:
        """Within it one call is made. `who` is the reply. Raises RateLimited where it would have to wait too long."""
        until = self._clock() + (LONGEST_TURN_S if is_urgent else _PATIENCE_S)
        comer = _Comer(who, is_urgent, until, interval_s(chat_id))
        chat = await self._wait(lambda: self._chat(chat_id), comer)
        try:
            overall = await self._wait(lambda: self._all, replace(comer, who=f"{chat_id} {who}"))
            try:
                await self._wait_for_room(until)
            finally:
                overall.end(self._clock())
        except BaseException:  # nothing was said there
            chat.is_busy = False
            raise
        self._on_way += 1
        try:
            yield
        except RateLimited as limited:
            chat.free_at = max(chat.free_at, self._clock() + limited.retry_after_s)
            raise
        finally:
            self._on_way -= 1
            self._answered.append(self._clock())
            chat.end(self._clock())

    def rests(self, chat_id: str) -> bool:
        """Whether Telegram wants the chat to be left alone."""
        chat = self._chats.get(chat_id)
        return chat is not None and chat.free_at - self._clock() > chat.interval_s

    async def _wait(self, line_now: Callable[[], _Line], comer: _Comer) -> _Line:
        """Whoever comes back with the line has its turn there, and ends it."""
        while True:
            line, now = line_now(), self._clock()
            wait_s = line.ask(comer.who, is_urgent=comer.is_urgent, now=now)
            if not wait_s:
                return line
            if now + wait_s > comer.until:
                if not comer.is_urgent:
                    line.put_off(comer.who, now + comer.comes_back_after_s)
                raise RateLimited(line.reason, wait_s)
            await self._sleep(wait_s)

    async def _wait_for_room(self, until: float) -> None:
        """Until no second can hold too many calls, whenever Telegram gets those that are on their way."""
        while True:
            now = self._clock()
            while self._answered and self._answered[0] <= now - 1.0:
                self._answered.popleft()
            if self._on_way + len(self._answered) < SENDS_PER_SECOND:
                return
            if now >= until:
                raise RateLimited(_TOO_MUCH, self._all.interval_s)
            await self._sleep(self._all.interval_s)

    def _chat(self, chat_id: str) -> _Line:
        self._forget_idle_ones()
        if chat_id not in self._chats:
            self._chats[chat_id] = _Line(interval_s(chat_id), "the chat's last message is too new")
        self._chats.move_to_end(chat_id)
        return self._chats[chat_id]

    def _forget_idle_ones(self) -> None:
        """Two are looked at for each one that may be added, so their number follows that of the busy ones."""
        now = self._clock()
        for chat_id in list(islice(self._chats, 2)):
            if self._chats[chat_id].is_idle(now):
                del self._chats[chat_id]
            else:
                self._chats.move_to_end(chat_id)
