"""The Bolt app: what Slack brings goes through its middleware, and is kept by the last of it, before the ack.

Bolt acks an event and then lets a listener work on it; what a process that ends then had not done is lost. So there are
no listeners: the last middleware keeps what came, and its answer is the ack, whatever it was. Nothing is unmatched, and
nothing is acked that was not kept.

Signatures are checked before Bolt, on the bytes that came. Bolt's own check meets a time that is no number, or a body
that is no UTF-8, with an error of Python's. Who the app is at a workspace is told by `Workspaces`, and asked of nobody
else. The bot's own events are not dropped here: Bolt takes a person's deletion of the bot's message for one of them.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from slack_bolt.async_app import AsyncApp
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_bolt.context.async_context import AsyncBoltContext
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from adapters.slack.installs import workspace_for
from adapters.slack.quiet import SILENT
from adapters.slack.workspaces import Workspace, Workspaces
from core.errors import PlatformAway, PlatformRefused, StorageError

_WORKSPACE = "banter_workspace"
#: Bolt names a logger after the app, and silences it.
_NAME = "slack_bolt.banter"
#: What Slack sends to learn whether there is anybody.
_ABOUT_NOBODY = frozenset({"url_verification", "ssl_check"})
ACKED, NOT_NOW = 200, 503

Next = Callable[[], Awaitable[BoltResponse]]


@dataclass(frozen=True, slots=True)
class Ack:
    #: 200: it is Slack's no more. 503: it was not kept, and may come again. 500: Bolt could make nothing of it.
    status: int
    #: What the ack says; "" where it says nothing.
    body: str
    #: Whom it was for; None where that is nobody.
    workspace: Workspace | None


class Keep(Protocol):
    async def __call__(self, body: Mapping[str, object], workspace: Workspace) -> Mapping[str, object] | None:
        """Keeps what came, and gives what its ack says. Raises PlatformError, StorageError, TimeoutError."""
        ...


class BoltApp:
    def __init__(self, workspaces: Workspaces, keep: Keep) -> None:
        self._app = AsyncApp(
            name=_NAME,
            logger=SILENT,
            client=AsyncWebClient(logger=SILENT, retry_handlers=[]),  # nobody calls anything through it
            before_authorize=_Finding(workspaces),
            authorize=_Known(),
            request_verification_enabled=False,
            ignoring_self_events_enabled=False,
            attaching_function_token_enabled=False,
            attaching_conversation_kwargs_enabled=False,
        )
        self._app.use(_Keeping(keep))

    async def dispatch(self, body: dict[str, Any]) -> Ack:
        """Raises whatever Bolt meets in a body that is not what Slack sends."""
        request = AsyncBoltRequest(body=body, mode="socket_mode")  # a body that was taken apart, and checked, already
        response = await self._app.async_dispatch(request)
        workspace = request.context.get(_WORKSPACE)
        return Ack(response.status, response.body, workspace)


class _Finding(AsyncMiddleware):
    """Whose it is. What comes for a workspace that the app left is nobody's."""

    def __init__(self, workspaces: Workspaces) -> None:
        self._workspaces = workspaces

    async def async_process(
        self,
        *,
        req: AsyncBoltRequest,
        resp: BoltResponse,  # noqa: ARG002 - Bolt's signature
        next: Next,  # noqa: A002
    ) -> BoltResponse:
        if req.body.get("type") in _ABOUT_NOBODY:
            return await next()
        try:
            req.context[_WORKSPACE] = await workspace_for(req.body, self._workspaces)
        except PlatformRefused:
            return BoltResponse(status=ACKED)
        except (PlatformAway, StorageError):
            return BoltResponse(status=NOT_NOW)
        return await next()


class _Known(AsyncAuthorize):
    """Without a token: nothing is sent through Bolt."""

    def __init__(self) -> None:
        pass

    async def __call__(
        self,
        *,
        context: AsyncBoltContext,
        enterprise_id: str | None,
        team_id: str | None,
        user_id: str | None,
        **_actor: object,
    ) -> AuthorizeResult:
        workspace: Workspace = context[_WORKSPACE]
        return AuthorizeResult(
            enterprise_id=enterprise_id,
            team_id=team_id,
            user_id=user_id,
            bot_id=workspace.bot_id,
            bot_user_id=workspace.bot_user_id,
        )


class _Keeping(AsyncMiddleware):
    """Its answer is the ack."""

    def __init__(self, keep: Keep) -> None:
        self._keep = keep

    async def async_process(
        self,
        *,
        req: AsyncBoltRequest,
        resp: BoltResponse,  # noqa: ARG002 - Bolt's signature
        next: Next,  # noqa: A002, ARG002
    ) -> BoltResponse:
        workspace: Workspace = req.context[_WORKSPACE]
        try:
            said = await self._keep(req.body, workspace)
        except (PlatformAway, StorageError, TimeoutError):
            return BoltResponse(status=NOT_NOW)
        return BoltResponse(status=ACKED) if said is None else BoltResponse(status=ACKED, body=dict(said))
