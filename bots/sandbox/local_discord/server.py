"""The local server, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bots.sandbox.listening import Listener
from bots.sandbox.local_discord.api import Api
from bots.sandbox.local_discord.control import Control
from bots.sandbox.local_discord.doings import Doings
from bots.sandbox.local_discord.downloads import Downloads
from bots.sandbox.local_discord.gateway import Gateway
from bots.sandbox.local_discord.interactions import Interactions
from bots.sandbox.local_discord.options import Options
from bots.sandbox.local_discord.ordeals import Ordeals
from bots.sandbox.local_discord.sessions import Sessions
from bots.sandbox.local_discord.starts import Starts
from bots.sandbox.local_discord.world import World


@dataclass(frozen=True, slots=True)
class Addresses:
    #: What an app is given as Discord's own.
    api_url: str
    control_url: str


@asynccontextmanager
async def serving_discord(options: Options | None = None) -> AsyncIterator[Addresses]:
    """Until the end of the block, on this event loop. Raises OSError where a port can't be had."""
    chosen = options or Options()
    world = World(chosen)
    sessions, starts = Sessions(world), Starts(world)
    gateway, interactions = Gateway(world, sessions, starts), Interactions(world)
    world.tell, world.cut_off = sessions.tell, gateway.end_all
    api = Api(world, interactions, starts)
    discord = Listener([*api.routes(), *gateway.routes(), *Downloads(world).routes()])
    ordeals = Ordeals(world, api, discord, gateway, sessions, starts)
    control = Control(world, Doings(world, interactions), ordeals)
    try:
        await discord.come(chosen.port)
        world.url = discord.url
        await control.listener.come(chosen.control_port)
        yield Addresses(f"{discord.url}/api/v10", control.listener.url)
    finally:
        await gateway.aclose()
        await discord.aclose()
        await control.listener.aclose()
