"""What a broken Telegram, or something between it and us, could answer."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from adapters.telegram.line import Address
from bots.sandbox.local_telegram.listening import Listener


class SpoiltTelegram:
    """Gives out updates as bytes, whatever they are, from an offset on and no more than asked for."""

    def __init__(self, *updates: bytes) -> None:
        #: In the order of their ids, which begin at 1.
        self.updates = list(updates)
        #: Given instead of the next answers.
        self.instead: list[bytes] = []
        self.limits: list[int] = []
        #: There was nothing to give.
        self.was_silent = asyncio.Event()
        #: So many updates are confirmed.
        self._confirmed = 0

    def begin_elsewhere(self, *updates: bytes) -> None:
        """As after a week of silence: ids have nothing to do with those of before."""
        self.updates, self._confirmed = list(updates), 0

    async def answer(self, request: Request) -> Response:
        if request.path_params["method"] != "getUpdates":
            return JSONResponse({"ok": True, "result": True})
        asked = await request.json()
        self.limits.append(asked["limit"])
        if self.instead:
            return Response(self.instead.pop(0), media_type="text/html")
        self._confirmed = max(asked.get("offset", 1) - 1, self._confirmed)
        given = self.updates[self._confirmed :][: asked["limit"]]
        if not given:
            self.was_silent.set()
        return Response(b'{"ok": true, "result": [' + b", ".join(given) + b"]}", media_type="application/json")


def said(number: int, text: str) -> bytes:
    message = f'{{"message_id": {number}, "date": 1795000000, "chat": {{"id": 5, "type": "private"}}'
    sender = '"from": {"id": 5, "is_bot": false, "first_name": "Anna"}'
    return f'{{"update_id": {number}, "message": {message}, {sender}, "text": "{text}"}}}}'.encode()


@asynccontextmanager
async def serving_spoilt(telegram: SpoiltTelegram) -> AsyncIterator[Address]:
    app = Starlette(routes=[Route("/bot{token}/{method}", telegram.answer, methods=["POST"])])
    listener = Listener(app)
    try:
        await listener.come()
        yield Address("1:token", listener.url)
    finally:
        await listener.aclose()
