"""Which shards of Discord's gateway this process listens to, where several processes share a bot and a database."""

from adapters.discord.shard_claims import RENEW_S
from core.dialogue import Platform
from core.memory.claims import Claims
from core.memory.database import Database
from core.process_name import has_ended, process_name

#: What a process held that is gone without anybody here knowing it is free after so long.
_LASTS_S = 4 * RENEW_S


class SharedShards:
    """Implements `ShardClaims`."""

    def __init__(self, database: Database, bot: str) -> None:
        self._claims = Claims(database, (Platform.DISCORD, bot), process_name(), _LASTS_S)

    async def hold(self, shard_count: int) -> frozenset[int]:
        """See `ShardClaims`."""
        names = {f"{shard}/{shard_count}": shard for shard in range(shard_count)}
        held = await self._claims.hold(list(names), has_ended)
        return frozenset(names[name] for name in held)

    async def give_up(self) -> None:
        """See `ShardClaims`."""
        await self._claims.give_up()
