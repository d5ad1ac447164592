"""The way to Slack: clients whose every call ends and is made once, and what their errors mean for the core.

The SDK's usual retry handlers make a call again whose connection broke, so one message is posted twice: there are none
here. It logs what it sends, so it is given a logger that says nothing. What a failed call came to is told by where it
ended. One that never left may be made again; one that ended after it was written, or with a 5xx, may have been carried
out.
"""

import contextlib
import re
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from slack_sdk.errors import SlackApiError, SlackClientError
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.quiet import SILENT
from adapters.slack.refusals import USUAL_PAUSE_S, meaning
from core.errors import PlatformAway, PlatformError, PlatformRefused, RateLimited, SendUnclear

SLACK_API = "https://slack.com/api/"

_CONNECT_TIMEOUT_S = 5.0
#: Below what `Capabilities.send_timeout_s` leaves, with a turn waited for.
_TOTAL_TIMEOUT_S = 10.0
_POOL_SIZE = 64
#: Installations whose clients are kept.
_MOST_CLIENTS = 500
_LONGEST_PAUSE_S = 3600.0
_CODE = re.compile(r"[a-z0-9_]+\Z")

#: Nothing of the request was written.
_NEVER_SENT = (
    aiohttp.ClientConnectorError,
    aiohttp.ConnectionTimeoutError,
    aiohttp.ClientHttpProxyError,
    aiohttp.InvalidURL,
)


class Clients:
    """One for each installation; they share their connections."""

    def __init__(self, api_url: str = SLACK_API) -> None:
        self.api_url = api_url if api_url.endswith("/") else f"{api_url}/"
        #: By token; those that were used last are at the end.
        self._clients: OrderedDict[str, AsyncWebClient] = OrderedDict()
        self._session: aiohttp.ClientSession | None = None

    @property
    def host(self) -> str:
        """Of the API, with its port."""
        return urlsplit(self.api_url).netloc

    def of(self, token: str) -> AsyncWebClient:
        """Its calls are made within `translated()`."""
        client = self._clients.get(token)
        if client is None or client.session is not self.session:
            client = AsyncWebClient(token, self.api_url, session=self.session, logger=SILENT, retry_handlers=[])
            client.proxy = None  # the session knows the proxies, and which hosts need none
            self._clients[token] = client
        self._clients.move_to_end(token)
        while len(self._clients) > _MOST_CLIENTS:
            self._clients.popitem(last=False)
        return client

    @property
    def session(self) -> aiohttp.ClientSession:
        if self._session is None or self._session.closed:
            timeout = aiohttp.ClientTimeout(total=_TOTAL_TIMEOUT_S, connect=_CONNECT_TIMEOUT_S)
            connector = aiohttp.TCPConnector(limit=_POOL_SIZE)
            self._session = aiohttp.ClientSession(connector=connector, timeout=timeout, trust_env=True)
        return self._session

    async def call(self, token: str, method: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """What Slack answers to a method that changes something. Raises PlatformError."""
        with translated():
            answer = await self.of(token).api_call(method, json=dict(arguments))
        return _told(answer.data)

    async def ask(self, token: str, method: str, arguments: Mapping[str, Any]) -> Mapping[str, Any]:
        """The same for a method that reads: those take no JSON."""
        with translated():
            answer = await self.of(token).api_call(method, http_verb="GET", params=dict(arguments))
        return _told(answer.data)

    async def aclose(self) -> None:
        self._clients.clear()
        if self._session is not None:
            await self._session.close()


@contextlib.contextmanager
def translated() -> Iterator[None]:
    """Whatever the SDK or the connection raises comes out as a PlatformError, and none of its words with it."""
    try:
        yield
    except SlackApiError as error:
        raise _refusal(error) from None
    except (aiohttp.ClientError, TimeoutError, OSError) as error:
        raise _unanswered(error) from None
    except (SlackClientError, AttributeError, TypeError, ValueError):  # an answer that the SDK can't read
        raise SendUnclear("Slack's answer could not be read") from None


def _told(data: object) -> Mapping[str, Any]:
    if not isinstance(data, dict):
        raise SendUnclear("Slack's answer could not be read")
    return data


def _refusal(error: SlackApiError) -> PlatformError:
    response = error.response
    status = getattr(response, "status_code", None) or getattr(response, "status", None) or 0
    data = getattr(response, "data", None)
    code = data.get("error") if isinstance(data, dict) else None
    retry_after_s = _seconds(getattr(response, "headers", {}))
    if status == 429:
        return RateLimited("too much was sent", retry_after_s or USUAL_PAUSE_S)
    if status >= 500:
        return SendUnclear(f"Slack's server failed (HTTP {status})")
    if not isinstance(code, str) or not _CODE.match(code):
        return SendUnclear(f"Slack's answer could not be read (HTTP {status})")
    return meaning(code, retry_after_s)


def _unanswered(error: Exception) -> PlatformError:
    if isinstance(error, aiohttp.InvalidURL):
        return PlatformRefused("the address of Slack's API is none; see slack.api_url")
    if isinstance(error, _NEVER_SENT):
        return PlatformAway(f"Slack can't be reached ({type(error).__name__})")
    return SendUnclear(f"the connection ended before Slack's answer ({type(error).__name__})")


def _seconds(headers: Mapping[str, Any]) -> float:
    """For how long Slack wants to be left alone; 0 where it does not tell."""
    told = next((value for name, value in headers.items() if str(name).casefold() == "retry-after"), "")
    try:
        return min(max(0.0, float(str(told))), _LONGEST_PAUSE_S)
    except (TypeError, ValueError, OverflowError):
        return 0.0
