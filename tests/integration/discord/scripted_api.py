"""A server that answers what a test says, in the order in which it was said."""

import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web
from aiohttp.test_utils import TestServer
from discord.http import Route

from adapters.discord.endpoint import speak_to


@dataclass(frozen=True, slots=True)
class Answer:
    status: int = 200
    body: object = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    #: The connection ends instead.
    drops: bool = False


def limited(limit: int, remaining: int, reset_after_s: float) -> Mapping[str, str]:
    """As Discord tells it with every answer."""
    return {
        "X-RateLimit-Limit": str(limit),
        "X-RateLimit-Remaining": str(remaining),
        "X-RateLimit-Reset-After": f"{reset_after_s:.3f}",
        "X-RateLimit-Bucket": "abcd",
    }


def too_much(retry_after_s: float, *, is_global: bool = False) -> Answer:
    body = {"message": "too much", "retry_after": retry_after_s, "global": is_global}
    headers = {"Retry-After": f"{retry_after_s:.3f}", "Via": "1.1 google"}
    return Answer(429, body, headers | ({"X-RateLimit-Global": "true"} if is_global else {}))


@dataclass
class ScriptedApi:
    answers: deque[Answer] = field(default_factory=deque)
    #: Method and path of each call but the login, with its Authorization.
    calls: list[str] = field(default_factory=list)
    logins: int = 0
    #: Of the login.
    login: Answer = field(default_factory=lambda: Answer(body={"id": "1", "username": "banter"}))
    #: Answers in the script's place.
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]] | None = None
    url: str = ""

    def will(self, *answers: Answer) -> None:
        self.answers.extend(answers)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/users/@me"):
            self.logins += 1
            return response_of(self.login)
        self.calls.append(f"{request.method} {request.path.removeprefix('/api/v10')}")
        await request.read()
        if self.handler is not None:
            return await self.handler(request)
        answer = self.answers.popleft() if self.answers else Answer()
        if answer.drops:
            assert request.transport is not None
            request.transport.close()
        return response_of(answer)


def response_of(answer: Answer) -> web.Response:
    body = json.dumps(answer.body).encode()
    return web.Response(body=body, status=answer.status, headers=dict(answer.headers), content_type="application/json")


@asynccontextmanager
async def scripted_api() -> AsyncIterator[ScriptedApi]:
    api = ScriptedApi()
    app = web.Application()
    app.router.add_route("*", "/api/v10/{rest:.*}", api.answer)
    before = Route.BASE
    async with TestServer(app) as server:
        api.url = str(server.make_url("/api/v10"))
        speak_to(api.url)
        try:
            yield api
        finally:
            speak_to(before)
