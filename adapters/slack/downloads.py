"""A file that came with a message, read.

It is given out for the app's token. The token goes to Slack's own hosts and to no other, wherever an address or a
redirect leads. To an app without the scope for files Slack gives out its login page instead, as if all were well.
"""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import urljoin, urlsplit

import aiohttp

from adapters.slack.api import Clients, translated
from adapters.slack.calls import Calls, Errand
from core.errors import PlatformAway, PlatformRefused, SendUnclear

_DEADLINE_S = 60.0
_MOST_REDIRECTS = 3
_SLACK_HOSTS = (".slack.com", ".slack-files.com", ".slack-gov.com")
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_PAGE = "text/html"


async def read_file(calls: Calls, errand: Errand, file_id: str, limit_bytes: int) -> bytes:
    """The file, or its beginning. Raises PlatformError."""
    try:
        async with asyncio.timeout(_DEADLINE_S):
            file = (await calls.ask(errand, "files.info", {"file": file_id})).get("file")
            if not isinstance(file, dict) or file.get("is_external"):
                raise PlatformRefused("Slack does not have the file itself")
            address = file.get("url_private_download") or file.get("url_private")
            if not isinstance(address, str) or not address:
                raise PlatformRefused("Slack gives out no address for the file")
            return await _fetch(calls.clients, errand.workspace.token, address, file, limit_bytes)
    except TimeoutError:
        raise PlatformAway(f"the file did not come within {_DEADLINE_S:g} s") from None
    except SendUnclear as error:  # nothing was changed by it
        raise PlatformAway(str(error)) from None


async def _fetch(clients: Clients, token: str, address: str, file: Mapping[str, Any], limit_bytes: int) -> bytes:
    for _ in range(_MOST_REDIRECTS):
        if not is_slacks(address, clients):
            raise PlatformRefused("the file is not at Slack's")
        with translated():
            headers = {"Authorization": f"Bearer {token}"}
            async with clients.session.get(address, headers=headers, allow_redirects=False) as response:
                if response.status not in _REDIRECTS:
                    return await _content(response, str(file.get("mimetype", "")), limit_bytes)
                address = urljoin(address, response.headers.get("Location", ""))
    raise PlatformRefused("the file's address leads nowhere")


def is_slacks(address: str, clients: Clients) -> bool:
    """Whether the token may be told there."""
    try:
        parts = urlsplit(address)
        host = (parts.hostname or "").casefold()
        if parts.netloc == clients.host and parts.scheme == urlsplit(clients.api_url).scheme:
            return True
        return parts.scheme == "https" and parts.port in (None, 443) and f".{host}".endswith(_SLACK_HOSTS)
    except ValueError:
        return False


async def _content(response: aiohttp.ClientResponse, media_type: str, limit_bytes: int) -> bytes:
    if response.status >= 500 or response.status in (408, 429):
        raise PlatformAway(f"the file can't be had now ({response.status})")
    if response.status != 200:
        raise PlatformRefused(f"the file is not given out ({response.status})")
    if response.content_type == _PAGE and media_type != _PAGE:
        raise PlatformRefused("Slack does not give the file out; the app needs the scope files:read")
    content = bytearray()
    async for piece in response.content.iter_any():
        content += piece
        if len(content) >= limit_bytes:
            break
    return bytes(content[:limit_bytes])
