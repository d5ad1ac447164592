"""The control interface: `POST /control/<order>`, JSON in and out, on a port of its own.

It orders what people and Telegram do, and tells what there is to see. It stays when the Bot API goes away.
"""

import math
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bots.sandbox.json_values import as_json
from bots.sandbox.local_telegram.api import Api
from bots.sandbox.local_telegram.faults import Fault, Kind
from bots.sandbox.local_telegram.listening import Listener
from bots.sandbox.local_telegram.parameters import Parameters, read_parameters
from bots.sandbox.local_telegram.refusals import Refused
from bots.sandbox.local_telegram.staging import Staging
from bots.sandbox.local_telegram.webhook import Webhook
from bots.sandbox.local_telegram.world import World

_LONGEST_WAIT_S = 30.0

Order = Callable[[Parameters], Awaitable[object]]


class Control:
    """Whoever drives the server."""

    def __init__(self, world: World, api: Api, webhook: Webhook) -> None:
        self._world = world
        self._api = api
        self._webhook = webhook
        self._staged = Staging(world).orders()
        self._orders: dict[str, Order] = {
            "state": self._state,
            "seen": self._seen,
            "calls": self._calls,
            "wait": self._wait,
            "bot": self._bot,
            "revoke": self._revoke,
            "fault": self._fault,
            "clear_faults": self._clear_faults,
            "repeat": self._repeat,
            "go": self._go,
            "come": self._come,
        }
        self.listener = Listener(Starlette(routes=[Route("/control/{order}", self._answer, methods=["POST"])]))

    async def _answer(self, request: Request) -> Response:
        try:
            result = await self._carry_out(request.path_params["order"], await read_parameters(request))
        except (Refused, ValueError) as error:
            return Response(as_json({"error": str(error)}), 400, media_type="application/json")
        return Response(as_json({"result": result}), media_type="application/json")

    async def _carry_out(self, name: str, given: Parameters) -> object:
        if name in self._staged:
            return self._staged[name](given)
        if name in self._orders:
            return await self._orders[name](given)
        raise ValueError(f"nothing is called {name}")

    async def _state(self, _given: Parameters) -> object:
        """What is not in a chat."""
        account = self._world.account
        return {
            "version": self._world.changes.version,
            "token": account.token,
            "bot": account.to_json(),
            "base_url": self._api.listener.url,
            "control_url": self.listener.url,
            "is_here": self._api.listener.is_here,
            "menus": [
                {"scope": scope, "language": language, "commands": commands}
                for (scope, language), commands in account.menus.items()
            ],
            "excesses": {what: times for what, times in self._world.excesses.items() if times},
            "pending_updates": len(self._world.updates),
            "allowed_updates": self._world.updates.allowed,
            "webhook": self._webhook.to_json(),
            "presses": self._world.presses,
            "waiting_faults": self._api.faults.waiting,
        }

    async def _seen(self, given: Parameters) -> object:
        """What a chat shows, and what it showed before."""
        chat = self._world.chat(given.integer("chat_id"), given.text("business"))
        return {
            "version": chat.changes.version,
            "chat": chat.to_json(),
            "standing": chat.standing.value,
            "moved_to": chat.moved_to,
            "topics": [topic.to_json() for topic in chat.topics.values() if not topic.is_deleted],
            "messages": [message.shown() for message in chat.messages.values()],
            "drafts": {str(draft_id): shown for draft_id, shown in chat.drafts.items()},
            "actions": chat.actions,
        }

    async def _calls(self, given: Parameters) -> object:
        since = float(given.text("since") or -math.inf)
        return {"version": self._world.changes.version, "calls": self._api.calls.to_json(given.text("method"), since)}

    async def _wait(self, given: Parameters) -> object:
        """Until something happens after `version`: in a chat, or anywhere."""
        timeout_s = min(float(given.text("timeout_s") or 1.0), _LONGEST_WAIT_S)
        chat_id = given.integer("chat_id")
        changes = self._world.chat(chat_id, given.text("business")).changes if chat_id else self._world.changes
        return await changes.since(given.integer("version"), timeout_s)

    async def _bot(self, given: Parameters) -> object:
        """Changes what @BotFather would."""
        for name in given.values:
            self._world.account.change(name, is_on=given.flag(name))
        return self._world.account.to_json()

    async def _revoke(self, _given: Parameters) -> object:
        """Gives the new token; whoever polls with the old one is told."""
        token = self._world.account.revoke()
        self._world.updates.end_poll(Refused(401, "Unauthorized"))
        return token

    async def _fault(self, given: Parameters) -> object:
        fault = Fault(
            Kind(given.text("kind")),
            given.text("method"),
            given.integer("times", 1),
            given.integer("after"),
            float(given.text("seconds") or 0),
            given.integer("status", 500),
            given.integer("retry_after_s", 1),
            given.integer("chat_id"),
        )
        self._api.faults.add(fault)
        return True

    async def _clear_faults(self, _given: Parameters) -> object:
        self._api.faults.clear()
        return True

    async def _repeat(self, given: Parameters) -> object:
        self._world.updates.repeat(given.integer("update_id"))
        return True

    async def _go(self, _given: Parameters) -> object:
        await self._api.listener.go()
        return True

    async def _come(self, _given: Parameters) -> object:
        await self._api.listener.come()
        return True
