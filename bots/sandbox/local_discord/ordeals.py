"""Orders for what goes wrong or otherwise than usual between Discord and the app."""

from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bots.sandbox.faults import Fault, Kind
from bots.sandbox.listening import Listener
from bots.sandbox.local_discord.api import Api
from bots.sandbox.local_discord.bodies import Body
from bots.sandbox.local_discord.gateway import Gateway
from bots.sandbox.local_discord.sessions import Sessions
from bots.sandbox.local_discord.starts import Starts
from bots.sandbox.local_discord.world import Event, World

Order = Callable[[Body], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Ordeals:
    world: World
    api: Api
    discord: Listener
    gateway: Gateway
    sessions: Sessions
    starts: Starts

    def orders(self) -> dict[str, Order]:
        return {
            "fault": self._fault,
            "clear_faults": self._clear_faults,
            "go": self._go,
            "come": self._come,
            "reconnect": self._reconnect,
            "invalidate": self._invalidate,
            "close": self._close,
            "cut": self._cut,
            "mute": self._mute,
            "ask_heartbeat": self._ask_heartbeat,
            "forget_sessions": self._forget_sessions,
            "refuse_gateway": self._refuse_gateway,
            "hold": self._hold,
            "copies": self._copies,
            "event": self._event,
            "reset_token": self._reset_token,
            "message_content": self._message_content,
            "spend_starts": self._spend_starts,
        }

    async def _fault(self, given: Body) -> object:
        fault = Fault(
            Kind(given.text("kind")),
            given.text("operation"),
            given.integer("times", 1),
            given.integer("after"),
            given.number("seconds"),
            given.integer("status", 500),
            given.text("error"),
            given.integer("retry_after_s", 1),
            given.text("channel"),
        )
        self.api.faults.add(fault)
        return True

    async def _clear_faults(self, _given: Body) -> object:
        self.api.faults.clear()
        return True

    async def _go(self, _given: Body) -> object:
        await self.discord.go()
        return True

    async def _come(self, _given: Body) -> object:
        await self.discord.come()
        return True

    async def _reconnect(self, given: Body) -> object:
        self.gateway.reconnect(given.text("connection"))
        return True

    async def _invalidate(self, given: Body) -> object:
        self.gateway.invalidate(given.text("connection"), is_resumable=given.flag("is_resumable"))
        return True

    async def _close(self, given: Body) -> object:
        self.gateway.close(given.text("connection"), given.integer("code", 4000))
        return True

    async def _cut(self, given: Body) -> object:
        self.gateway.cut(given.text("connection"))
        return True

    async def _mute(self, given: Body) -> object:
        self.gateway.mute(given.text("connection"))
        return True

    async def _ask_heartbeat(self, given: Body) -> object:
        self.gateway.ask_heartbeat(given.text("connection"))
        return True

    async def _forget_sessions(self, _given: Body) -> object:
        """Whoever resumes now learns that there is nothing to resume; connections stay."""
        for session in self.sessions.sessions.values():
            session.is_dead = session.connection is None
        return True

    async def _refuse_gateway(self, given: Body) -> object:
        """New connections get this status; 0: none do."""
        self.gateway.refuse_status = given.integer("status")
        return True

    async def _hold(self, given: Body) -> object:
        """Events wait, or are let go."""
        if given.flag("is_held"):
            self.sessions.held = self.sessions.held or deque(maxlen=100_000)
        else:
            self.sessions.let_go(is_reversed=given.flag("is_reversed"))
        return True

    async def _copies(self, given: Body) -> object:
        self.sessions.copies = given.integer("count", 1)
        return True

    async def _event(self, given: Body) -> object:
        """As it is given, whatever it says; to every session, of one server's shard or of all."""
        event = Event(given.text("name"), given.mapping("data"), 0, given.text("guild"))
        for session in list(self.sessions.sessions.values()):
            if not session.is_dead and (not event.guild_id or session.wants(event)):
                self.sessions.dispatch(session, event)
        return True

    async def _reset_token(self, _given: Body) -> object:
        return self.world.reset_token()

    async def _message_content(self, given: Body) -> object:
        """The switch in the portal; who is connected stays so."""
        self.world.has_message_content = given.flag("is_on")
        return True

    async def _spend_starts(self, given: Body) -> object:
        """As if there had been so many more IDENTIFYs today."""
        self.starts.spend(given.integer("count"))
        return True
