"""The Bot API over HTTP: `/bot<token>/<method>` and `/file/bot<token>/<path>`."""

import asyncio
import hmac
import time
from collections.abc import Coroutine

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from bots.sandbox.json_values import JsonObject, as_json
from bots.sandbox.local_telegram.calls import Call, Calls
from bots.sandbox.local_telegram.faults import Fault, Faults, Kind
from bots.sandbox.local_telegram.listening import Listener
from bots.sandbox.local_telegram.methods.table import MethodTable
from bots.sandbox.local_telegram.parameters import Parameters, read_parameters
from bots.sandbox.local_telegram.refusals import Refused, too_many_requests
from bots.sandbox.local_telegram.world import World

_POLL = "getUpdates"
#: Nobody sees it but who lists the calls.
_CLIENT_LEFT = 499
_REASONS = {429: "Too Many Requests", 500: "Internal Server Error", 502: "Bad Gateway", 503: "Service Unavailable"}


class Api:
    """What bots speak to."""

    def __init__(self, world: World, table: MethodTable) -> None:
        self.calls = Calls()
        self.faults = Faults()
        self._world = world
        self._table = table
        routes = [
            Route("/bot{token}/{method}", self._answer, methods=["GET", "POST"]),
            Route("/file/bot{token}/{path:path}", self._give_file, methods=["GET"]),
        ]
        app = Starlette(routes=routes, exception_handlers={404: _not_found, 405: _not_found})
        self.listener = Listener(app)

    async def _answer(self, request: Request) -> Response:
        """One call, with the fault that is meant for it."""
        found = self._table.find(request.path_params["method"])
        name = found[0] if found else request.path_params["method"]
        try:
            parameters = await read_parameters(request)
        except Refused as refused:
            return _response(refused.code, _refusal(refused))
        except ClientDisconnect:  # it was killed while it called
            return Response(status_code=_CLIENT_LEFT)
        call = self.calls.begin(name, parameters, time.monotonic())
        self._world.changes.happen()
        fault = self.faults.meet(name, parameters.text("chat_id"))
        call.fault = fault.kind.value if fault else ""
        if fault is not None and fault.kind is Kind.DELAY_BEFORE:
            await asyncio.sleep(fault.seconds)
        if fault is not None and fault.kind is Kind.DROP_BEFORE:
            return await self._dropped(request, call)
        if fault is not None and fault.kind is Kind.ANSWER:
            return self._ended(call, *_ordered(fault))
        status, answer = await self._carried_out(request, name, parameters)
        if fault is not None and fault.kind is Kind.DELAY_AFTER:
            await asyncio.sleep(fault.seconds)
        if fault is not None and fault.kind is Kind.DROP_AFTER:
            call.answer = answer
            return await self._dropped(request, call)
        if fault is not None and fault.kind is Kind.ANSWER_AFTER:
            status, answer = _ordered(fault)
        return self._ended(call, status, answer)

    async def _carried_out(self, request: Request, name: str, parameters: Parameters) -> tuple[int, JsonObject]:
        found = self._table.find(name)
        try:
            self._check_token(request.path_params["token"])
            if found is None:
                raise Refused(404, "Not Found: method not found")
            answer = found[1](self._world, parameters)
            return 200, {"ok": True, "result": await (_while_there(request, answer) if name == _POLL else answer)}
        except Refused as refused:
            return refused.code, _refusal(refused)

    async def _give_file(self, request: Request) -> Response:
        try:
            self._check_token(request.path_params["token"])
        except Refused as refused:
            return _response(refused.code, _refusal(refused))
        file = self._world.files.at(request.path_params["path"])
        if file is None:
            return _response(404, _refusal(Refused(404, "Not Found")))
        return Response(file.upload.content, media_type=file.upload.content_type)

    def _check_token(self, token: str) -> None:
        if ":" not in token:
            raise Refused(401, "Unauthorized: invalid token specified")
        if not hmac.compare_digest(token.encode(), self._world.account.token.encode()):
            raise Refused(401, "Unauthorized")

    async def _dropped(self, request: Request, call: Call) -> Response:
        call.ended = time.monotonic()
        self._world.changes.happen()
        client = request.scope["client"]
        if client is not None:
            self.listener.drop(tuple(client))
        await _left(request)
        return Response(status_code=503)  # nobody gets it

    def _ended(self, call: Call, status: int, answer: JsonObject) -> Response:
        call.ended, call.status, call.answer = time.monotonic(), status, answer
        self._world.changes.happen()
        return _response(status, answer)


async def _while_there(request: Request, answer: Coroutine[object, object, object]) -> object:
    """What comes of it; a poll ends with its client. Raises Refused."""
    answering, leaving = asyncio.ensure_future(answer), asyncio.ensure_future(_left(request))
    try:
        await asyncio.wait({answering, leaving}, return_when=asyncio.FIRST_COMPLETED)
        if not answering.done():
            raise Refused(_CLIENT_LEFT, "the client left")
        return await answering
    finally:
        answering.cancel()
        leaving.cancel()
        await asyncio.gather(answering, leaving, return_exceptions=True)


async def _left(request: Request) -> None:
    """Returns when the client is gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass


def _ordered(fault: Fault) -> tuple[int, JsonObject]:
    """The error that was asked for."""
    if fault.status == too_many_requests(1).code:
        return fault.status, _refusal(too_many_requests(fault.retry_after_s))
    return fault.status, _refusal(Refused(fault.status, _REASONS.get(fault.status, "Bad Request: by request")))


def _refusal(refused: Refused) -> JsonObject:
    answer: JsonObject = {"ok": False, "error_code": refused.code, "description": refused.description}
    return answer | ({"parameters": refused.parameters} if refused.parameters else {})


def _response(status: int, answer: JsonObject) -> Response:
    parameters = answer.get("parameters")
    wait_s = parameters.get("retry_after") if isinstance(parameters, dict) else None
    headers = {"Retry-After": str(wait_s)} if wait_s else None
    return Response(as_json(answer), status, headers, "application/json")


async def _not_found(_request: Request, _error: Exception) -> Response:
    return _response(404, _refusal(Refused(404, "Not Found")))
