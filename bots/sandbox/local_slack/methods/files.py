"""files.*"""

import mimetypes

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_slack.access import thread_root, writable_channel
from bots.sandbox.local_slack.accounts import Install
from bots.sandbox.local_slack.files import StoredFile
from bots.sandbox.local_slack.methods.chat import new_message
from bots.sandbox.local_slack.parameters import Parameters
from bots.sandbox.local_slack.refusals import Refused
from bots.sandbox.local_slack.telling import tell_message
from bots.sandbox.local_slack.world import World


async def info(world: World, caller: Install, given: Parameters) -> JsonObject:
    file = world.files.find(given.required("file"))
    if not is_visible(world, caller, file):
        raise Refused("file_not_found")
    return {"file": file.to_json(world.url)}


async def get_upload_url(world: World, caller: Install, given: Parameters) -> JsonObject:
    name, length = given.required("filename"), given.integer("length")
    if length <= 0:
        raise Refused("missing_argument")
    mimetype = mimetypes.guess_type(name)[0] or "application/octet-stream"
    file = StoredFile(world.ids.next("F"), name, mimetype, caller.bot.id, caller.id, size=length)
    return {"upload_url": f"{world.url}/upload/v1/{world.files.ticket(file)}", "file_id": file.id}


async def complete_upload(world: World, caller: Install, given: Parameters) -> JsonObject:
    wanted = {str(one.get("id")): one for one in given.items("files")}
    files = [file for file in world.files.tickets.values() if file.id in wanted]
    if not wanted or len(files) < len(wanted) or any(len(file.content) != file.size for file in files):
        raise Refused("file_not_found")
    for file in files:
        file.name = str(wanted[file.id].get("title") or file.name)
        world.files.keep(file)
    told = [file.to_json(world.url) for file in files]
    if channel_id := given.text("channel_id"):
        channel = writable_channel(world, caller, channel_id)
        message = new_message(world, caller, world.version(given.text("initial_comment")))
        message.thread_ts, message.files = thread_root(channel, given.text("thread_ts")), told
        message.subtype = "file_share"
        world.write(channel, message)
        tell_message(world, channel, message)
    return {"files": told}


def is_visible(world: World, caller: Install, file: StoredFile) -> bool:
    """Its own company's, or one that was sent where the bot is."""
    if file.team in {caller.id, *caller.team_ids}:
        return True
    return any(
        sent.get("id") == file.id
        for channel in world.channels.values()
        if caller.bot.id in channel.members
        for message in channel.messages.values()
        for sent in message.files
    )
