"""The replies that are owed, from the moment a message is begun until the platform has all of it.

Everything is written before it is sent: the turn, the reply's text and tokens as they are shown, where it was cut into
parts, and each part's handle. So whoever comes after a crash knows what a person may have seen, and goes on from there.
Every write names the lease and is refused when another process answers there by now.
"""

from core.memory import outbox_ends as ends_of
from core.memory import outbox_writes as writes_of
from core.memory.grouped import GroupedWrites
from core.memory.leased import Lease, WaitingMessage, Work
from core.memory.leases import next_work
from core.memory.overheard import Overheard, remember
from core.memory.owed import Again, Beginning, Begun, Delivery, Ended, Progress, Resuming, Saying, Settled, Whole
from core.memory.revising import Revising


class Outbox:
    """All methods raise StorageError; LeaseLost where another process took the place."""

    def __init__(self, writes: GroupedWrites) -> None:
        self._writes = writes
        #: Edits, deletions and feedback, of what was answered and what is not yet.
        self.revising = Revising(writes)

    async def begin(self, beginning: Beginning) -> Begun:
        """The person's turn, and the reply that is owed to it."""
        return await self._writes.write(writes_of.begin, beginning)

    async def resume(self, resuming: Resuming) -> Begun | None:
        """What an earlier process, or an earlier try, has begun; None where it had not come so far."""
        return await self._writes.write(writes_of.resume, resuming)

    async def again(self, again: Again) -> Begun:
        """Another reply that is owed to a question."""
        return await self._writes.write(writes_of.again, again)

    def hear(self, message: WaitingMessage, begun: Begun) -> None:
        """A command's own transaction has begun a reply, or written one down (`core.commands.carrying_out`)."""

    async def say(self, saying: Saying) -> Delivery:
        return await self._writes.write(writes_of.say, saying)

    async def progress(self, progress: Progress) -> None:
        await self._writes.write(writes_of.progress, progress)

    async def record(self, whole: Whole) -> Delivery:
        """The assistant's turn, and the whole reply that is owed."""
        return await self._writes.write(writes_of.record, whole)

    async def settle(self, settled: Settled) -> Work | None:
        """The message is answered for good; what waits next there. Where nothing does, the lease is given back."""
        return await self._writes.write(ends_of.settle, settled)

    async def settle_beside(self, settled: Settled) -> None:
        """An event was answered beside the reply that it is about; the lease stays."""
        await self._writes.write(ends_of.settle_beside, settled)

    async def end(self, ended: Ended) -> Work | None:
        """See `settle`."""
        return await self._writes.write(ends_of.end, ended)

    async def overhear(self, overheard: Overheard) -> Work | None:
        """What was said around the bot is remembered, and nobody is answered. See `settle`."""
        return await self._writes.write(remember, overheard)

    async def next(self, lease: Lease) -> Work | None:
        """What waits at a place that is leased; where nothing does, the lease is given back."""
        return await self._writes.write(next_work, lease)

    async def close(self, ended: Ended) -> None:
        """An event needs no answer beside the reply that it is about, or not now; the lease stays."""
        await self._writes.write(ends_of.close, ended)
