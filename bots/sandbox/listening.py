"""An HTTP server on 127.0.0.1 whose connections can be broken, and which can go away and come back on its port."""

import socket

from aiohttp import web

_HOST = "127.0.0.1"
_BACKLOG = 1000
_LARGEST_BODY = 64 << 20
#: Long: a connection that breaks just when it is used again would be a fault that nobody asked for.
_IDLE_S = 3600.0
_END_S = 0.1


class Listener:
    """Serves routes."""

    def __init__(self, routes: list[web.RouteDef]) -> None:
        self._routes = routes
        self._socket = _bound(0)
        #: The same for its whole life.
        self.port = int(self._socket.getsockname()[1])
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://{_HOST}:{self.port}"

    @property
    def is_here(self) -> bool:
        return self._runner is not None

    async def come(self, port: int = 0) -> None:
        """Begins to listen, or does so again; at a port of the caller's choice the first time, if it is given."""
        if self.is_here:
            return
        if port:
            self._socket.close()
            self._socket, self.port = _bound(port), port
        app = web.Application(client_max_size=_LARGEST_BODY)
        app.add_routes(self._routes)
        runner = web.AppRunner(app, access_log=None, keepalive_timeout=_IDLE_S, shutdown_timeout=_END_S)
        await runner.setup()
        await web.SockSite(runner, self._socket, backlog=_BACKLOG).start()
        self._runner = runner

    async def go(self) -> None:
        """Breaks every connection and refuses new ones, until it comes back; the port is kept."""
        runner, self._runner = self._runner, None
        if runner is None:
            return
        for site in list(runner.sites):
            await site.stop()
        if runner.server is not None:
            for connection in list(runner.server.connections):
                if connection.transport is not None:
                    connection.transport.abort()
        await runner.cleanup()
        self._socket = _bound(self.port)

    async def aclose(self) -> None:
        await self.go()
        self._socket.close()


def drop(request: web.BaseRequest) -> None:
    """Breaks the connection of a request, without a word."""
    if request.transport is not None:
        request.transport.abort()


def _bound(port: int) -> socket.socket:
    """Bound and not listening: nobody else gets the port, and connections are refused."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((_HOST, port))
    return listener
