"""What tests and `banter sandbox slack` drive a local server with: in its own process or from another one.

Everything goes through the control interface. Every wait has a deadline.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_slack.options import Options
from bots.sandbox.local_slack.people import WAIT_S, Person, Place
from bots.sandbox.local_slack.server import serving_slack
from bots.sandbox.local_slack.sights import (
    CallSeen,
    DeliverySeen,
    InstallSeen,
    StateSeen,
    calls_seen,
    deliveries_seen,
    state_seen,
)
from bots.sandbox.orders import Orders


class LocalSlack:
    """A local server, as whoever drives it holds it."""

    def __init__(self, orders: Orders, state: StateSeen) -> None:
        self._orders = orders
        #: What an app is given as Slack's own; it ends with a slash, as slack_sdk has it.
        self.api_url = state.api_url
        self.control_url = state.control_url
        self.app_id, self.app_token = state.app_id, state.app_token
        self.signing_secret = state.signing_secret
        self.client_id, self.client_secret = state.client_id, state.client_secret
        #: The first workspace's.
        self.install = state.installs[0]

    @property
    def team_id(self) -> str:
        """The first workspace."""
        return self.install.team_ids[0]

    @property
    def token(self) -> str:
        """The first workspace's, as far as it was asked for here."""
        return self.install.token

    @property
    def mention(self) -> str:
        """Of the bot in the first workspace."""
        return f"<@{self.install.bot_user_id}>"

    async def team(self, name: str, enterprise_id: str = "") -> str:
        """A further workspace, in which the app is not installed; gives its id."""
        return str((await self._orders.ask("team", name=name, enterprise=enterprise_id))["id"])

    async def installs(self, place: str, scopes: Sequence[str] | None = None) -> InstallSeen:
        """In a workspace, or in an organisation ("E…") with all its workspaces. Once more: a new token."""
        given = {} if scopes is None else {"scopes": list(scopes)}
        await self._orders.give("install", place=place, **given)
        found = next(one for one in (await self.look()).installs if one.id == place)
        if place == self.install.id:
            self.install = found
        return found

    async def uninstall(self, install: InstallSeen | None = None) -> None:
        await self._orders.give("uninstall", install=(install or self.install).id)

    async def revoke_token(self, install: InstallSeen | None = None) -> None:
        """It is good for nothing from now on, and the app is told."""
        await self._orders.give("revoke", install=(install or self.install).id)

    async def take_streams_away(self, install: InstallSeen | None = None) -> None:
        """chat.startStream answers feature_not_enabled there."""
        await self._orders.give("streams", install=(install or self.install).id, are_there=False)

    async def person(
        self,
        name: str,
        team_id: str = "",
        install: InstallSeen | None = None,
        *,
        locale: str = "en-US",
        is_bot: bool = False,
    ) -> Person:
        """In the first workspace, or in another one; with a DM with the app."""
        team, with_app = team_id or self.team_id, install or self.install
        user = await self._orders.ask("person", name=name, team=team, locale=locale, is_bot=is_bot)
        told = await self._orders.ask("direct", install=with_app.id, people=[user["id"]])
        dm = Place(self._orders, str(told["id"]))
        return Person(self._orders, str(user["id"]), name, team, with_app.id, dm)

    async def channel(
        self,
        name: str,
        *people: Person,
        kind: str = "channel",
        team_id: str = "",
        installs: Sequence[InstallSeen] | None = None,
        shared_with: Sequence[str] = (),
    ) -> Place:
        """The bot is a member. `kind`: channel, group (a private one). `shared_with`: workspaces of other companies."""
        bots = [self.install] if installs is None else installs
        given: JsonObject = {"people": [person.id for person in people], "installs": [one.id for one in bots]}
        given |= {"team": team_id or self.team_id, "kind": kind, "shared_with": list(shared_with)}
        told = await self._orders.ask("channel", name=name, **given)
        return Place(self._orders, str(told["id"]))

    async def group_dm(self, *people: Person, install: InstallSeen | None = None) -> Place:
        """With the bot."""
        ids = [person.id for person in people]
        told = await self._orders.ask("direct", install=(install or self.install).id, people=ids)
        return Place(self._orders, str(told["id"]))

    def place(self, channel_id: str) -> Place:
        return Place(self._orders, channel_id)

    async def look(self) -> StateSeen:
        """What is in no channel: installations, sockets, excesses."""
        return state_seen(await self._orders.ask("state"))

    async def excesses(self) -> dict[str, int]:
        """Where the app asked for more than there is, and how often: a method (429), `text` (too long), `cut`."""
        return (await self.look()).excesses

    async def calls(self, method: str = "", since: float | None = None) -> list[CallSeen]:
        """Oldest first; "" for all methods. `since`: `time.monotonic()`."""
        given = {} if since is None else {"since": since}
        return calls_seen((await self._orders.ask("calls", method=method, **given))["calls"])

    async def called(self, method: str, count: int = 1, timeout_s: float = WAIT_S) -> list[CallSeen]:
        """The calls of a method, once there are so many. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while True:
                told = await self._orders.ask("calls", method=method)
                if len(calls := calls_seen(told["calls"])) >= count:
                    return calls
                await self._orders.give("wait", version=told["version"], timeout_s=timeout_s)

    async def deliveries(self, what: str = "") -> list[DeliverySeen]:
        """Events, and how they were brought. `what`: as `message.message_changed`; "" for all."""
        told = deliveries_seen((await self._orders.ask("deliveries"))["deliveries"])
        return [delivery for delivery in told if what in {"", delivery.what}]

    async def delivered(
        self, is_there: Callable[[list[DeliverySeen]], bool], timeout_s: float = WAIT_S
    ) -> list[DeliverySeen]:
        """All events, once they are as wanted. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while True:
                told = await self._orders.ask("deliveries")
                if is_there(deliveries := deliveries_seen(told["deliveries"])):
                    return deliveries
                await self._orders.give("wait", version=told["version"], timeout_s=timeout_s)

    async def settled(self, timeout_s: float = WAIT_S) -> StateSeen:
        """The state, once no event is on its way any more. Raises TimeoutError."""
        return await self.until(lambda state: not state.pending_events, timeout_s)

    async def connected(self, count: int = 1, timeout_s: float = WAIT_S) -> StateSeen:
        """The state, once so many sockets are open. Raises TimeoutError."""
        return await self.until(lambda state: len(state.open_sockets) >= count, timeout_s)

    async def until(self, is_there: Callable[[StateSeen], bool], timeout_s: float = WAIT_S) -> StateSeen:
        """Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while not is_there(state := await self.look()):
                await self._orders.give("wait", version=state.version, timeout_s=timeout_s)
            return state

    async def advance(self, seconds: float) -> None:
        """Slack's clock goes on: retries come, streams die, rates and triggers expire."""
        await self._orders.give("advance", seconds=seconds)

    async def post_events_to(
        self, url: str, interactions: str = "", commands: str = "", *, verify: bool = True, skew_s: float = 0.0
    ) -> None:
        """By HTTP from now on; "": over sockets again. Raises OrderRefused where the challenge is not met."""
        given: JsonObject = {"interactions": interactions, "commands": commands, "verify": verify, "skew_s": skew_s}
        await self._orders.give("urls", events=url, **given)

    async def bring_each(self, times: int) -> None:
        """Every event so often from now on, whether it is acknowledged or not."""
        await self._orders.give("copies", count=times)

    async def send_event(self, body: JsonObject, install: InstallSeen | None = None) -> str:
        """A body as it is given, whatever it says; gives its event id."""
        return str(await self._orders.give("event", install=(install or self.install).id, body=body))

    async def repeat_event(self, event_id: str) -> None:
        """It comes once more."""
        await self._orders.give("repeat", event_id=event_id)

    async def hold_events(self) -> None:
        await self._orders.give("hold", is_held=True)

    async def let_events_go(self, *, is_reversed: bool = False) -> None:
        await self._orders.give("hold", is_held=False, is_reversed=is_reversed)

    async def refresh(self, socket_id: str = "", reason: str = "refresh_requested") -> None:
        """`warning`: the connection ends soon; else it ends now. "": all."""
        await self._orders.give("refresh", socket=socket_id, reason=reason)

    async def mute(self, socket_id: str = "") -> None:
        """A connection that is lost and does not know it."""
        await self._orders.give("mute", socket=socket_id)

    async def cut(self, socket_id: str = "") -> None:
        """A connection breaks, without a word."""
        await self._orders.give("cut", socket=socket_id)

    async def fault(self, kind: str, method: str = "", **more: float | str) -> None:
        """The next call meets it; see `faults.Fault` for what more can be said."""
        await self._orders.give("fault", kind=kind, method=method, **more)

    async def clear_faults(self) -> None:
        await self._orders.give("clear_faults")

    async def go_away(self) -> None:
        """Connections break and are refused, until it comes back. It can be driven all the same."""
        await self._orders.give("go")

    async def come_back(self) -> None:
        await self._orders.give("come")


@asynccontextmanager
async def local_slack(options: Options | None = None) -> AsyncIterator[LocalSlack]:
    """A server of one's own, on this event loop, until the end of the block."""
    async with serving_slack(options) as addresses, attached_slack(addresses.control_url) as slack:
        yield slack


@asynccontextmanager
async def attached_slack(control_url: str) -> AsyncIterator[LocalSlack]:
    """A server that runs elsewhere; it goes on afterwards."""
    orders = Orders(control_url)
    try:
        yield LocalSlack(orders, state_seen(await orders.ask("state")))
    finally:
        await orders.aclose()
