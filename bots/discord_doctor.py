"""What Discord knows of the bot, for `banter doctor`. It is asked, and nothing is changed there."""

from collections.abc import Iterator, Mapping
from urllib.parse import urlencode, urlsplit

from discord import Permissions
from discord.http import Route

from adapters.discord.api import DiscordRest
from adapters.discord.application import grants_content
from adapters.discord.endpoint import speak_to
from adapters.discord.refusals import WrongToken
from bots.discord_server import token_of
from bots.doctor import Finding
from core.errors import PlatformError, SettingsError
from core.settings.discord import DiscordSettings
from core.settings.settings import Settings

#: What a server has to let the bot do; what it lacks ends some replies with a refusal.
NEEDED = Permissions(
    view_channel=True,
    send_messages=True,
    send_messages_in_threads=True,
    create_public_threads=True,
    read_message_history=True,
    attach_files=True,
)
#: Where discord.py says it otherwise.
_AS_DISCORD_SAYS = {"read_messages": "view channels"}
_SWITCH_ON = "switch it on under Bot, Privileged Gateway Intents, at discord.com/developers/applications"
_WITHOUT_CONTENT = (
    "not granted: it reads private chats, messages that mention it, replies to it and commands, and nothing else; in a "
    "thread every message has to mention it"
)
#: A server asks for as many in a day as there are shards; a crash loop asks for all.
_FEW_STARTS = 50
_MOST_SERVERS = 200
_MOST_NAMED = 5


async def examine_discord(settings: Settings) -> list[Finding]:
    """Where it is known at all, what stands between people and the bot."""
    told = settings.discord
    try:
        token = token_of(told)
    except SettingsError as error:
        return [Finding("Discord", False, problem) for problem in error.problems]
    speak_to(told.api_url)
    rest = DiscordRest(token)
    try:
        application = _fields(await rest.application())
        servers = _list(await rest.request(Route("GET", "/users/@me/guilds"), params={"limit": _MOST_SERVERS}))
        gateway = _fields(await rest.request(Route("GET", "/gateway/bot")))
    except WrongToken as wrong:
        return [Finding("Discord", False, f"BANTER_DISCORD_TOKEN: {wrong}")]
    except PlatformError as error:
        return [Finding("Discord", False, f"{urlsplit(told.api_url).netloc}: {error}")]
    finally:
        await rest.aclose()
    return [_bot(application, servers), *_permissions(servers), _content(told, application), _gateway(told, gateway)]


def invitation(application_id: str) -> str:
    """Where whoever may manage a server lets the bot in."""
    asked = {"client_id": application_id, "scope": "bot applications.commands", "permissions": NEEDED.value}
    return f"https://discord.com/oauth2/authorize?{urlencode(asked)}"


def _bot(application: Mapping[str, object], servers: list[Mapping[str, object]]) -> Finding:
    name, number = application.get("name", "?"), str(application.get("id", ""))
    if not servers:
        return Finding("Discord", False, f"{name} ({number}) is in no server; let it in: {invitation(number)}")
    count = f"{len(servers)} servers or more" if len(servers) == _MOST_SERVERS else f"{len(servers)} servers"
    return Finding("Discord", True, f"{name} ({number}), in {'1 server' if len(servers) == 1 else count}")


def _permissions(servers: list[Mapping[str, object]]) -> Iterator[Finding]:
    """By its roles; channels may take away more."""
    lacking = {str(server.get("name", "?")): missing for server in servers if (missing := _missing(server))}
    for name, missing in list(lacking.items())[:_MOST_NAMED]:
        yield Finding(
            "Discord's permissions", False, f"{name}: {', '.join(missing)}; give them to the bot's role there"
        )
    if len(lacking) > _MOST_NAMED:
        yield Finding("Discord's permissions", False, f"and in {len(lacking) - _MOST_NAMED} more servers")


def _missing(server: Mapping[str, object]) -> list[str]:
    told = str(server.get("permissions", ""))
    has = Permissions(int(told) if told.isascii() and told.isdecimal() else 0)
    if has.administrator:
        return []
    names = [name for name, is_needed in NEEDED if is_needed and not getattr(has, name)]
    return [_AS_DISCORD_SAYS.get(name, name.replace("_", " ")) for name in names]


def _content(told: DiscordSettings, application: Mapping[str, object]) -> Finding:
    name = "Message Content"
    if told.message_content == "off":
        return Finding(name, True, _WITHOUT_CONTENT.replace("not granted", 'discord.message_content = "off"'))
    if grants_content(application):
        return Finding(name, True, "granted: it follows the talk in its threads; what is not for it is not stored")
    is_wanted = told.message_content == "on"
    return Finding(name, not is_wanted, f"{_WITHOUT_CONTENT}; {_SWITCH_ON}")


def _gateway(told: DiscordSettings, gateway: Mapping[str, object]) -> Finding:
    name = "Discord's gateway"
    limit = _fields(gateway.get("session_start_limit"))
    left, total = limit.get("remaining", 0), limit.get("total", 0)
    shards = told.shards or gateway.get("shards", 1)
    so = f"{shards} {'shard' if shards == 1 else 'shards'}; {left} of {total} starts of today are left"
    if isinstance(left, int) and left < _FEW_STARTS:
        return Finding(name, False, f"{so}: something starts the bot again and again; see its log")
    return Finding(name, True, so)


def _fields(told: object) -> Mapping[str, object]:
    return told if isinstance(told, Mapping) else {}


def _list(told: object) -> list[Mapping[str, object]]:
    return [_fields(one) for one in told] if isinstance(told, list) else []
