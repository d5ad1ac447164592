"""What an operator's tools ask over HTTP: /metrics, /healthz, /readyz. Numbers and fixed words, for this machine alone.

/healthz: this process works; where it does not, end it. /readyz: people can be answered now.
"""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Protocol

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bots.metrics import CONTENT_TYPE
from core.errors import SettingsError

#: More at once are turned away.
_CONNECTIONS = 256
#: How long an answer may still take when the program ends.
_LAST_ANSWERS_S = 2


class Views(Protocol):
    """What is shown. All of it is known already: nobody who asks makes the program wait."""

    def metrics(self) -> bytes: ...

    def health(self) -> Mapping[str, bool]:
        """Each thing that must work for this process to be any good."""
        ...

    def readiness(self) -> Mapping[str, bool]:
        """Each thing that people need to be answered."""
        ...


def web_app(views: Views, routes: Sequence[Route] = ()) -> Starlette:
    async def metrics(_request: Request) -> Response:
        return Response(views.metrics(), headers={"Content-Type": CONTENT_TYPE})

    async def healthz(_request: Request) -> Response:
        return _told(views.health())

    async def readyz(_request: Request) -> Response:
        return _told(views.readiness())

    own = [Route("/metrics", metrics), Route("/healthz", healthz), Route("/readyz", readyz)]
    return Starlette(routes=[*own, *routes])


@asynccontextmanager
async def serving(app: Starlette, host: str, port: int) -> AsyncIterator[int]:
    """Until the end of the block; gives the port, which the system chooses where it is 0.

    Raises SettingsError where it can't be had.
    """
    listener = _listen(host, port)
    config = uvicorn.Config(
        app,
        log_config=None,
        access_log=False,
        lifespan="off",
        server_header=False,
        limit_concurrency=_CONNECTIONS,
        timeout_graceful_shutdown=_LAST_ANSWERS_S,
    )
    server = _Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield int(listener.getsockname()[1])
    finally:
        server.should_exit = True
        await asyncio.gather(task, return_exceptions=True)
        listener.close()


class _Server(uvicorn.Server):
    """Signals are the program's business."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _listen(host: str, port: int) -> socket.socket:
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        # asyncio answers at once only on sockets that say that they are TCP's
        listener = socket.socket(family, kind, socket.IPPROTO_TCP)
    except OSError as error:
        raise _not_listening(host, port, error) from None
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen()
    except OSError as error:
        listener.close()
        raise _not_listening(host, port, error) from None
    return listener


def _not_listening(host: str, port: int, error: OSError) -> SettingsError:
    reason = error.strerror or "no such address"
    told = f"web.host, web.port: {host}:{port} can't be listened to ({reason}); set others, or web.port = 0 for none"
    return SettingsError(told)


def _told(parts: Mapping[str, bool]) -> Response:
    good = all(parts.values())
    return JSONResponse({"good": good, **parts}, status_code=200 if good else 503)
