"""agents.sessions.* and assistant.threads.*: what is shown of an agent's work, and what it is called."""

import time

from bots.sandbox.json_values import JsonObject, list_in, object_in
from bots.sandbox.local_slack.access import thread_root, visible_channel, writable_channel
from bots.sandbox.local_slack.accounts import Install
from bots.sandbox.local_slack.channels import Channel, Kind, Session, Thread
from bots.sandbox.local_slack.parameters import Parameters
from bots.sandbox.local_slack.refusals import Refused
from bots.sandbox.local_slack.world import World

_STATUSES = {"active", "processing", "suspended", "closed"}
_TITLE_CHARS = 200
_MOST_PROMPTS = 4
_MOST_LOADING = 10
_STOPPED = "agent_session_stopped"


async def set_session_status(world: World, caller: Install, given: Parameters) -> JsonObject:
    channel = writable_channel(world, caller, given.required("channel_id"))
    root_ts = _session_root(channel, given)
    title = given.text("title")
    if len(title) > _TITLE_CHARS:
        raise Refused("invalid_arguments")
    session = move_session(channel, root_ts, given.required("status"), title)
    world.change(channel)
    answer: JsonObject = {"status": session.status, "agent_status": session.status, "title": session.title}
    if _STOPPED not in world.options.app.events:
        answer["warning"] = f"missing_{_STOPPED}_event_subscription"
    return answer


async def rename_session(world: World, caller: Install, given: Parameters) -> JsonObject:
    channel = writable_channel(world, caller, given.required("channel_id"))
    root_ts = _session_root(channel, given)
    session, title = channel.thread(root_ts).session, given.required("title")
    if session is None:
        raise Refused("session_not_found")
    if len(title) > _TITLE_CHARS:
        raise Refused("invalid_arguments")
    session.title = title
    world.change(channel)
    return {"title": title}


def move_session(channel: Channel, root_ts: str, status: str, title: str = "") -> Session:
    """It is made where there is none; only then it gets a title. Raises Refused."""
    if status not in _STATUSES:
        raise Refused("invalid_status")
    thread = channel.thread(root_ts)
    if thread.session is None:
        thread.session = Session(status, title)
    thread.session.status = status
    thread.session.history.append((time.monotonic(), status))
    return thread.session


async def set_thread_status(world: World, caller: Install, given: Parameters) -> JsonObject:
    channel, thread = _thread(world, caller, given)
    if len(given.texts("loading_messages")) > _MOST_LOADING:
        raise Refused("invalid_arguments")
    thread.statuses.append((time.monotonic(), given.text("status")))
    world.change(channel)
    return {}


async def set_thread_title(world: World, caller: Install, given: Parameters) -> JsonObject:
    channel, thread = _thread(world, caller, given)
    thread.title = given.required("title")
    world.change(channel)
    return {}


async def set_suggested_prompts(world: World, caller: Install, given: Parameters) -> JsonObject:
    """In the agent view they belong to the whole DM, and no thread is named."""
    is_whole = world.options.app.is_agent_view and not given.text("thread_ts")
    if is_whole:
        channel = visible_channel(world, caller, given.required("channel_id"))
        thread = channel.thread("")
    else:
        channel, thread = _thread(world, caller, given)
    if channel.kind is not Kind.IM:
        raise Refused("channel_not_found")
    prompts = [object_in(one) for one in list_in(given.structure("prompts"))]
    if len(prompts) > _MOST_PROMPTS or not all(one.get("title") and one.get("message") for one in prompts):
        raise Refused("invalid_arguments")
    thread.prompts = prompts
    world.change(channel)
    return {}


def _session_root(channel: Channel, given: Parameters) -> str:
    """Raises Refused."""
    if not given.text("thread_ts"):
        raise Refused("thread_ts_required")
    return thread_root(channel, given.text("thread_ts"), "thread_not_found")


def _thread(world: World, caller: Install, given: Parameters) -> tuple[Channel, Thread]:
    """Raises Refused."""
    channel = visible_channel(world, caller, given.required("channel_id"))
    if caller.bot.id not in channel.members:
        raise Refused("channel_not_found")
    root_ts = thread_root(channel, given.required("thread_ts"), "invalid_thread_ts")
    return channel, channel.thread(root_ts)
