"""Slack's OAuth: a workspace installs the app by a link, and its token is kept, sealed, in the program's database.

`/slack/install` shows a button; Slack sends whoever pressed it back to `/slack/oauth_redirect`. What comes back must
bring the state that this program signed a little before, and the cookie of the same browser.
"""

import hmac
import logging
import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path

import yaml
from slack_bolt.adapter.starlette.async_handler import to_async_bolt_request, to_starlette_response
from slack_bolt.oauth.async_oauth_flow import AsyncOAuthFlow
from slack_bolt.oauth.async_oauth_settings import AsyncOAuthSettings
from slack_sdk.oauth.installation_store import Installation
from slack_sdk.oauth.installation_store.async_installation_store import AsyncInstallationStore
from slack_sdk.oauth.state_store.async_state_store import AsyncOAuthStateStore
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from adapters.slack.api import Clients
from adapters.slack.quiet import SILENT
from adapters.slack.workspaces import Workspace
from bots.slack_workspaces import InstalledWorkspaces
from core.errors import SettingsError, StorageError

logger = logging.getLogger(__name__)

MANIFEST = Path(__file__).with_name("slack_manifest.yaml")
_STATE_S = 600.0
_MOST_STATES = 10_000
_AUTHORIZE = "/oauth/v2/authorize"


@dataclass(frozen=True, slots=True)
class OAuthOptions:
    client_id: str
    client_secret: str = field(repr=False)
    #: "" is the first one that the app names to Slack.
    redirect_url: str = ""


class Installing:
    """The two addresses."""

    def __init__(
        self, app_id: str, options: OAuthOptions, workspaces: InstalledWorkspaces, clients: Clients, secret: bytes
    ) -> None:
        self._app_id = app_id
        self._options = options
        self._workspaces = workspaces
        self._clients = clients
        self._states = SignedStates(secret)

    @property
    def routes(self) -> tuple[Route, ...]:
        return (
            Route("/slack/install", self._install, methods=["GET"]),
            Route("/slack/oauth_redirect", self._come_back, methods=["GET"]),
        )

    async def _install(self, request: Request) -> Response:
        return to_starlette_response(await self._flow().handle_installation(to_async_bolt_request(request, b"")))

    async def _come_back(self, request: Request) -> Response:
        try:
            answer = await self._flow().handle_callback(to_async_bolt_request(request, b""))
        except StorageError:
            return PlainTextResponse("It could not be kept. Please install it again.", status_code=503)
        except SettingsError as error:
            return PlainTextResponse(f"It was not installed: {error}.", status_code=400)
        except Exception as error:  # noqa: BLE001 - the SDK meets what it does not expect with any error
            logger.warning("an installation failed: %s", type(error).__name__, extra={"action": "install"})
            return PlainTextResponse("Slack did not answer. Please install it again.", status_code=502)
        return to_starlette_response(answer)

    def _flow(self) -> AsyncOAuthFlow:
        """A client of its own for each: the SDK gives it the token of whoever is installed."""
        told = self._options
        settings = AsyncOAuthSettings(
            client_id=told.client_id,
            client_secret=told.client_secret,
            scopes=bot_scopes(),
            redirect_uri=told.redirect_url or None,
            authorization_url=self._clients.api_url.removesuffix("/").removesuffix("/api") + _AUTHORIZE,
            installation_store=_Store(self._app_id, self._workspaces),
            state_store=self._states,
            logger=SILENT,
        )
        return AsyncOAuthFlow(client=self._clients.of(""), logger=SILENT, settings=settings)


class SignedStates(AsyncOAuthStateStore):
    """Good once, for ten minutes, in every program of one database; "once" as far as one program sees it."""

    def __init__(self, secret: bytes, clock: Callable[[], float] = time.time) -> None:
        self._secret = secret
        self._clock = clock
        self._used: OrderedDict[str, None] = OrderedDict()

    async def async_issue(self, *_args: object, **_kwargs: object) -> str:
        told = f"{int(self._clock())}.{secrets.token_hex(16)}"
        return f"{told}.{self._signature(told)}"

    async def async_consume(self, state: str) -> bool:
        told, _, signature = state.rpartition(".")
        if not hmac.compare_digest(self._signature(told).encode(), signature.encode(errors="replace")):
            return False
        if state in self._used or not 0 <= self._clock() - int(told.partition(".")[0]) <= _STATE_S:
            return False
        self._used[state] = None
        while len(self._used) > _MOST_STATES:
            self._used.popitem(last=False)
        return True

    def _signature(self, told: str) -> str:
        return hmac.digest(self._secret, told.encode(errors="replace"), sha256).hex()


class _Store(AsyncInstallationStore):
    """All that the flow wants of one."""

    def __init__(self, app_id: str, workspaces: InstalledWorkspaces) -> None:
        self._app_id = app_id
        self._workspaces = workspaces

    async def async_save(self, installation: Installation) -> None:
        """Raises StorageError, and SettingsError for what is no installation of this app's bot that lasts."""
        if installation.bot_refresh_token:
            raise SettingsError("Slack rotates this app's tokens; make the app anew, from the manifest")
        workspace_id = installation.enterprise_id if installation.is_enterprise_install else installation.team_id
        told = (workspace_id, installation.bot_user_id, installation.bot_id, installation.bot_token)
        if installation.app_id != self._app_id or not all(isinstance(word, str) and word for word in told):
            raise SettingsError("Slack told of no bot of this app")
        name = installation.enterprise_name if installation.is_enterprise_install else installation.team_name
        place, bot_user_id, bot_id, token = map(str, told)
        await self._workspaces.installed(Workspace(place, bot_user_id, bot_id, token, name or ""))
        logger.info("the app was installed in %s", workspace_id, extra={"action": "install", "platform": "slack"})


def bot_scopes() -> list[str]:
    """Those that the manifest names, so that an installation by OAuth can do the same."""
    manifest = yaml.safe_load(MANIFEST.read_text(encoding="utf-8"))
    return [str(scope) for scope in manifest["oauth_config"]["scopes"]["bot"]]
