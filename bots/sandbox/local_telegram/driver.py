"""What tests and `banter sandbox telegram` drive a local server with: in its own process or from another one.

Everything goes through the control interface. Every wait has a deadline.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_telegram.options import Options
from bots.sandbox.local_telegram.people import WAIT_S, Person, Place
from bots.sandbox.local_telegram.server import serving_telegram
from bots.sandbox.local_telegram.sights import CallSeen, StateSeen, calls_seen, state_seen
from bots.sandbox.orders import Orders


class LocalTelegram:
    """A local server, as whoever drives it holds it."""

    def __init__(self, orders: Orders, state: StateSeen) -> None:
        self._orders = orders
        #: What a bot is given as Telegram's own.
        self.base_url = state.base_url
        self.control_url = state.control_url
        #: The one that is good now, as far as it was asked for here.
        self.token = state.token
        self.bot_id, self.bot_username = state.bot.id, state.bot.username

    async def person(self, name: str, username: str = "", language: str = "en", *, is_bot: bool = False) -> Person:
        user = await self._orders.ask("person", name=name, username=username, language=language, is_bot=is_bot)
        return Person(self._orders, int(str(user["id"])), name, username)

    async def group(
        self,
        title: str,
        *people: Person,
        kind: str = "supergroup",
        is_forum: bool = False,
        is_direct: bool = False,
    ) -> Place:
        """The bot is a member. `kind`: group, supergroup, channel. `is_direct`: a channel's direct messages."""
        ids = [person.id for person in people]
        chat = await self._orders.ask(
            "group", title=title, people=ids, kind=kind, is_forum=is_forum, is_direct=is_direct
        )
        return Place(self._orders, int(str(chat["id"])))

    async def business(self, owner: Person, customer: Person) -> Place:
        """The owner's chat with a customer, which the bot writes in for the owner."""
        chat = await self._orders.ask("business", owner=owner.id, customer=customer.id)
        return Place(self._orders, customer.id, str(chat["business"]))

    def chat(self, chat_id: int, business: str = "") -> Place:
        return Place(self._orders, chat_id, business)

    async def state(self) -> JsonObject:
        """As `look`, in JSON."""
        return await self._orders.ask("state")

    async def look(self) -> StateSeen:
        """What is in no chat: menus, excesses, pending updates, webhook, answers to presses."""
        return state_seen(await self.state())

    async def excesses(self) -> dict[str, int]:
        """Where the bot asked for more than there is, and how often: `rate` (429), `text`, `entities` (dropped)."""
        return (await self.look()).excesses

    async def menu(self, scope: JsonObject | None = None, language: str = "") -> dict[str, str]:
        """Command → what is said of it. `scope`: as the Bot API has it, the default one where it is None."""
        where = json.dumps(scope or {"type": "default"})
        menus = {(menu.scope, menu.language): menu.commands for menu in (await self.look()).menus}
        return {command["command"]: command["description"] for command in menus.get((where, language), ())}

    async def notice(self, press_id: str, timeout_s: float = WAIT_S) -> JsonObject:
        """What the bot answered to a press."""
        state = await self._until(lambda state: state.presses[press_id] is not None, timeout_s)
        return state.presses[press_id] or {}

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

    async def settled(self, timeout_s: float = WAIT_S) -> StateSeen:
        """The state, once the bot took everything that it is told of. Raises TimeoutError."""
        return await self._until(lambda state: not state.pending_updates, timeout_s)

    async def troubled(self, timeout_s: float = WAIT_S) -> str:
        """What the webhook's newest failure was, once there is one. Raises TimeoutError."""
        state = await self._until(lambda state: "last_error_message" in state.webhook, timeout_s)
        return str(state.webhook["last_error_message"])

    async def set_bot(self, **options: bool) -> None:
        """`reads_all_group_messages`, `has_topics_enabled`, `users_create_topics`."""
        await self._orders.give("bot", **options)

    async def revoke_token(self) -> str:
        """Gives the new one."""
        self.token = str(await self._orders.give("revoke"))
        return self.token

    async def fault(self, kind: str, method: str = "", **more: float) -> None:
        """The next call meets it; see `faults.Fault` for what more can be said."""
        await self._orders.give("fault", kind=kind, method=method, **more)

    async def clear_faults(self) -> None:
        await self._orders.give("clear_faults")

    async def repeat_update(self, update_id: int) -> None:
        """It comes once more."""
        await self._orders.give("repeat", update_id=update_id)

    async def send_update(self, kind: str, payload: JsonObject, chat_id: int = 0) -> int:
        """An update as it is given; gives its id."""
        return int(str(await self._orders.give("update", kind=kind, payload=payload, chat_id=chat_id)))

    async def go_away(self) -> None:
        """Connections break and are refused, until it comes back. It can be driven all the same."""
        await self._orders.give("go")

    async def come_back(self) -> None:
        await self._orders.give("come")

    async def _until(self, is_there: Callable[[StateSeen], bool], timeout_s: float) -> StateSeen:
        async with asyncio.timeout(timeout_s):
            while not is_there(state := await self.look()):
                await self._orders.give("wait", version=state.version, timeout_s=timeout_s)
            return state


@asynccontextmanager
async def local_telegram(options: Options | None = None) -> AsyncIterator[LocalTelegram]:
    """A server of one's own, on this event loop, until the end of the block."""
    async with serving_telegram(options) as addresses, attached_telegram(addresses.control_url) as telegram:
        yield telegram


@asynccontextmanager
async def attached_telegram(control_url: str) -> AsyncIterator[LocalTelegram]:
    """A server that runs elsewhere; it goes on afterwards."""
    orders = Orders(control_url)
    try:
        yield LocalTelegram(orders, state_seen(await orders.ask("state")))
    finally:
        await orders.aclose()
