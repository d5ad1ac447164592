"""The contents of attachments, for whoever has their signed address, as long as it is good."""

import hmac

from aiohttp import web

from bots.sandbox.local_discord.wire import signature
from bots.sandbox.local_discord.world import World


class Downloads:
    """`/attachments/<channel>/<attachment>/<name>`"""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/attachments/{channel}/{attachment}/{name}", self._give, allow_head=False)]

    async def _give(self, request: web.Request) -> web.StreamResponse:
        where, query = request.match_info, request.query
        path = f"/attachments/{where['channel']}/{where['attachment']}/{where['name']}"
        if not hmac.compare_digest(query.get("hm", ""), signature(path, query.get("ex", ""))):
            return web.Response(status=404, text="This content is no longer available.")
        if int(query["ex"], 16) < self._world.clock.now():
            return web.Response(status=404, text="This content is no longer available.")
        channel = self._world.channels.get(where["channel"])
        messages = [] if channel is None else [one for one in channel.messages.values() if one.deleted_at is None]
        for attachment in (one for message in messages for one in message.now.attachments):
            if attachment.id == where["attachment"]:
                kind = {"Content-Type": attachment.content_type}
                return web.Response(body=attachment.content, headers=kind)
        return web.Response(status=404, text="This content is no longer available.")
