"""A file that came with a message, read.

Its address is signed and ends after a day, so it is asked for anew by the message that the file came with. Nothing but
Discord's own hosts is asked, wherever an address leads, and nobody is told the bot's token.
"""

import asyncio
from urllib.parse import urlsplit

import aiohttp
from discord.http import Route

from adapters.discord.api import DiscordRest, translated
from adapters.discord.paced_http import Manner
from adapters.payloads import list_in, text_in
from core.errors import PlatformAway, PlatformRefused, SendUnclear

_DEADLINE_S = 60.0
_CONNECT_TIMEOUT_S = 5.0
_HOSTS = frozenset({"cdn.discordapp.com", "media.discordapp.net"})


async def read_file(rest: DiscordRest, handle: str, limit_bytes: int) -> bytes:
    """`handle`: channel/message/file. The file, or its beginning. Raises PlatformError."""
    channel, message, file = (*handle.split("/"), "", "")[:3]
    if not (channel.isdecimal() and message.isdecimal() and file.isdecimal()):
        raise PlatformRefused("Discord gives nothing out for it")
    try:
        async with asyncio.timeout(_DEADLINE_S):
            return await _fetch(await _address(rest, channel, message, file), limit_bytes)
    except TimeoutError:
        raise PlatformAway(f"the file did not come within {_DEADLINE_S:g} s") from None
    except SendUnclear as error:  # nothing was changed by it
        raise PlatformAway(str(error)) from None


async def _address(rest: DiscordRest, channel: str, message: str, file: str) -> str:
    route = Route("GET", "/channels/{channel_id}/messages/{message_id}", channel_id=channel, message_id=message)
    told = await rest.request(route, manner=Manner.SENT)
    address = next((text_in(one, "url") for one in list_in(told, "attachments") if text_in(one, "id") == file), "")
    if not address:
        raise PlatformRefused("the file is not with its message any more")
    if not is_discords(address):
        raise PlatformRefused("the file is not at Discord's")
    return address


def is_discords(address: str) -> bool:
    """Or the local server's, where that is spoken to."""
    try:
        parts, api = urlsplit(address), urlsplit(Route.BASE)
        if (parts.scheme, parts.netloc) == (api.scheme, api.netloc):
            return True
        return parts.scheme == "https" and parts.port in (None, 443) and (parts.hostname or "").casefold() in _HOSTS
    except ValueError:
        return False


async def _fetch(address: str, limit_bytes: int) -> bytes:
    timeout = aiohttp.ClientTimeout(total=_DEADLINE_S, connect=_CONNECT_TIMEOUT_S)
    with translated():
        async with (
            aiohttp.ClientSession(timeout=timeout, trust_env=True) as session,
            session.get(address, allow_redirects=False) as response,
        ):
            if response.status >= 500 or response.status in (408, 429):
                raise PlatformAway(f"the file can't be had now ({response.status})")
            if response.status != 200:
                raise PlatformRefused(f"the file is not given out ({response.status})")
            content = bytearray()
            async for piece in response.content.iter_any():
                content += piece
                if len(content) >= limit_bytes:
                    break
            return bytes(content[:limit_bytes])
