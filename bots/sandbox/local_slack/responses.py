"""Answers to interactions that are posted to their response URL, or come with an acknowledgement."""

import time

from aiohttp import web

from bots.sandbox.json_values import JsonObject, as_json
from bots.sandbox.local_slack.accounts import Install
from bots.sandbox.local_slack.channels import Channel
from bots.sandbox.local_slack.methods.chat import content, new_message
from bots.sandbox.local_slack.parameters import Parameters, read_parameters
from bots.sandbox.local_slack.refusals import Refused
from bots.sandbox.local_slack.telling import tell_message
from bots.sandbox.local_slack.world import World


class Responses:
    """`/response/<name>`"""

    def __init__(self, world: World) -> None:
        self._world = world

    async def take(self, request: web.Request) -> web.Response:
        try:
            given = await read_parameters(request)
            url = self._world.triggers.answer_at(request.match_info["name"])
            if given.has("markdown_text"):
                raise Refused("invalid_payload")
            install, channel = self._world.installs[url.install], self._world.channel(url.channel)
            show_response(self._world, install, channel, url.user, dict(given.values), url.message_ts)
        except Refused as refused:
            told = as_json({"ok": False, "error": refused.error})
            return web.Response(body=told, status=404, content_type="application/json")
        return web.Response(text="ok")


def show_response(
    world: World, install: Install, channel: Channel, user: str, said: JsonObject, message_ts: str = ""
) -> None:
    """For the one who asked, for all, or in place of the message. Raises Refused."""
    given = Parameters(said)
    original = channel.messages.get(message_ts)
    if original is not None and given.flag("delete_original"):
        original.deleted_at = time.monotonic()
        world.change(channel)
        return
    version = content(world, given)
    if original is not None and given.flag("replace_original"):
        world.rewrite(channel, original, version)
        return
    message = new_message(world, install, version)
    message.thread_ts = given.text("thread_ts")
    message.only_for = "" if given.text("response_type") == "in_channel" else user
    world.write(channel, message)
    if not message.only_for:
        tell_message(world, channel, message)
