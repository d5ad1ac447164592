"""The control interface: `POST /control/<order>`, JSON in and out, on a port of its own.

It orders what people and Slack do, and tells what there is to see. It stays when the Web API goes away.
"""

import dataclasses
import math
from collections.abc import Awaitable, Callable

from aiohttp import web

from bots.sandbox.json_values import JsonObject, as_json
from bots.sandbox.listening import Listener
from bots.sandbox.local_slack.doings import Doings
from bots.sandbox.local_slack.ordeals import Ordeals
from bots.sandbox.local_slack.parameters import Parameters, read_parameters
from bots.sandbox.local_slack.refusals import Refused
from bots.sandbox.local_slack.staging import Staging
from bots.sandbox.local_slack.world import World

_LONGEST_WAIT_S = 30.0
#: Nobody sees it.
_DRIVER_LEFT = 499

Order = Callable[[Parameters], Awaitable[object]]


class Control:
    """Whoever drives the server."""

    def __init__(self, world: World, doings: Doings, ordeals: Ordeals) -> None:
        self._world = world
        self._ordeals = ordeals
        self._staged = Staging(world).orders()
        self._orders: dict[str, Order] = {
            "state": self._state,
            "seen": self._seen,
            "calls": self._calls,
            "deliveries": self._deliveries,
            "wait": self._wait,
            "advance": self._advance,
            **doings.orders(),
            **ordeals.orders(),
        }
        self.listener = Listener([web.post("/control/{order}", self._answer)])

    async def _answer(self, request: web.Request) -> web.Response:
        try:
            result = await self._carry_out(request.match_info["order"], await read_parameters(request))
        except (Refused, ValueError) as error:
            return web.Response(body=as_json({"error": str(error)}), status=400, content_type="application/json")
        except ConnectionError:  # whoever drives it has gone
            return web.Response(status=_DRIVER_LEFT)
        return web.Response(body=as_json({"result": result}), content_type="application/json")

    async def _carry_out(self, name: str, given: Parameters) -> object:
        if name in self._staged:
            return self._staged[name](given)
        if name in self._orders:
            return await self._orders[name](given)
        raise ValueError(f"nothing is called {name}")

    async def _state(self, _given: Parameters) -> object:
        """What is in no channel."""
        app, ordeals = self._world.options.app, self._ordeals
        return {
            "version": self._world.changes.version,
            "api_url": f"{ordeals.slack.url}/api/",
            "control_url": self.listener.url,
            "is_here": ordeals.slack.is_here,
            "now": self._world.clock.now(),
            "app_id": app.id,
            "app_token": self._world.app_token,
            "signing_secret": app.signing_secret,
            "client_id": app.client_id,
            "client_secret": app.client_secret,
            "installs": [_installed(self._world, install_id) for install_id in self._world.installs],
            "excesses": {what: times for what, times in self._world.excesses.items() if times},
            "sockets": [socket.to_json() for socket in ordeals.sockets.sockets],
            "pending_events": ordeals.deliveries.pending,
            "waiting_faults": ordeals.api.faults.waiting,
        }

    async def _seen(self, given: Parameters) -> object:
        """What a channel shows, and what it showed before."""
        channel = self._world.channel(given.text("channel"))
        for message in channel.messages.values():
            self._world.age(message)
        return {
            "version": channel.changes.version,
            "id": channel.id,
            "name": channel.name,
            "kind": channel.kind.value,
            "members": channel.members,
            "is_archived": channel.is_archived,
            "messages": [message.shown() for message in channel.messages.values()],
            "threads": {root_ts: dataclasses.asdict(thread) for root_ts, thread in channel.threads.items()},
        }

    async def _calls(self, given: Parameters) -> object:
        since = given.number("since", -math.inf)
        calls = self._ordeals.api.calls.to_json(given.text("method"), since)
        return {"version": self._world.changes.version, "calls": calls}

    async def _deliveries(self, _given: Parameters) -> object:
        return {"version": self._world.changes.version, "deliveries": self._ordeals.deliveries.to_json()}

    async def _wait(self, given: Parameters) -> object:
        """Until something happens after `version`: in a channel, or anywhere."""
        timeout_s = min(given.number("timeout_s", 1.0), _LONGEST_WAIT_S)
        channel_id = given.text("channel")
        changes = self._world.channel(channel_id).changes if channel_id else self._world.changes
        return await changes.since(given.integer("version"), timeout_s)

    async def _advance(self, given: Parameters) -> object:
        """Slack's clock goes on by so many seconds."""
        self._world.clock.advance(given.number("seconds"))
        self._world.changes.happen()
        return self._world.clock.now()


def _installed(world: World, install_id: str) -> JsonObject:
    install = world.installs[install_id]
    return {
        "id": install.id,
        "name": install.name,
        "token": install.token,
        "bot_user_id": install.bot.id,
        "bot_id": install.bot.bot_id,
        "team_ids": install.team_ids,
        "enterprise_id": install.enterprise_id,
        "is_enterprise": install.is_enterprise,
        "is_removed": install.is_removed,
    }
