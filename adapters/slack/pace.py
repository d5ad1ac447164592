"""How often Slack is spoken to: its methods have tiers, so many calls a minute, for each of them and each workspace.

What ends a reply, or is sent for good, waits for its turn, and has a place in the line when it is told to come later.
What is merely shown never waits: it is refused, and comes again with newer words. A call counts from before it is made
until a minute after its answer, so that no minute at Slack ever holds too many, however long they take to get there.
"""

import asyncio
import contextlib
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice

from core.errors import PlatformAway, RateLimited

#: Whoever is to wait for longer is told to come again.
LONGEST_TURN_S = 4.0
#: How late somebody may come for their place.
_GRACE_S = 3.0
#: Whoever finds the line full is refused without a place.
_LONGEST_LINE = 500
#: Clocks of two machines do not run alike; as a part of what they measure, and no more than that.
_MARGIN, _LONGEST_MARGIN_S = 0.05, 0.25


@dataclass(frozen=True, slots=True)
class Tier:
    """So many calls within any stretch of that length."""

    calls: int
    window_s: float = 60.0

    @property
    def kept_s(self) -> float:
        """For how long a call counts."""
        return self.window_s + min(_LONGEST_MARGIN_S, _MARGIN * self.window_s)


_TIER_2, _TIER_3, _TIER_4 = Tier(20), Tier(50), Tier(100)
#: As Slack's documentation has them; the usual tier is the third.
TIERS: Mapping[str, Tier] = {
    "chat.startStream": _TIER_2,
    "chat.stopStream": _TIER_2,
    "chat.appendStream": _TIER_4,
    "chat.postEphemeral": _TIER_4,
    "users.info": _TIER_4,
    "files.info": _TIER_4,
    "assistant.threads.setTitle": _TIER_4,
    #: "Several hundred a minute".
    "chat.postMessage": Tier(300),
}
#: In one channel.
POSTS = Tier(1, 1.0)


@dataclass(slots=True)
class _Place:
    #: When its owner was told to come.
    due_at: float


@dataclass(slots=True)
class Line:
    """For the calls that one tier counts."""

    tier: Tier
    #: Slack wants no call before.
    quiet_until: float = 0.0
    on_way: int = 0
    #: When the last calls were answered, the oldest first.
    answered: deque[float] = field(default_factory=deque)
    #: Whose place → the place, the oldest first.
    places: dict[str, _Place] = field(default_factory=dict)

    def wait_s(self, who: str, now: float) -> float:
        """Until it would be its turn, after those who have a place before it."""
        self._forget(now)
        times = [*self.answered, *[now] * self.on_way]
        at = now
        for name in [*self.places, who]:
            at = max(now, self.quiet_until)
            if len(times) >= self.tier.calls:
                at = max(at, times[-self.tier.calls] + self.tier.kept_s)
            if name == who:
                break
            times.append(at)
        return at - now

    def keep_place(self, who: str, until: float) -> None:
        if who in self.places:
            self.places[who].due_at = until
        elif len(self.places) < _LONGEST_LINE:
            self.places[who] = _Place(until)

    def room(self, now: float) -> int:
        """So many calls could be made now."""
        self._forget(now)
        if self.quiet_until > now:
            return 0
        return max(0, self.tier.calls - len(self.answered) - self.on_way - len(self.places))

    def is_idle(self, now: float) -> bool:
        self._forget(now)
        return not (self.answered or self.on_way or self.places) and self.quiet_until <= now

    def _forget(self, now: float) -> None:
        while self.answered and self.answered[0] + self.tier.kept_s <= now:
            self.answered.popleft()
        for name in [name for name, place in self.places.items() if place.due_at + _GRACE_S < now]:
            del self.places[name]


class Pace:
    """Of one app, in all its workspaces."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self.clock = clock
        self._sleep = sleep
        #: Workspace, method, and the channel or "". Those that were used last are at the end.
        self._lines: OrderedDict[tuple[str, str, str], Line] = OrderedDict()

    @property
    def known_lines(self) -> int:
        return len(self._lines)

    def room(self, workspace: str, method: str) -> int:
        """So many calls could be made there now."""
        line = self._lines.get((workspace, method, ""))
        return TIERS.get(method, _TIER_3).calls if line is None else line.room(self.clock())

    @contextlib.asynccontextmanager
    async def turn(
        self, workspace: str, method: str, who: str, *, is_urgent: bool, channel: str = ""
    ) -> AsyncIterator[None]:
        """Within it one call is made. `who` is the reply; `channel` counts too where it is told.

        Raises RateLimited where an urgent call would have to wait too long, and PlatformAway where another one would
        have to wait at all.
        """
        self._forget_idle_ones()
        until = self.clock() + (LONGEST_TURN_S if is_urgent else 0.0)
        lines = [self._line(workspace, method)]
        if channel:
            lines.insert(0, self._line(workspace, method, channel))
        await self._wait(lines, who, until, is_urgent=is_urgent)
        try:
            yield
        except RateLimited as limited:
            lines[0].quiet_until = max(lines[0].quiet_until, self.clock() + limited.retry_after_s)
            raise
        finally:
            for line in lines:
                line.on_way -= 1
                line.answered.append(self.clock())

    async def _wait(self, lines: list[Line], who: str, until: float, *, is_urgent: bool) -> None:
        """When it returns, the call is on its way in all the lines."""
        while True:
            now = self.clock()
            wait_s = max(line.wait_s(who, now) for line in lines)
            if wait_s <= 0:
                break
            if not is_urgent:
                raise PlatformAway("too much is being sent there to show more now")
            for line in lines:
                line.keep_place(who, now + wait_s)
            if now + wait_s > until:
                raise RateLimited("too much is being sent there", wait_s)
            await self._sleep(wait_s)
        for line in lines:
            line.places.pop(who, None)
            line.on_way += 1

    def _line(self, workspace: str, method: str, channel: str = "") -> Line:
        name = (workspace, method, channel)
        if name not in self._lines:
            self._lines[name] = Line(POSTS if channel else TIERS.get(method, _TIER_3))
        self._lines.move_to_end(name)
        return self._lines[name]

    def _forget_idle_ones(self) -> None:
        """More are looked at than may be added, so their number follows that of the busy ones."""
        now = self.clock()
        for name in list(islice(self._lines, 3)):
            if self._lines[name].is_idle(now):
                del self._lines[name]
            else:
                self._lines.move_to_end(name)
