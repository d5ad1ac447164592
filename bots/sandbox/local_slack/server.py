"""The local server, put together."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from aiohttp import web

from bots.sandbox.listening import Listener
from bots.sandbox.local_slack.accounts import Team
from bots.sandbox.local_slack.api import Api
from bots.sandbox.local_slack.bringing import Way
from bots.sandbox.local_slack.control import Control
from bots.sandbox.local_slack.deliveries import Deliveries
from bots.sandbox.local_slack.doings import Doings
from bots.sandbox.local_slack.downloads import Downloads
from bots.sandbox.local_slack.interactions import Interactions
from bots.sandbox.local_slack.oauth import Oauth
from bots.sandbox.local_slack.options import Options
from bots.sandbox.local_slack.ordeals import Ordeals
from bots.sandbox.local_slack.request_urls import RequestUrls
from bots.sandbox.local_slack.responses import Responses
from bots.sandbox.local_slack.sockets import Sockets
from bots.sandbox.local_slack.world import World


@dataclass(frozen=True, slots=True)
class Addresses:
    #: What an app is given as Slack's own.
    api_url: str
    control_url: str


@asynccontextmanager
async def serving_slack(options: Options | None = None) -> AsyncIterator[Addresses]:
    """Until the end of the block, on this event loop. Raises OSError where a port can't be had."""
    chosen = options or Options()
    world = _world(chosen)
    sockets, urls = Sockets(world), RequestUrls(world)

    def way() -> Way:
        return urls if urls.events else sockets

    deliveries, oauth = Deliveries(world, way), Oauth(world)
    api = Api(world, sockets, oauth)
    slack = Listener([*api.routes(), web.get("/link/", sockets.connect), *_other_routes(world)])
    doings = Doings(world, Interactions(world, deliveries.interact), oauth)
    ordeals = Ordeals(api, slack, deliveries, sockets, urls)
    control = Control(world, doings, ordeals)
    try:
        await slack.come(chosen.port)
        world.url = slack.url
        await control.listener.come(chosen.control_port)
        yield Addresses(f"{slack.url}/api/", control.listener.url)
    finally:
        await deliveries.aclose()
        await sockets.aclose()
        await urls.aclose()
        await slack.aclose()
        await control.listener.aclose()


def _world(options: Options) -> World:
    """With the first workspace, and the app in it."""
    world = World(options)
    team = Team(world.ids.next("T"), options.team_name)
    world.teams[team.id] = team
    world.install(team)
    return world


def _other_routes(world: World) -> list[web.RouteDef]:
    return [
        web.post("/response/{name}", Responses(world).take),
        web.post("/upload/v1/{ticket}", world.files.take_upload),
        *Downloads(world).routes(),
    ]
