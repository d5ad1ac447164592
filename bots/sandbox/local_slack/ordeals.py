"""Orders for what goes wrong or otherwise than usual between Slack and the app."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bots.sandbox.faults import Fault, Kind
from bots.sandbox.listening import Listener
from bots.sandbox.local_slack.api import Api
from bots.sandbox.local_slack.deliveries import Deliveries
from bots.sandbox.local_slack.parameters import Parameters
from bots.sandbox.local_slack.request_urls import RequestUrls
from bots.sandbox.local_slack.sockets import Sockets

Order = Callable[[Parameters], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Ordeals:
    api: Api
    slack: Listener
    deliveries: Deliveries
    sockets: Sockets
    urls: RequestUrls

    def orders(self) -> dict[str, Order]:
        return {
            "urls": self._set_urls,
            "copies": self._copies,
            "event": self._event,
            "repeat": self._repeat,
            "hold": self._hold,
            "refresh": self._refresh,
            "mute": self._mute,
            "cut": self._cut,
            "fault": self._fault,
            "clear_faults": self._clear_faults,
            "go": self._go,
            "come": self._come,
        }

    async def _set_urls(self, given: Parameters) -> object:
        """Where events are posted to; "" for Socket Mode. Raises ValueError where the challenge is not met."""
        url = given.text("events")
        if url and given.flag("verify", default=True) and not await self.urls.verify(url):
            raise ValueError("the request URL did not answer the challenge")
        self.urls.events = url
        self.urls.interactions, self.urls.commands = given.text("interactions"), given.text("commands")
        self.urls.skew_s = given.number("skew_s")
        return True

    async def _copies(self, given: Parameters) -> object:
        self.deliveries.copies = given.integer("count", 1)
        return True

    async def _event(self, given: Parameters) -> object:
        """The body of an event as it is given, whatever it says; gives its id."""
        return self.deliveries.bring_body(given.text("install"), given.mapping("body") or {})

    async def _repeat(self, given: Parameters) -> object:
        self.deliveries.repeat(given.text("event_id"))
        return True

    async def _hold(self, given: Parameters) -> object:
        """Events wait, or are let go."""
        if given.flag("is_held"):
            self.deliveries.hold()
        else:
            self.deliveries.let_go(is_reversed=given.flag("is_reversed"))
        return True

    async def _refresh(self, given: Parameters) -> object:
        await self.sockets.refresh(given.text("socket"), given.text("reason") or "refresh_requested")
        return True

    async def _mute(self, given: Parameters) -> object:
        self.sockets.mute(given.text("socket"))
        return True

    async def _cut(self, given: Parameters) -> object:
        self.sockets.cut(given.text("socket"))
        return True

    async def _fault(self, given: Parameters) -> object:
        fault = Fault(
            Kind(given.text("kind")),
            given.text("method"),
            given.integer("times", 1),
            given.integer("after"),
            given.number("seconds"),
            given.integer("status", 200 if given.text("error") else 500),
            given.text("error"),
            given.integer("retry_after_s", 1),
            given.text("channel"),
            given.text("install"),
        )
        self.api.faults.add(fault)
        return True

    async def _clear_faults(self, _given: Parameters) -> object:
        self.api.faults.clear()
        return True

    async def _go(self, _given: Parameters) -> object:
        await self.slack.go()
        return True

    async def _come(self, _given: Parameters) -> object:
        await self.slack.come()
        return True
