"""The only listener of a bot: the shards that this process holds, what they bring, and what was missed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from adapters.discord.account import DiscordAccount
from adapters.discord.api import DiscordRest
from adapters.discord.application import Application, Wanted
from adapters.discord.back_fill import BackFill, CatchUp
from adapters.discord.gateway import Line, LineOptions, Shard
from adapters.discord.history import History
from adapters.discord.identify import Starts
from adapters.discord.intake import Intake
from adapters.discord.keeping import Keeping, KeepingLimits
from adapters.discord.lanes import LaneLimits
from adapters.discord.ledger import Ledger
from adapters.discord.marks import Marks
from adapters.discord.members import Members
from adapters.discord.quiet import silence
from adapters.discord.servers import Servers
from adapters.discord.shard_claims import RENEW_S, ShardClaims
from adapters.discord.shards import Shards
from adapters.discord.together import together
from adapters.discord.whereabouts import Whereabouts
from core.ports import Accept


class Interactions(Protocol):
    """`Native`."""

    async def receive(self, payload: Mapping[str, object], accept: Accept) -> None:
        """Takes an interaction in and answers it. It ends within some seconds, and raises nothing."""
        ...


@dataclass(frozen=True, slots=True)
class Records:
    """What the database keeps for the receiver."""

    marks: Marks
    claims: ShardClaims


@dataclass(frozen=True, slots=True)
class ReceiverOptions:
    line: LineOptions
    content: Wanted = Wanted.AUTO
    #: 0: as many as Discord would have. The same in all processes of a bot.
    shards: int = 0
    #: Between two sessions that begin.
    apart_s: float = 5.1
    renew_s: float = RENEW_S
    catch_up: CatchUp = field(default_factory=CatchUp)
    lanes: LaneLimits = field(default_factory=LaneLimits)
    keeping: KeepingLimits = field(default_factory=KeepingLimits)


class DiscordReceiver:
    """Implements `Receiver`."""

    def __init__(
        self,
        account: DiscordAccount,
        servers: Servers,
        rest: DiscordRest,
        interactions: Interactions,
        records: Records,
        options: ReceiverOptions,
    ) -> None:
        self._whereabouts = Whereabouts(account, servers, rest)
        self._rest = rest
        self._interactions = interactions
        self._records = records
        self._options = options
        #: While it runs.
        self._back_fill: BackFill | None = None

    @property
    def is_caught_up(self) -> bool:
        """Nothing that was missed is known to be left."""
        return self._back_fill is not None and self._back_fill.is_idle

    async def run(self, accept: Accept) -> None:
        """Until it is cancelled."""
        silence()
        options, account = self._options, self._whereabouts.account
        ledger = Ledger(account.id)
        keeping = Keeping(accept, options.keeping)
        history = History(self._rest, Members(account.id, self._rest))
        back_fill = BackFill(ledger, self._records.marks, history, self._whereabouts, keeping, options.catch_up)
        answer = partial(self._interactions.receive, accept=accept)
        intake = Intake(self._whereabouts, ledger, keeping, back_fill, answer, options.lanes)
        application, starts = Application(self._rest, options.content), Starts(self._rest, options.apart_s)

        async def listen(shard: int, count: int) -> None:
            await Line(Shard(shard, count), application, starts, intake.take, options.line).run()

        shards = Shards(self._records.claims, starts, listen, options.shards, options.renew_s)
        self._back_fill = back_fill
        try:
            await together(shards.run(), back_fill.run())
        finally:
            self._back_fill = None
            await intake.aclose()
