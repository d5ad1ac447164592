"""What tests and `banter sandbox discord` drive a local server with: in its own process or from another one.

Everything goes through the control interface. Every wait has a deadline.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_discord.accounts import May
from bots.sandbox.local_discord.interaction_sights import AnswerSeen, answer_seen
from bots.sandbox.local_discord.options import Options
from bots.sandbox.local_discord.people import Person
from bots.sandbox.local_discord.places import WAIT_S, Place, Server
from bots.sandbox.local_discord.server import serving_discord
from bots.sandbox.local_discord.wire_sights import (
    CallSeen,
    StateSeen,
    ToldSeen,
    calls_seen,
    state_seen,
    told_seen,
)
from bots.sandbox.orders import Orders


class LocalDiscord:
    """A local server, as whoever drives it holds it."""

    def __init__(self, orders: Orders, state: StateSeen) -> None:
        self._orders = orders
        #: What an app is given as Discord's own.
        self.api_url = state.api_url
        self.gateway_url = state.gateway_url
        self.control_url = state.control_url
        #: As far as it was asked for here.
        self.token = state.token
        self.application_id, self.bot_id = state.application_id, state.bot_id

    @property
    def mention(self) -> str:
        """Of the bot."""
        return f"<@{self.bot_id}>"

    async def person(
        self, name: str, *, locale: str = "en-US", is_bot: bool = False, takes_dms: bool = True, has_app: bool = False
    ) -> Person:
        """With a DM with the bot. `has_app`: it is installed for this person, and can be used everywhere."""
        given = {"locale": locale, "is_bot": is_bot, "takes_dms": takes_dms, "has_app": has_app}
        user = await self._orders.ask("person", name=name, **given)
        told = await self._orders.ask("dm", person=user["id"])
        return Person(self._orders, str(user["id"]), name, self.place(str(told["id"])))

    async def guild(
        self,
        name: str,
        *people: Person,
        has_bot: bool = True,
        permissions: May | int | None = None,
        shard: tuple[int, int] = (0, 1),
    ) -> Server:
        """With the bot, where `has_bot`. `shard`: (0, 2) is one that the first of two shards has."""
        ids = [person.id for person in people]
        told = await self._orders.ask("guild", name=name, people=ids, shard=shard[0], shards=shard[1])
        server = Server(self._orders, str(told["id"]), name, self.bot_id)
        if has_bot:
            await server.add_bot(permissions)
        return server

    async def group_dm(self, *people: Person, name: str = "") -> Place:
        """Without the bot: it can be in none."""
        told = await self._orders.ask("group_dm", people=[person.id for person in people], name=name)
        return self.place(str(told["id"]))

    def place(self, channel_id: str, guild_id: str = "") -> Place:
        return Place(self._orders, channel_id, guild_id, self.bot_id)

    async def places(self) -> list[Place]:
        """Every channel, thread and DM that there ever was, oldest first."""
        told = await self._orders.give("channels")
        listed = told if isinstance(told, list) else []
        return [self.place(str(one["id"]), str(one["guild_id"])) for one in listed]

    async def look(self) -> StateSeen:
        """What is in no channel: connections, heartbeats, excesses, commands."""
        return state_seen(await self._orders.ask("state"))

    async def excesses(self) -> dict[str, int]:
        """Where the app asked for more than there is, and how often: an operation (429), `global`, `content` …"""
        return (await self.look()).excesses

    async def calls(self, operation: str = "", since: float | None = None) -> list[CallSeen]:
        """Oldest first; "" for all operations. `since`: `time.monotonic()`."""
        given = {} if since is None else {"since": since}
        return calls_seen((await self._orders.ask("calls", operation=operation, **given))["calls"])

    async def called(self, operation: str, count: int = 1, timeout_s: float = WAIT_S) -> list[CallSeen]:
        """The requests of an operation, once there are so many. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while True:
                told = await self._orders.ask("calls", operation=operation)
                if len(calls := calls_seen(told["calls"])) >= count:
                    return calls
                await self._orders.give("wait", version=told["version"], timeout_s=timeout_s)

    async def told(self, name: str = "", since: float | None = None) -> list[ToldSeen]:
        """What went over the gateway, and over which connection. `name`: MESSAGE_CREATE …; "" for all."""
        given = {} if since is None else {"since": since}
        return told_seen((await self._orders.ask("told", name=name, **given))["told"])

    async def until_told(self, is_there: Callable[[list[ToldSeen]], bool], timeout_s: float = WAIT_S) -> list[ToldSeen]:
        """All events, once they are as wanted. Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while True:
                told = await self._orders.ask("told")
                if is_there(events := told_seen(told["told"])):
                    return events
                await self._orders.give("wait", version=told["version"], timeout_s=timeout_s)

    async def interactions(self) -> list[AnswerSeen]:
        """All that people did with commands, buttons and modals, and how it was answered; oldest first."""
        told = await self._orders.give("interactions")
        return [answer_seen(one) for one in told] if isinstance(told, list) else []

    async def connected(self, count: int = 1, timeout_s: float = WAIT_S) -> StateSeen:
        """The state, once so many connections have a session. Raises TimeoutError."""
        return await self.until(lambda state: len(state.open_connections) >= count, timeout_s)

    async def happened(self, version: int, timeout_s: float = WAIT_S) -> None:
        """Anything, since the state of that version. Raises TimeoutError."""
        await self.until(lambda state: state.version > version, timeout_s)

    async def until(self, is_there: Callable[[StateSeen], bool], timeout_s: float = WAIT_S) -> StateSeen:
        """Raises TimeoutError."""
        async with asyncio.timeout(timeout_s):
            while not is_there(state := await self.look()):
                await self._orders.give("wait", version=state.version, timeout_s=timeout_s)
            return state

    async def advance(self, seconds: float) -> None:
        """Discord's clock goes on: rates, nonces, tokens, sessions and links expire."""
        await self._orders.give("advance", seconds=seconds)

    async def fault(self, kind: str, operation: str = "", **more: float | str) -> None:
        """The next request meets it; see `bots.sandbox.faults` for what more can be said."""
        await self._orders.give("fault", kind=kind, operation=operation, **more)

    async def clear_faults(self) -> None:
        await self._orders.give("clear_faults")

    async def reconnect(self, connection: str = "") -> None:
        """RECONNECT, to one connection or to all."""
        await self._orders.give("reconnect", connection=connection)

    async def invalidate(self, connection: str = "", *, is_resumable: bool = False) -> None:
        """INVALID_SESSION."""
        await self._orders.give("invalidate", connection=connection, is_resumable=is_resumable)

    async def close(self, code: int, connection: str = "") -> None:
        """With a close code of the gateway."""
        await self._orders.give("close", connection=connection, code=code)

    async def cut(self, connection: str = "") -> None:
        """A connection breaks, without a word; its session can be resumed."""
        await self._orders.give("cut", connection=connection)

    async def mute(self, connection: str = "") -> None:
        """A connection that is lost and does not know it: neither events nor acknowledgements come."""
        await self._orders.give("mute", connection=connection)

    async def ask_heartbeat(self, connection: str = "") -> None:
        await self._orders.give("ask_heartbeat", connection=connection)

    async def forget_sessions(self) -> None:
        """Nobody who is away can resume."""
        await self._orders.give("forget_sessions")

    async def refuse_gateway(self, status: int = 503) -> None:
        """New connections get this status; 0: they are taken again."""
        await self._orders.give("refuse_gateway", status=status)

    async def tell_each(self, times: int) -> None:
        """Every event so often from now on."""
        await self._orders.give("copies", count=times)

    async def send_event(self, name: str, data: JsonObject, guild_id: str = "") -> None:
        """As it is given, whatever it says."""
        await self._orders.give("event", name=name, data=data, guild=guild_id)

    async def hold_events(self) -> None:
        await self._orders.give("hold", is_held=True)

    async def let_events_go(self, *, is_reversed: bool = False) -> None:
        await self._orders.give("hold", is_held=False, is_reversed=is_reversed)

    async def reset_token(self) -> str:
        """The old one is good for nothing, and who is connected is closed with 4004; gives the new one."""
        self.token = str(await self._orders.give("reset_token"))
        return self.token

    async def set_message_content(self, *, is_on: bool) -> None:
        """The switch in the developer portal."""
        await self._orders.give("message_content", is_on=is_on)

    async def spend_starts(self, count: int) -> None:
        """As if there had been so many more IDENTIFYs today."""
        await self._orders.give("spend_starts", count=count)

    async def go_away(self) -> None:
        """Connections break and are refused, until it comes back. It can be driven all the same."""
        await self._orders.give("go")

    async def come_back(self) -> None:
        await self._orders.give("come")


@asynccontextmanager
async def local_discord(options: Options | None = None) -> AsyncIterator[LocalDiscord]:
    """A server of one's own, on this event loop, until the end of the block."""
    async with serving_discord(options) as addresses, attached_discord(addresses.control_url) as discord:
        yield discord


@asynccontextmanager
async def attached_discord(control_url: str) -> AsyncIterator[LocalDiscord]:
    """A server that runs elsewhere; it goes on afterwards."""
    orders = Orders(control_url)
    try:
        yield LocalDiscord(orders, state_seen(await orders.ask("state")))
    finally:
        await orders.aclose()
