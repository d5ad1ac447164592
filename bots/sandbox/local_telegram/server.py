"""The local server, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bots.sandbox.local_telegram.api import Api
from bots.sandbox.local_telegram.control import Control
from bots.sandbox.local_telegram.methods.table import MethodTable
from bots.sandbox.local_telegram.options import Options
from bots.sandbox.local_telegram.webhook import Webhook
from bots.sandbox.local_telegram.world import World


@dataclass(frozen=True, slots=True)
class Addresses:
    #: What a bot is given as Telegram's own.
    base_url: str
    control_url: str
    token: str


@asynccontextmanager
async def serving_telegram(options: Options | None = None) -> AsyncIterator[Addresses]:
    """Until the end of the block, on this event loop. Raises OSError where a port can't be had."""
    chosen = options or Options()
    world = World(chosen.bot, chosen.limits, chosen.rates, chosen.clock_skew_s)
    webhook = Webhook(world.updates, chosen.webhook_wait_s, world.changes.happen)
    api = Api(world, MethodTable(webhook))
    control = Control(world, api, webhook)
    try:
        await api.listener.come(chosen.port)
        await control.listener.come(chosen.control_port)
        yield Addresses(api.listener.url, control.listener.url, world.account.token)
    finally:
        await webhook.aclose()
        await api.listener.aclose()
        await control.listener.aclose()
