"""Which shards this process holds, where several processes share a bot."""

from typing import Protocol

#: A claim is renewed so often.
RENEW_S = 2.0


class ShardClaims(Protocol):
    """Both methods raise StorageError."""

    async def hold(self, shard_count: int) -> frozenset[int]:
        """This process's fair share as of now, of the shards 0 … shard_count - 1; what it held is renewed.

        It is asked again every `RENEW_S`. A shard that is not in the answer any more belongs to somebody else, or soon
        will; for a moment two processes may listen to one shard, which does no harm: a message is taken in once.
        """
        ...

    async def give_up(self) -> None:
        """Others may have all of it at once."""
        ...
