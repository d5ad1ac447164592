"""The control interface: `POST /control/<order>`, JSON in and out, on a port of its own.

It orders what people and Discord do, and tells what there is to see. It stays when the API goes away.
"""

import math
from collections.abc import Awaitable, Callable

from aiohttp import web

from bots.sandbox.json_values import as_json
from bots.sandbox.listening import Listener
from bots.sandbox.local_discord.accounts import Guild
from bots.sandbox.local_discord.ageing import archive_stale
from bots.sandbox.local_discord.bodies import Body, read_body
from bots.sandbox.local_discord.channels import Channel
from bots.sandbox.local_discord.doings import Doings
from bots.sandbox.local_discord.ordeals import Ordeals
from bots.sandbox.local_discord.refusals import Refused
from bots.sandbox.local_discord.staging import Staging
from bots.sandbox.local_discord.world import World

_LONGEST_WAIT_S = 30.0
#: Nobody sees it.
_DRIVER_LEFT = 499

Order = Callable[[Body], Awaitable[object]]


class Control:
    """Whoever drives the server."""

    def __init__(self, world: World, doings: Doings, ordeals: Ordeals) -> None:
        self._world = world
        self._ordeals = ordeals
        self._staged = Staging(world).orders()
        self._orders: dict[str, Order] = {
            "state": self._state,
            "seen": self._seen,
            "channels": self._channels,
            "calls": self._calls,
            "told": self._told,
            "wait": self._wait,
            "advance": self._advance,
            **doings.orders(),
            **ordeals.orders(),
        }
        self.listener = Listener([web.post("/control/{order}", self._answer)])

    async def _answer(self, request: web.Request) -> web.Response:
        try:
            result = await self._carry_out(request.match_info["order"], await read_body(request))
        except (Refused, ValueError, KeyError) as error:
            return web.Response(body=as_json({"error": str(error)}), status=400, content_type="application/json")
        except ConnectionError:  # whoever drives it has gone
            return web.Response(status=_DRIVER_LEFT)
        return web.Response(body=as_json({"result": result}), content_type="application/json")

    async def _carry_out(self, name: str, given: Body) -> object:
        if name in self._staged:
            return self._staged[name](given)
        if name in self._orders:
            return await self._orders[name](given)
        raise ValueError(f"nothing is called {name}")

    async def _state(self, _given: Body) -> object:
        """What is in no channel."""
        world, ordeals = self._world, self._ordeals
        return {
            "version": world.changes.version,
            "api_url": f"{ordeals.discord.url}/api/v10",
            "gateway_url": f"{ordeals.discord.url.replace('http://', 'ws://')}/gateway",
            "control_url": self.listener.url,
            "is_here": ordeals.discord.is_here,
            "now": world.clock.now(),
            "token": world.token,
            "application_id": world.app_id,
            "bot_id": world.bot.id,
            "guilds": [_guild_shown(guild, world.bot.id) for guild in world.guilds.values()],
            "excesses": {what: times for what, times in world.excesses.items() if times},
            "connections": [one.to_json() for one in ordeals.gateway.connections],
            "heartbeat_s": world.options.limits.heartbeat_s,
            "identifies": [{"at": at, "shard": shard} for at, shard in ordeals.starts.taken],
            "identifies_refused": ordeals.starts.refused,
            "session_starts": ordeals.starts.to_json(),
            "token_resets": ordeals.starts.resets,
            "commands": world.commands,
            "waiting_faults": ordeals.api.faults.waiting,
        }

    async def _seen(self, given: Body) -> object:
        """What a channel shows, and what it showed before; one that is gone too."""
        channel = self._world.channels.get(given.text("channel"))
        if channel is None:
            raise ValueError("there is no such channel")
        return _channel_shown(channel)

    async def _channels(self, _given: Body) -> object:
        """Every channel's id, oldest first: threads, DMs, those that are gone."""
        return [
            {
                "id": one.id,
                "kind": one.kind.name,
                "name": one.name,
                "guild_id": one.guild_id,
                "parent_id": one.parent_id,
            }
            for one in self._world.channels.values()
        ]

    async def _calls(self, given: Body) -> object:
        since = given.number("since", -math.inf)
        calls = self._ordeals.api.calls.to_json(given.text("operation"), since)
        return {"version": self._world.changes.version, "calls": calls}

    async def _told(self, given: Body) -> object:
        """What went over the gateway, and over which connection."""
        name, since = given.text("name"), given.number("since", -math.inf)
        told = [one.to_json() for one in self._ordeals.sessions.told if one.at >= since and name in {"", one.name}]
        return {"version": self._world.changes.version, "told": told}

    async def _wait(self, given: Body) -> object:
        """Until something happens after `version`: in a channel, or anywhere."""
        timeout_s = min(given.number("timeout_s", 1.0), _LONGEST_WAIT_S)
        channel_id = given.text("channel")
        changes = self._world.channels[channel_id].changes if channel_id else self._world.changes
        return await changes.since(given.integer("version"), timeout_s)

    async def _advance(self, given: Body) -> object:
        """Discord's clock goes on by so many seconds."""
        self._world.clock.advance(given.number("seconds"))
        archive_stale(self._world)
        self._world.changes.happen()
        return self._world.clock.now()


def _guild_shown(guild: Guild, bot_id: str) -> dict[str, object]:
    return {"id": guild.id, "name": guild.name, "has_bot": bot_id in guild.members}


def _channel_shown(channel: Channel) -> dict[str, object]:
    thread = channel.thread
    return {
        "version": channel.changes.version,
        "id": channel.id,
        "kind": channel.kind.name,
        "name": channel.name,
        "guild_id": channel.guild_id,
        "parent_id": channel.parent_id,
        "is_archived": thread is not None and thread.is_archived,
        "is_locked": thread is not None and thread.is_locked,
        "owner_id": thread.owner_id if thread is not None else "",
        "member_ids": list(thread.member_ids) if thread is not None else [],
        "typing": list(channel.typing),
        "names": list(channel.names),
        "is_deleted": channel.deleted_at is not None,
        "messages": [message.shown() for message in channel.messages.values()],
    }
