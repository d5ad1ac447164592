"""Events over HTTP: Slack brings what happens to the program's own web server, and takes 200 for "kept".

What could not be kept is answered with 503, and Slack brings it again. Only Slack knows the signing secret; a request
that is not signed with it, or not now, is not heard, and nothing of it is kept or logged. Slack brings events as JSON,
and what people do with buttons, windows and slash commands as a form.
"""

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from adapters.slack.bolt_app import ACKED, NOT_NOW, Ack
from adapters.slack.intake import Intake
from adapters.slack.kept import raw_of_bytes
from adapters.slack.signature import SIGNATURE_HEADER, TIME_HEADER, is_fresh, is_signed, looks_signed

_READ_S = 10.0
#: Slack's slash commands have about fifteen.
_MOST_FIELDS = 100
_NOT_SIGNED, _TOO_LATE, _TOO_LONG = 401, 408, 413


@dataclass(frozen=True, slots=True)
class HttpOptions:
    #: The app's, as Slack shows it under "Basic Information".
    signing_secret: str = field(repr=False)
    path: str = "/slack/events"
    #: Of one request; real ones are far smaller.
    limit_bytes: int = 1 << 20
    #: When Slack may bring again what could not be kept, for whoever reads it.
    retry_after_s: int = 5
    clock: Callable[[], float] = time.time

    def __post_init__(self) -> None:
        if not self.signing_secret.strip():
            raise ValueError("a signing secret is never empty")


class EventsHttp:
    def __init__(self, intake: Intake, options: HttpOptions) -> None:
        self._intake = intake
        self._options = options
        self._requests = 0
        self._idle = asyncio.Event()
        self._idle.set()

    async def receive(self, request: Request) -> Response:
        """What Slack brings."""
        told = request.headers.get(TIME_HEADER, "")
        signature = request.headers.get(SIGNATURE_HEADER, "")
        if not is_fresh(told, self._options.clock()) or not looks_signed(signature):
            return Response(status_code=_NOT_SIGNED)  # so nothing of it is read
        try:
            async with asyncio.timeout(_READ_S):
                body = await self._body(request)
        except (TimeoutError, ClientDisconnect):
            return Response(status_code=_TOO_LATE)
        if body is None:
            return Response(status_code=_TOO_LONG)
        if not is_signed(self._options.signing_secret.encode(), told, body, signature):
            return Response(status_code=_NOT_SIGNED)
        return await self._taken(body)

    async def finish(self) -> None:
        """Those that are under way have a deadline of their own."""
        await self._idle.wait()

    async def _taken(self, body: bytes) -> Response:
        self._requests += 1
        self._idle.clear()
        try:
            told = taken_apart(body)
            if told is None:
                ack = await self._intake.bury(raw_of_bytes(body), "it can't be taken apart")
            else:
                ack = await self._intake.take(told)
        finally:
            self._requests -= 1
            if not self._requests:
                self._idle.set()
        return self._answer(ack)

    def _answer(self, ack: Ack) -> Response:
        if ack.status != ACKED:
            return Response(status_code=NOT_NOW, headers={"Retry-After": str(self._options.retry_after_s)})
        return Response(ack.body, media_type="application/json" if ack.body else None)

    async def _body(self, request: Request) -> bytes | None:
        """None where it is too long."""
        received = bytearray()
        async for part in request.stream():
            received += part
            if len(received) > self._options.limit_bytes:
                return None
        return bytes(received)


def taken_apart(body: bytes) -> dict[str, Any] | None:
    """JSON, a form, or JSON within a form; None where it is nothing of these."""
    try:
        text = body.decode()
        if text.lstrip().startswith("{"):
            return _object(text)
        told = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=_MOST_FIELDS))
        return _object(told["payload"]) if "payload" in told else told or None
    except (ValueError, RecursionError):
        return None


def _object(text: str) -> dict[str, Any] | None:
    found = json.loads(text)
    return found if isinstance(found, dict) else None
