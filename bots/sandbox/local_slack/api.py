"""The Web API over HTTP: `/api/<method>`."""

import asyncio
import time
from dataclasses import dataclass, replace

from aiohttp import web

from bots.sandbox.faults import Fault, Faults, Kind
from bots.sandbox.json_values import JsonObject, as_json
from bots.sandbox.listening import drop
from bots.sandbox.local_slack.access import check_scope
from bots.sandbox.local_slack.accounts import Install
from bots.sandbox.local_slack.calls import Call, Calls
from bots.sandbox.local_slack.limits import Window
from bots.sandbox.local_slack.methods.table import METHODS, window
from bots.sandbox.local_slack.oauth import Oauth
from bots.sandbox.local_slack.parameters import Parameters, read_parameters
from bots.sandbox.local_slack.refusals import Refused, TooOften
from bots.sandbox.local_slack.sockets import Sockets, open_connection
from bots.sandbox.local_slack.world import World

_OPEN = "apps.connections.open"
_ACCESS = "oauth.v2.access"
_TOO_OFTEN = 429
_BEARER = "Bearer "
#: Nobody sees it but who lists the calls.
_CLIENT_LEFT = 499


@dataclass(frozen=True, slots=True)
class Said:
    """What a call is answered with."""

    status: int
    answer: JsonObject
    #: The caller's, as each answer names them in a header.
    scopes: tuple[str, ...] = ()


class Api:
    """What apps speak to."""

    def __init__(self, world: World, sockets: Sockets, oauth: Oauth) -> None:
        self.calls = Calls()
        self.faults = Faults(_OPEN)
        self._world = world
        self._sockets = sockets
        self._oauth = oauth

    def routes(self) -> list[web.RouteDef]:
        return [web.post("/api/{method}", self._answer), web.get("/api/{method}", self._answer, allow_head=False)]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        """One call, with the fault that is meant for it."""
        name = request.match_info["method"]
        try:
            given = await read_parameters(request)
        except Refused as refused:
            return _response(Said(200, _refusal(refused)))
        except ConnectionError:  # it was killed while it called
            return web.Response(status=_CLIENT_LEFT)
        caller = self._whose(_token(request, given))
        call = self.calls.begin(name, caller.id if caller else "", given, time.monotonic())
        self._world.changes.happen()
        fault = self.faults.meet(name, given.text("channel") or given.text("channel_id"), call.install)
        call.fault = fault.kind.value if fault else ""
        if fault is not None and fault.kind is Kind.DELAY_BEFORE:
            await asyncio.sleep(fault.seconds)
        if fault is not None and fault.kind is Kind.DROP_BEFORE:
            return self._dropped(request, call)
        if fault is not None and fault.kind is Kind.ANSWER:
            return self._ended(call, _ordered(fault))
        said = await self._carried_out(request, name, given)
        if caller is not None:
            said = replace(said, scopes=caller.scopes)
        if fault is not None and fault.kind is Kind.DELAY_AFTER:
            await asyncio.sleep(fault.seconds)
        if fault is not None and fault.kind is Kind.DROP_AFTER:
            call.answer = said.answer
            return self._dropped(request, call)
        return self._ended(call, _ordered(fault) if fault is not None and fault.kind is Kind.ANSWER_AFTER else said)

    async def _carried_out(self, request: web.Request, name: str, given: Parameters) -> Said:
        try:
            return Said(200, {"ok": True, **await self._result(request, name, given)})
        except TooOften as refused:
            self._world.excesses[name] += 1
            return Said(_TOO_OFTEN, _refusal(refused) | {"retry_after": refused.retry_after_s})
        except Refused as refused:
            return Said(200, _refusal(refused))

    async def _result(self, request: web.Request, name: str, given: Parameters) -> JsonObject:
        """Raises Refused."""
        token, rates = _token(request, given), self._world.options.rates
        if name == _ACCESS:
            return self._oauth.access(request, given)
        if name == _OPEN:
            self._count(name, self._world.options.app.id, rates.tier3)
            return open_connection(self._sockets, token)
        if name not in METHODS:
            raise Refused("unknown_method", req_method=name)
        caller = self._checked(token, self._whose(token))
        check_scope(caller, *METHODS[name].scopes)
        self._count(name, caller.id, window(rates, name))
        return await METHODS[name].carry_out(self._world, caller, given)

    def _whose(self, token: str) -> Install | None:
        """Of a token that is good, or was."""
        installs = self._world.installs.values()
        return next((one for one in installs if token and (token == one.token or token in one.dead_tokens)), None)

    def _checked(self, token: str, caller: Install | None) -> Install:
        """Raises Refused."""
        if caller is None:
            raise Refused("invalid_auth" if token else "not_authed")
        if token in caller.dead_tokens:
            raise Refused(caller.dead_tokens[token])
        if caller.is_removed:
            raise Refused("account_inactive")
        return caller

    def _count(self, name: str, caller: str, most: Window) -> None:
        """Raises TooOften."""
        if not self._world.options.rates.is_unlimited:
            self._world.tallies.count({(name, caller): most}, self._world.clock.now())

    def _dropped(self, request: web.Request, call: Call) -> web.StreamResponse:
        call.ended = time.monotonic()
        self._world.changes.happen()
        drop(request)
        return web.Response(status=503)  # nobody gets it

    def _ended(self, call: Call, said: Said) -> web.Response:
        call.ended, call.status, call.answer = time.monotonic(), said.status, said.answer
        self._world.changes.happen()
        return _response(said)


def _token(request: web.Request, given: Parameters) -> str:
    header = request.headers.get("Authorization", "")
    return header.removeprefix(_BEARER) if header.startswith(_BEARER) else given.text("token")


def _ordered(fault: Fault) -> Said:
    """The error that was asked for."""
    if fault.status == _TOO_OFTEN:
        refused = TooOften(fault.retry_after_s)
        return Said(fault.status, _refusal(refused) | {"retry_after": fault.retry_after_s})
    return Said(fault.status, _refusal(Refused(fault.error or "internal_error")))


def _refusal(refused: Refused) -> JsonObject:
    return {"ok": False, "error": refused.error, **refused.more}


def _response(said: Said) -> web.Response:
    wait_s = said.answer.get("retry_after")
    headers = {"x-oauth-scopes": ",".join(said.scopes)} if said.scopes else {}
    if said.status == _TOO_OFTEN:
        headers["Retry-After"] = str(wait_s)
    told = {name: value for name, value in said.answer.items() if name != "retry_after"}
    return web.Response(body=as_json(told), status=said.status, headers=headers, content_type="application/json")
