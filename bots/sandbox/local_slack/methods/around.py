"""auth.*, users.*, team.*, bots.*, reactions.*"""

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_slack.access import visible_channel, writable_channel
from bots.sandbox.local_slack.accounts import Install
from bots.sandbox.local_slack.parameters import Parameters
from bots.sandbox.local_slack.refusals import Refused
from bots.sandbox.local_slack.telling import tell_all, tell_install
from bots.sandbox.local_slack.world import World

_MOST_EMOJI = 23


async def auth_test(world: World, caller: Install, _given: Parameters) -> JsonObject:
    team = world.teams.get(caller.team_ids[0]) if caller.team_ids else None
    domain = team.domain if team else caller.id.lower()
    answer: JsonObject = {
        "url": f"https://{domain}.slack.com/",
        "team": caller.name,
        "user": caller.bot.name.lower(),
        "team_id": caller.id,
        "user_id": caller.bot.id,
        "bot_id": caller.bot.bot_id,
        "is_enterprise_install": caller.is_enterprise,
    }
    return answer | ({"enterprise_id": caller.enterprise_id} if caller.enterprise_id else {})


async def auth_revoke(world: World, caller: Install, given: Parameters) -> JsonObject:
    if not given.flag("test"):
        revoke(world, caller)
    return {"revoked": not given.flag("test")}


def revoke(world: World, install: Install) -> None:
    """The token is good for nothing from now on; the app is told."""
    install.dead_tokens[install.token] = "token_revoked"
    tokens: JsonObject = {"oauth": [], "bot": [install.bot.id]}
    tell_install(world, install, None, {"type": "tokens_revoked", "tokens": tokens})
    world.changes.happen()


async def users_info(world: World, caller: Install, given: Parameters) -> JsonObject:
    user = world.user(given.required("user"))
    is_stranger = user.team_id not in {caller.id, *caller.team_ids}
    if is_stranger and not any({user.id, caller.bot.id} <= set(one.members) for one in world.channels.values()):
        raise Refused("user_not_visible")
    return {"user": user.to_json(is_stranger=is_stranger, with_locale=given.flag("include_locale"))}


async def bots_info(world: World, _caller: Install, given: Parameters) -> JsonObject:
    bot = next((one for one in world.users.values() if one.bot_id and one.bot_id == given.text("bot")), None)
    if bot is None:
        raise Refused("bot_not_found")
    return {"bot": {"id": bot.bot_id, "app_id": world.options.app.id, "user_id": bot.id, "name": bot.name}}


async def team_info(world: World, caller: Install, given: Parameters) -> JsonObject:
    team = world.teams.get(given.text("team") or (caller.team_ids[0] if caller.team_ids else ""))
    if team is None:
        raise Refused("team_not_found")
    told: JsonObject = {"id": team.id, "name": team.name, "domain": team.domain}
    return {"team": told | ({"enterprise_id": team.enterprise_id} if team.enterprise_id else {})}


async def reactions_add(world: World, caller: Install, given: Parameters) -> JsonObject:
    channel = writable_channel(world, caller, given.required("channel"))
    react(world, channel.id, given.required("timestamp"), caller.bot.id, given.required("name"))
    return {}


async def reactions_remove(world: World, caller: Install, given: Parameters) -> JsonObject:
    channel = writable_channel(world, caller, given.required("channel"))
    unreact(world, channel.id, given.required("timestamp"), caller.bot.id, given.required("name"))
    return {}


async def reactions_get(world: World, caller: Install, given: Parameters) -> JsonObject:
    channel = visible_channel(world, caller, given.required("channel"))
    message = world.message(channel, given.required("timestamp"))
    told = [{"name": name, "users": users, "count": len(users)} for name, users in message.reactions.items() if users]
    return {"type": "message", "channel": channel.id, "message": {"ts": message.ts, "reactions": told}}


def react(world: World, channel_id: str, ts: str, user_id: str, name: str) -> None:
    """Raises Refused."""
    channel = world.channel(channel_id)
    message = world.message(channel, ts)
    users = message.reactions.setdefault(name, [])
    if user_id in users:
        raise Refused("already_reacted")
    if len(message.reactions) > _MOST_EMOJI:
        raise Refused("too_many_emoji")
    users.append(user_id)
    world.change(channel)
    _tell(world, channel_id, ts, user_id, name, "reaction_added")


def unreact(world: World, channel_id: str, ts: str, user_id: str, name: str) -> None:
    """Raises Refused."""
    channel = world.channel(channel_id)
    message = world.message(channel, ts)
    if user_id not in message.reactions.get(name, []):
        raise Refused("no_reaction")
    message.reactions[name].remove(user_id)
    world.change(channel)
    _tell(world, channel_id, ts, user_id, name, "reaction_removed")


def _tell(world: World, channel_id: str, ts: str, user_id: str, name: str, kind: str) -> None:
    channel = world.channel(channel_id)
    item: JsonObject = {"type": "message", "channel": channel_id, "ts": ts}
    event: JsonObject = {"type": kind, "user": user_id, "reaction": name, "item": item}
    tell_all(world, channel, event | {"item_user": channel.messages[ts].user})
