"""The bot itself, its application, and where the gateway is."""

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_discord.access import granted
from bots.sandbox.local_discord.accounts import User
from bots.sandbox.local_discord.asking import Asked
from bots.sandbox.local_discord.gateway import app_flags
from bots.sandbox.local_discord.snowflakes import as_time
from bots.sandbox.local_discord.wire import channel_json
from bots.sandbox.local_discord.world import World

_YEAR_S = 31_536_000.0


async def me(asked: Asked) -> object:
    flags: JsonObject = {"flags": 0, "verified": True, "mfa_enabled": False, "email": None, "locale": "en-US"}
    return asked.world.bot.to_json() | flags


async def user(asked: Asked) -> object:
    return asked.world.user(asked.where["user"]).to_json()


async def my_guilds(asked: Asked) -> object:
    world = asked.world
    return [
        {
            "id": guild.id,
            "name": guild.name,
            "icon": None,
            "owner": False,
            "permissions": str(granted(world, guild)),
            "features": [],
        }
        for guild in world.guilds.values()
        if world.bot.id in guild.members
    ]


async def create_dm(asked: Asked) -> object:
    recipient = asked.world.user(asked.body.text("recipient_id"))
    return channel_json(asked.world.direct(recipient))


async def application(asked: Asked) -> object:
    return application_json(asked.world)


async def current_authorization(asked: Asked) -> object:
    expires = as_time(asked.world.clock.now() + _YEAR_S)
    told: JsonObject = {"application": application_json(asked.world), "scopes": ["bot"], "expires": expires}
    return told


async def gateway(asked: Asked) -> object:
    return {"url": gateway_url(asked.world)}


async def gateway_bot(asked: Asked) -> object:
    start = asked.starts.to_json()
    return {"url": gateway_url(asked.world), "shards": asked.world.options.shards, "session_start_limit": start}


def gateway_url(world: World) -> str:
    return world.url.replace("http://", "ws://") + "/gateway"


def application_json(world: World) -> JsonObject:
    owner = User("1", "owner", "Owner")
    app = world.options.app
    installs = {"0": app.guild_install, "1": app.user_install}
    return {
        "id": world.app_id,
        "name": app.name,
        "icon": None,
        "description": "",
        "summary": "",
        "type": None,
        "bot": world.bot.to_json(),
        "bot_public": True,
        "bot_require_code_grant": False,
        "integration_types_config": {kind: {} for kind, is_on in installs.items() if is_on},
        "owner": owner.to_json(),
        "team": None,
        "rpc_origins": [],
        "verify_key": "0" * 64,
        "flags": app_flags(world),
        "tags": [],
        "redirect_uris": [],
        "interactions_endpoint_url": None,
        "approximate_guild_count": len(world.guilds),
        "approximate_user_install_count": 0,
    }
