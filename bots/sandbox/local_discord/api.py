"""REST, version 10: who asks, how often, with which fault, and what is answered."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from aiohttp import web

from bots.sandbox.faults import Fault, Faults, Kind
from bots.sandbox.json_values import JsonObject, as_json
from bots.sandbox.listening import drop
from bots.sandbox.local_discord.asking import Asked, Operation
from bots.sandbox.local_discord.bodies import Body, read_body
from bots.sandbox.local_discord.calls import Call, Calls
from bots.sandbox.local_discord.interactions import Interactions
from bots.sandbox.local_discord.limits import Allowance
from bots.sandbox.local_discord.methods.table import OPERATIONS
from bots.sandbox.local_discord.refusals import Refused, TooOften
from bots.sandbox.local_discord.starts import Starts
from bots.sandbox.local_discord.world import World

_PREFIX = "/api/v10"
#: It begins connections, and is met only where it is named.
_UNASKED = "gateway_bot"
_TOO_OFTEN = 429
#: Nobody sees it but who lists the calls.
_CLIENT_LEFT = 499
_SECRETS = {"token"}


@dataclass(frozen=True, slots=True)
class Said:
    """What a request is answered with; no answer is 204."""

    status: int
    answer: object
    headers: Mapping[str, str] = field(default_factory=dict)


class Api:
    """What apps speak to."""

    def __init__(self, world: World, interactions: Interactions, starts: Starts) -> None:
        self.calls = Calls()
        self.faults = Faults(_UNASKED)
        self._world = world
        self._interactions = interactions
        self._starts = starts

    def routes(self) -> list[web.RouteDef]:
        return [web.route(one.method, _PREFIX + one.path, self._answering(one)) for one in OPERATIONS] + [
            web.route("*", _PREFIX + "/{path:.*}", self._unknown)
        ]

    def _answering(self, operation: Operation):  # type: ignore[no-untyped-def] # aiohttp's own type of handlers
        async def answer(request: web.Request) -> web.StreamResponse:
            return await self._answer(request, operation)

        return answer

    async def _unknown(self, _request: web.Request) -> web.Response:
        return _response(Said(404, {"message": "404: Not Found", "code": 0}))

    async def _answer(self, request: web.Request, operation: Operation) -> web.StreamResponse:
        """One request, with the fault that is meant for it."""
        try:
            body = await read_body(request)
        except Refused as refused:
            return _response(Said(refused.status, refused.to_json()))
        except ConnectionError:  # it was killed while it asked
            return web.Response(status=_CLIENT_LEFT)
        call = self._begin(request, operation, body)
        fault = self.faults.meet(operation.name, call.where.get("channel", ""), "")
        call.fault = fault.kind.value if fault else ""
        if fault is not None and fault.kind is Kind.DELAY_BEFORE:
            await asyncio.sleep(fault.seconds)
        if fault is not None and fault.kind is Kind.DROP_BEFORE:
            return self._dropped(request, call)
        if fault is not None and fault.kind is Kind.ANSWER:
            return self._ended(call, _ordered(fault))
        said = await self._carried_out(request, operation, body, call)
        if fault is not None and fault.kind is Kind.DELAY_AFTER:
            await asyncio.sleep(fault.seconds)
        if fault is not None and fault.kind is Kind.DROP_AFTER:
            call.answer = said.answer
            return self._dropped(request, call)
        return self._ended(call, _ordered(fault) if fault is not None and fault.kind is Kind.ANSWER_AFTER else said)

    def _begin(self, request: web.Request, operation: Operation, body: Body) -> Call:
        where = {name: value for name, value in request.match_info.items() if name not in _SECRETS}
        files = [file.name for file in body.files]
        given: JsonObject = {"listed": list(body.listed)} if body.listed else dict(body.values)
        call = Call(operation.name, where, given, dict(body.query), files, time.monotonic())
        self._world.changes.happen()
        return self.calls.begin(call)

    async def _carried_out(self, request: web.Request, operation: Operation, body: Body, call: Call) -> Said:
        headers: dict[str, str] = {}
        try:
            self._check_token(request, operation)
            headers = self._count(request, operation, call)
            asked = Asked(self._world, request.match_info, body, self._interactions, self._starts)
            answer = await operation.carry_out(asked)
            return Said(204 if answer is None else 200, answer, headers)
        except TooOften as refused:
            name = "global" if refused.scope == "global" else operation.name
            self._world.excesses[name] += 1
            call.scope = refused.scope
            return Said(_TOO_OFTEN, refused.to_json(), headers | _too_often(refused))
        except Refused as refused:
            return Said(refused.status, refused.to_json(), headers)

    def _check_token(self, request: web.Request, operation: Operation) -> None:
        """Raises Refused."""
        if not operation.is_open and request.headers.get("Authorization", "") != f"Bot {self._world.token}":
            raise Refused(401, 0)

    def _count(self, request: web.Request, operation: Operation, call: Call) -> dict[str, str]:
        """The headers. Raises TooOften, with them."""
        rates, now = self._world.options.rates, self._world.clock.now()
        if rates.is_unlimited:
            return {}
        name = operation.bucket or operation.name
        call.of = ":".join(request.match_info[one] if one not in _SECRETS else "…" for one in operation.major)
        key = ":".join(request.match_info[one] for one in operation.major)
        allowed = self._world.tallies.count(name, key, rates.window(name), now)
        call.bucket, call.remaining = allowed.bucket, max(0, allowed.remaining)
        if allowed.remaining < 0:
            raise _Exhausted(allowed)
        if not operation.is_open:
            self._world.tallies.check("global", "", rates.everything, now, "global")
        return allowed.headers()

    def _dropped(self, request: web.Request, call: Call) -> web.StreamResponse:
        call.ended = time.monotonic()
        self._world.changes.happen()
        drop(request)
        return web.Response(status=503)  # nobody gets it

    def _ended(self, call: Call, said: Said) -> web.Response:
        call.ended, call.status, call.answer = time.monotonic(), said.status, said.answer
        self._world.changes.happen()
        return _response(said)


class _Exhausted(TooOften):
    """A bucket is; its headers go along."""

    def __init__(self, allowed: Allowance) -> None:
        super().__init__(allowed.reset_after)
        self.headers = allowed.headers() | {"X-RateLimit-Remaining": "0"}


def _too_often(refused: TooOften) -> dict[str, str]:
    headers = dict(refused.headers) if isinstance(refused, _Exhausted) else {}
    headers |= {"Retry-After": str(int(refused.retry_after_s) + 1), "X-RateLimit-Scope": refused.scope}
    headers["Via"] = "1.1 google"  # without it, clients take it for Cloudflare's ban
    return headers | ({"X-RateLimit-Global": "true"} if refused.scope == "global" else {})


def _ordered(fault: Fault) -> Said:
    """The error that was asked for: a code, and with 429 a code or a scope."""
    if fault.status == _TOO_OFTEN:
        is_code = fault.error.isdigit()
        often = TooOften(
            fault.retry_after_s, "user" if is_code else fault.error or "user", int(fault.error) if is_code else 0
        )
        return Said(_TOO_OFTEN, often.to_json(), _too_often(often))
    refused = Refused(fault.status, int(fault.error or 0))
    return Said(fault.status, refused.to_json() if fault.error else {"message": f"{fault.status}", "code": 0})


def _response(said: Said) -> web.Response:
    if said.answer is None:
        return web.Response(status=204, headers=said.headers)
    body = as_json(said.answer)
    return web.Response(body=body, status=said.status, headers=said.headers, content_type="application/json")
