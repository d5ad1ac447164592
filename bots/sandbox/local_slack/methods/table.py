"""All methods by their names, with their tiers and the scopes of which they need one."""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_slack.accounts import Install
from bots.sandbox.local_slack.limits import Rates, Window
from bots.sandbox.local_slack.methods import agents, around, chat, conversations, files, streams, views
from bots.sandbox.local_slack.parameters import Parameters
from bots.sandbox.local_slack.world import World

Carry = Callable[[World, Install, Parameters], Coroutine[object, object, JsonObject]]

_WRITE = ("chat:write",)
_AGENT = ("assistant:write", "chat:write")


@dataclass(frozen=True, slots=True)
class Method:
    carry_out: Carry
    #: 1 to 4; 0: one of its own.
    tier: int
    scopes: tuple[str, ...] = ()


METHODS = {
    "agents.sessions.rename": Method(agents.rename_session, 3, _WRITE),
    "agents.sessions.setStatus": Method(agents.set_session_status, 3, _WRITE),
    "assistant.threads.setStatus": Method(agents.set_thread_status, 0, _AGENT),
    "assistant.threads.setSuggestedPrompts": Method(agents.set_suggested_prompts, 4, _AGENT[:1]),
    "assistant.threads.setTitle": Method(agents.set_thread_title, 4, _AGENT[:1]),
    "auth.revoke": Method(around.auth_revoke, 3),
    "auth.test": Method(around.auth_test, 0),
    "bots.info": Method(around.bots_info, 3, ("users:read",)),
    "chat.appendStream": Method(streams.append_stream, 4, _WRITE),
    "chat.delete": Method(chat.delete, 3, _WRITE),
    "chat.getPermalink": Method(chat.get_permalink, 0),
    "chat.postEphemeral": Method(chat.post_ephemeral, 4, _WRITE),
    "chat.postMessage": Method(chat.post_message, 0, _WRITE),
    "chat.startStream": Method(streams.start_stream, 2, _WRITE),
    "chat.stopStream": Method(streams.stop_stream, 2, _WRITE),
    "chat.update": Method(chat.update, 3, _WRITE),
    "conversations.history": Method(conversations.history, 3),
    "conversations.info": Method(conversations.info, 3),
    "conversations.members": Method(conversations.members, 4),
    "conversations.open": Method(conversations.open_conversation, 3),
    "conversations.replies": Method(conversations.replies, 3),
    "files.completeUploadExternal": Method(files.complete_upload, 4, ("files:write",)),
    "files.getUploadURLExternal": Method(files.get_upload_url, 4, ("files:write",)),
    "files.info": Method(files.info, 4, ("files:read",)),
    "reactions.add": Method(around.reactions_add, 3, ("reactions:write",)),
    "reactions.get": Method(around.reactions_get, 3, ("reactions:read",)),
    "reactions.remove": Method(around.reactions_remove, 2, ("reactions:write",)),
    "team.info": Method(around.team_info, 3, ("team:read",)),
    "users.info": Method(around.users_info, 4, ("users:read",)),
    "views.open": Method(views.open_view, 4),
    "views.publish": Method(views.publish_view, 4),
    "views.push": Method(views.push_view, 4),
    "views.update": Method(views.update_view, 4),
}


def window(rates: Rates, name: str) -> Window:
    """How often an installation may call it."""
    tiers = (rates.special, rates.tier1, rates.tier2, rates.tier3, rates.tier4)
    return rates.methods.get(name, tiers[METHODS[name].tier])
