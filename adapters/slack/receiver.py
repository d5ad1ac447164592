"""The only listener of an app: over websockets that the program opens, or over HTTP."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from adapters.slack.api import Clients
from adapters.slack.events_http import EventsHttp, HttpOptions
from adapters.slack.intake import Intake
from adapters.slack.socket_mode import SocketMode, SocketOptions
from core.ports import Accept


class SlackReceiver:
    """Implements `Receiver`."""

    def __init__(self, intake: Intake, clients: Clients, options: SocketOptions | HttpOptions) -> None:
        self._intake = intake
        self._clients = clients
        self._options = options
        self._http = EventsHttp(intake, options) if isinstance(options, HttpOptions) else None

    @property
    def routes(self) -> tuple[Route, ...]:
        """Of the program's web server; none where Slack is listened to over websockets."""
        if not isinstance(self._options, HttpOptions):
            return ()
        return (Route(self._options.path, self._receive, methods=["POST"]),)

    async def run(self, accept: Accept) -> None:
        """Until it is cancelled; what came by then is kept and acked. Raises SettingsError where the token is wrong."""
        try:
            if isinstance(self._options, SocketOptions):
                with self._intake.accepting(accept):
                    await SocketMode(self._intake, self._clients, self._options).run()
            else:
                with self._intake.accepting(accept):
                    await asyncio.Event().wait()
        finally:
            if self._http is not None:
                await self._http.finish()
            await self._intake.aclose()

    async def _receive(self, request: Request) -> Response:
        assert self._http is not None  # noqa: S101 - there is no route to it otherwise
        return await self._http.receive(request)
