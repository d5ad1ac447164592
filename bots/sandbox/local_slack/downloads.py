"""The contents of files, for whoever shows a token that may see them; others are sent to the sign-in page."""

from aiohttp import web

from bots.sandbox.local_slack.methods.files import is_visible
from bots.sandbox.local_slack.refusals import Refused
from bots.sandbox.local_slack.world import World

_SIGN_IN = "<!DOCTYPE html><html><head><title>Sign in | Slack</title></head><body></body></html>"


class Downloads:
    """`/files-pri/<team>-<file>/…`"""

    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/files-pri/{name}/{path:.*}", self._give, allow_head=False),
            web.get("/signin", self._sign_in, allow_head=False),
        ]

    async def _give(self, request: web.Request) -> web.StreamResponse:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        installs = self._world.installs.values()
        caller = next((one for one in installs if one.token == token and token not in one.dead_tokens), None)
        try:
            file = self._world.files.find(request.match_info["name"].rpartition("-")[2])
        except Refused:
            return web.Response(status=404)
        if caller is None or "files:read" not in caller.scopes or not is_visible(self._world, caller, file):
            raise web.HTTPFound("/signin")
        return web.Response(body=file.content, content_type=file.mimetype.partition(";")[0])

    async def _sign_in(self, _request: web.Request) -> web.Response:
        return web.Response(text=_SIGN_IN, content_type="text/html")
