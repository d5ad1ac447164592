"""A request, as the operations see it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from bots.sandbox.local_discord.bodies import Body
from bots.sandbox.local_discord.interactions import Interactions
from bots.sandbox.local_discord.starts import Starts
from bots.sandbox.local_discord.world import World


@dataclass(frozen=True, slots=True)
class Asked:
    world: World
    #: What stands in its path, by name.
    where: Mapping[str, str]
    body: Body
    interactions: Interactions
    starts: Starts


#: The answer; None for 204.
CarryOut = Callable[[Asked], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Operation:
    name: str
    method: str
    #: With aiohttp's `{names}`.
    path: str
    carry_out: CarryOut
    #: The names of its path that have a rate limit of their own.
    major: tuple[str, ...] = ()
    #: The bucket that it shares; its own name where it is "".
    bucket: str = ""
    #: By a token in its path, rather than the bot's.
    is_open: bool = False
