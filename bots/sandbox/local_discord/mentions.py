"""Whom a message calls: what stands in it, and what `allowed_mentions` lets through."""

import re

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_discord.bodies import Body
from bots.sandbox.local_discord.channels import Channel
from bots.sandbox.local_discord.messages import Pings
from bots.sandbox.local_discord.world import World

_USER = re.compile(r"<@!?(\d+)>")
_ROLE = re.compile(r"<@&(\d+)>")
_EVERYONE = re.compile(r"@(?:everyone|here)\b")
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)


def pings_in(world: World, channel: Channel, content: str, allowed: JsonObject | None, replied: str = "") -> Pings:
    """`allowed` None: everything is; people are asked for none. `replied`: who would be told of a reply."""
    told = _CODE.sub("", content)
    users = [one for one in dict.fromkeys(_USER.findall(told)) if one in world.users]
    guild = world.guild_of(channel)
    roles = [one for one in dict.fromkeys(_ROLE.findall(told)) if guild is not None and one in guild.roles]
    is_everyone = guild is not None and bool(_EVERYONE.search(told))
    if allowed is None:
        return Pings(tuple(users), tuple(roles), is_everyone, replied)
    given = Body(allowed)
    parse = given.texts("parse")
    return Pings(
        tuple(one for one in users if "users" in parse or one in given.texts("users")),
        tuple(one for one in roles if "roles" in parse or one in given.texts("roles")),
        is_everyone and "everyone" in parse,
        replied if given.flag("replied_user") else "",
    )
