"""How often sessions may begin: so many a day, and one in five seconds for each place in `max_concurrency`."""

from dataclasses import dataclass, field

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_discord.refusals import TooOften
from bots.sandbox.local_discord.world import World

_DAY_S = 86_400.0


@dataclass(slots=True)
class Starts:
    world: World
    #: (server time, shard) of every IDENTIFY that was taken.
    taken: list[tuple[float, int]] = field(default_factory=list)
    #: Too soon after another one.
    refused: int = 0
    #: How often the token was reset because there were too many.
    resets: int = 0
    _day_ends: float = 0.0
    _used: int = 0

    def take(self, shard: int) -> bool:
        """False where it comes too soon. The one too many costs the token."""
        limits, rates, now = self.world.options.limits, self.world.options.rates, self.world.clock.now()
        self._new_day(now)
        self._used += 1
        if self._used > limits.identifies_a_day:
            self._used = 0
            self.resets += 1
            self.world.reset_token()
            return False
        try:
            if not rates.is_unlimited:
                place = str(shard % limits.max_concurrency)
                self.world.tallies.check("identify", place, rates.identify, now, "user")
        except TooOften:
            self.refused += 1
            return False
        self.taken.append((now, shard))
        return True

    def to_json(self) -> JsonObject:
        """As GET /gateway/bot tells it."""
        now = self.world.clock.now()
        self._new_day(now)
        limits = self.world.options.limits
        return {
            "total": limits.identifies_a_day,
            "remaining": max(0, limits.identifies_a_day - self._used),
            "reset_after": int((self._day_ends - now) * 1000),
            "max_concurrency": limits.max_concurrency,
        }

    def spend(self, count: int) -> None:
        """As if there had been so many more today."""
        self._new_day(self.world.clock.now())
        self._used += count

    def _new_day(self, now: float) -> None:
        if now >= self._day_ends:
            self._day_ends, self._used = now + _DAY_S, 0
