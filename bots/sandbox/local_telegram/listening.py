"""An HTTP server on 127.0.0.1 whose connections can be broken, and which can go away and come back on its port."""

import asyncio
import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

_HOST = "127.0.0.1"
_CONNECTIONS = 1000
_BEGIN_S = 10.0
#: Long: a connection that breaks just when it is used again would be a fault that nobody asked for.
_IDLE_S = 3600

#: As ASGI names a connection: `scope["client"]`.
Client = tuple[str, int]


class Listener:
    """Serves one app."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self._answering: set[asyncio.Task[object]] = set()
        self._transports: dict[Client, asyncio.Transport] = {}
        self._socket = _bound(0)
        #: The same for its whole life.
        self.port = int(self._socket.getsockname()[1])
        self._is_leaving = False
        self._server: _Server | None = None
        self._serving: asyncio.Task[None] | None = None

    @property
    def url(self) -> str:
        return f"http://{_HOST}:{self.port}"

    @property
    def is_here(self) -> bool:
        return self._server is not None

    async def come(self, port: int = 0) -> None:
        """Begins to listen, or does so again; at a port of the caller's choice the first time, if it is given."""
        if self.is_here:
            return
        if port:
            self._socket.close()
            self._socket, self.port = _bound(port), port
        self._is_leaving = False
        self._server = _Server(self._config())
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        async with asyncio.timeout(_BEGIN_S):
            await self._server.begun.wait()

    async def go(self) -> None:
        """Breaks every connection and refuses new ones, until it comes back; the port is kept."""
        if self._server is None or self._serving is None:
            return
        self._is_leaving = True
        for listening in self._server.servers:
            listening.close()
        for client in list(self._transports):
            self.drop(client)
        await asyncio.sleep(0)  # the connections learn of their end before their answers are called off
        for task in self._answering:
            task.cancel()
        self._serving.cancel()
        await asyncio.gather(self._serving, *self._answering, return_exceptions=True)
        self._server = self._serving = None
        self._socket = _bound(self.port)

    def drop(self, client: Client) -> None:
        """Breaks a connection, without a word."""
        transport = self._transports.get(client)
        if transport is not None:
            transport.abort()

    async def aclose(self) -> None:
        await self.go()
        self._socket.close()

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The app, whose answers can be called off."""
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - this is a coroutine
        self._answering.add(task)
        try:
            await self._app(scope, receive, send)
        except asyncio.CancelledError:
            if not self._is_leaving:
                raise
        finally:
            self._answering.discard(task)

    def _config(self) -> uvicorn.Config:
        transports = self._transports

        class Protocol(H11Protocol):
            """Its transports are known."""

            def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # asyncio gives no other kind here
                super().connection_made(transport)
                if self.client is not None:
                    transports[self.client] = transport

            def connection_lost(self, exc: Exception | None) -> None:
                if self.client is not None:
                    transports.pop(self.client, None)
                super().connection_lost(exc)

        return uvicorn.Config(
            self._answer,
            http=Protocol,
            interface="asgi3",
            timeout_keep_alive=_IDLE_S,
            proxy_headers=False,
            log_config=None,
            access_log=False,
            lifespan="off",
            server_header=False,
            limit_concurrency=_CONNECTIONS,
            backlog=_CONNECTIONS,
        )


class _Server(uvicorn.Server):
    """Says when it has begun. Signals are the program's business."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.begun = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.begun.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def _bound(port: int) -> socket.socket:
    """Bound and not listening: nobody else gets the port, and connections are refused."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)  # else asyncio sets no TCP_NODELAY
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((_HOST, port))
    return listener
