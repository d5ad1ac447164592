"""Where the Slack app is installed: one workspace by a token in the settings, or any number by Slack's OAuth.

Installations are kept as secrets of the database: nobody reads a token there without the key. Each program remembers
what it read for a minute, so that an app that was taken away elsewhere is soon gone everywhere.
"""

import json
import logging
import time
from collections import OrderedDict
from collections.abc import Callable

from adapters.slack.api import Clients
from adapters.slack.workspaces import Workspace
from core.errors import PlatformAway, PlatformError, PlatformRefused, StorageError
from core.memory.secrets import Secrets

logger = logging.getLogger(__name__)

NOT_INSTALLED = "the Slack app is not installed in that workspace (any more)"
_TAKEN_AWAY = (
    "nobody is answered on Slack any more: the app was taken out of the workspace, or its token was revoked; install "
    "it again, set BANTER_SLACK_TOKEN to its new token and start again"
)
_KNOWN_S = 60.0
_MOST_KNOWN = 10_000
#: Slack's and this machine's, and Slack tells whole seconds.
_CLOCKS_DIFFER_S = 5.0


class OneWorkspace:
    """Implements `Workspaces`: that of a bot token, once Slack told which it is."""

    def __init__(self, clients: Clients, token: str) -> None:
        self._clients = clients
        self._token = token
        self._known: Workspace | None = None
        self._is_removed = False
        self._is_refused = False

    async def meet(self) -> Workspace:
        """Raises PlatformError."""
        told = await self._clients.ask(self._token, "auth.test", {})
        self._known = workspace_of(told, self._token)
        return self._known

    async def of(self, workspace_id: str) -> Workspace:
        """See `Workspaces`."""
        known = await self._met()
        if workspace_id != known.id:
            raise PlatformRefused(NOT_INSTALLED)
        return known

    async def serving(self, team_id: str, enterprise_id: str, *, is_enterprise_install: bool) -> Workspace:  # noqa: ARG002
        """See `Workspaces`; the token tells which of both it is of."""
        known = await self._met()
        if known.id != (enterprise_id if known.is_enterprise else team_id):
            raise PlatformRefused(NOT_INSTALLED)
        return known

    async def removed(self, workspace_id: str, at: float) -> None:  # noqa: ARG002
        """See `Workspaces`; another token takes another start."""
        if self._known is not None and self._known.id == workspace_id and not self._is_removed:
            self._is_removed = True
            _warn(_TAKEN_AWAY)

    async def _met(self) -> Workspace:
        if self._is_removed:
            raise PlatformRefused(NOT_INSTALLED)
        try:
            return self._known or await self.meet()
        except PlatformRefused as refusal:
            if not self._is_refused:
                _warn(f"nobody is answered on Slack: {refusal}")
            self._is_refused = True
            raise PlatformAway(f"the token is refused: {refusal}") from None  # Slack brings again what comes meanwhile
        except PlatformError as error:
            raise PlatformAway(f"Slack does not tell now which workspace the token is of: {error}") from None


class InstalledWorkspaces:
    """Implements `Workspaces`: those that installed the app by OAuth."""

    def __init__(self, secrets: Secrets, app_id: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._secrets = secrets
        self._app_id = app_id
        self._clock = clock
        #: Installation → what is known of it, and until when that counts; None: there is none.
        self._known: OrderedDict[str, tuple[Workspace | None, float]] = OrderedDict()

    async def of(self, workspace_id: str) -> Workspace:
        """See `Workspaces`."""
        found = await self._find(workspace_id)
        if found is None:
            raise PlatformRefused(NOT_INSTALLED)
        return found

    async def serving(self, team_id: str, enterprise_id: str, *, is_enterprise_install: bool) -> Workspace:
        """See `Workspaces`; a team of an organisation may have an installation of its own."""
        likely = (enterprise_id, team_id) if is_enterprise_install else (team_id, enterprise_id)
        for workspace_id in likely:
            if workspace_id and (found := await self._find(workspace_id)) is not None:
                return found
        raise PlatformRefused(NOT_INSTALLED)

    async def installed(self, workspace: Workspace) -> None:
        """From now on the app is there. Raises StorageError."""
        await self._secrets.put(self._name(workspace.id), _written(workspace, time.time()))
        self._keep(workspace.id, workspace)

    async def removed(self, workspace_id: str, at: float) -> None:
        """See `Workspaces`. Raises StorageError."""
        kept = await self._secrets.get(self._name(workspace_id))
        if kept is None or _read(kept)[1] <= at + _CLOCKS_DIFFER_S:
            await self._secrets.delete(self._name(workspace_id))
            self._keep(workspace_id, None)

    async def _find(self, workspace_id: str) -> Workspace | None:
        known, until = self._known.get(workspace_id, (None, 0.0))
        if self._clock() < until:
            return known
        try:
            kept = await self._secrets.get(self._name(workspace_id))
        except StorageError as error:
            raise PlatformAway(f"the installations can't be read ({type(error).__name__})") from None
        self._keep(workspace_id, None if kept is None else _read(kept)[0])
        return self._known[workspace_id][0]

    def _keep(self, workspace_id: str, workspace: Workspace | None) -> None:
        self._known[workspace_id] = workspace, self._clock() + _KNOWN_S
        self._known.move_to_end(workspace_id)
        while len(self._known) > _MOST_KNOWN:
            self._known.popitem(last=False)

    def _name(self, workspace_id: str) -> str:
        return f"slack {self._app_id} {workspace_id}"


def _warn(line: str) -> None:
    logger.warning("%s", line, extra={"action": "receive", "platform": "slack", "trouble": "token"})


def workspace_of(told: object, token: str) -> Workspace:
    """What `auth.test` says of a token. Raises PlatformAway where it can't be read, PlatformRefused for a person's."""
    if not isinstance(told, dict):
        raise PlatformAway("what came instead of Slack's answer can't be read")
    words = {name: value for name, value in told.items() if isinstance(value, str)}
    place = words.get("enterprise_id" if told.get("is_enterprise_install") else "team_id", "")
    if not place or not words.get("user_id"):
        raise PlatformAway("what came instead of Slack's answer can't be read")
    if not words.get("bot_id"):
        raise PlatformRefused("BANTER_SLACK_TOKEN: a person's token, not a bot's; set the one that begins with xoxb-")
    return Workspace(place, words["user_id"], words["bot_id"], token, words.get("team", ""))


def _written(workspace: Workspace, at: float) -> str:
    told = [workspace.id, workspace.bot_user_id, workspace.bot_id, workspace.token, workspace.name]
    return json.dumps({"workspace": told, "installed_at": at})


def _read(kept: str) -> tuple[Workspace, float]:
    """With when it was installed, in seconds since 1970."""
    told = json.loads(kept)
    return Workspace(*told["workspace"]), float(told["installed_at"])
