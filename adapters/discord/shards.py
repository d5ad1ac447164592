"""The shards that this process listens to: a line for each, as many as are its share.

`discord.AutoShardedClient` has its shards fixed when it starts, and none can be given away. So there is a line, with a
client of its own, for each shard, and it begins and ends with the claim to it.
"""

import asyncio
import contextlib
from collections.abc import Callable, Coroutine

from adapters.discord.identify import Starts
from adapters.discord.refusals import WrongToken
from adapters.discord.shard_claims import RENEW_S, ShardClaims
from adapters.trouble import Pauses, Trouble
from core.errors import PlatformError, StorageError

_GIVE_UP_S = 5.0

#: A shard, and how many there are → a line, until it is cancelled.
Listen = Callable[[int, int], Coroutine[object, object, None]]


class Shards:
    def __init__(
        self, claims: ShardClaims, starts: Starts, listen: Listen, count: int = 0, renew_s: float = RENEW_S
    ) -> None:
        """`count` 0: as many as Discord would have."""
        self._claims = claims
        self._starts = starts
        self._listen = listen
        self._count = count
        self._renew_s = renew_s
        self._trouble = Trouble("discord", Pauses())
        self._unkept = Trouble("discord", Pauses(renew_s, renew_s, renew_s))
        self._lines: dict[int, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Until it is cancelled. Raises what ended a line."""
        try:
            count = self._count
            while not count:
                count = await self._asked()
            while True:
                await self._hold(count)
        finally:
            await self._end(list(self._lines))
            with contextlib.suppress(StorageError, TimeoutError):
                async with asyncio.timeout(_GIVE_UP_S):
                    await self._claims.give_up()

    async def _asked(self) -> int:
        try:
            count = (await self._starts.ask()).shards
        except WrongToken as wrong:
            await self._trouble.met("token", str(wrong), is_slow=True)
            return 0
        except PlatformError as error:
            await self._trouble.met("away", f"{error}; what is said meanwhile is fetched later")
            return 0
        self._trouble.passed()
        return count

    async def _hold(self, count: int) -> None:
        try:
            held = await self._claims.hold(count)
        except StorageError as error:
            # the others can't reach the database either, so nobody takes them away
            await self._unkept.met("database", f"the shards could not be claimed: {error}")
            return
        self._unkept.passed()
        await self._end([shard for shard in self._lines if shard not in held])
        for shard in sorted(held - self._lines.keys()):
            self._lines[shard] = asyncio.create_task(self._listen(shard, count))
        if not self._lines:
            await asyncio.sleep(self._renew_s)
            return
        done, _ = await asyncio.wait(self._lines.values(), timeout=self._renew_s, return_when=asyncio.FIRST_COMPLETED)
        for line in done:
            line.result()

    async def _end(self, shards: list[int]) -> None:
        lines = [self._lines.pop(shard) for shard in shards]
        for line in lines:
            line.cancel()
        await asyncio.gather(*lines, return_exceptions=True)
