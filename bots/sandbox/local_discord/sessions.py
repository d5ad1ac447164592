"""Sessions of the gateway: what each was told, in order, so that it can be told again."""

import time
from collections import deque
from dataclasses import dataclass, field

from bots.sandbox.json_values import JsonObject, as_json
from bots.sandbox.local_discord import intents
from bots.sandbox.local_discord.connections import Connection
from bots.sandbox.local_discord.world import Event, World

_MOST_TOLD = 200_000


@dataclass(frozen=True, slots=True)
class Told:
    """An event that went over a connection."""

    at: float
    connection: str
    session: str
    shard: int
    seq: int
    name: str
    channel_id: str
    #: Of the message, channel, server or interaction that it is about.
    id: str
    is_replay: bool

    def to_json(self) -> JsonObject:
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(slots=True)
class Session:
    id: str
    shard: tuple[int, int]
    intents: int
    kept: "deque[tuple[int, Event, JsonObject]]"
    seq: int = 0
    connection: Connection | None = None
    #: By the server's clock; from then on it gets old.
    left_at: float = 0.0
    #: It is over, whoever comes back to it.
    is_dead: bool = False

    @property
    def sees_content(self) -> bool:
        return bool(self.intents & intents.MESSAGE_CONTENT)

    def wants(self, event: Event) -> bool:
        shard = (int(event.guild_id) >> 22) % self.shard[1] if event.guild_id else 0
        return shard == self.shard[0] and (not event.intents or bool(self.intents & event.intents))


@dataclass(slots=True)
class Sessions:
    """All of an app's, and everything that they were told."""

    world: World
    sessions: dict[str, Session] = field(default_factory=dict)
    told: "deque[Told]" = field(default_factory=lambda: deque(maxlen=_MOST_TOLD))
    #: Events are kept back, as long as it is held.
    held: "deque[Event] | None" = None
    #: How often each event is told: more than once on purpose.
    copies: int = 1

    def begin(self, shard: tuple[int, int], wanted: int, connection: Connection) -> Session:
        kept: deque[tuple[int, Event, JsonObject]] = deque(maxlen=self.world.options.limits.replay)
        session = Session(f"session-{self.world.ids.next()}", shard, wanted, kept, connection=connection)
        self.sessions[session.id] = session
        return session

    def find(self, session_id: str) -> Session | None:
        """One that is not too old to go on."""
        session = self.sessions.get(session_id)
        if session is None or session.is_dead:
            return None
        too_old = self.world.clock.now() - session.left_at > self.world.options.limits.session_age_s
        return None if session.connection is None and too_old else session

    def tell(self, event: Event) -> None:
        if self.held is not None:
            self.held.append(event)
            return
        for session in list(self.sessions.values()):
            if not session.is_dead and session.wants(event):
                for _ in range(self.copies):
                    self.dispatch(session, event)

    def let_go(self, *, is_reversed: bool) -> None:
        """In the order in which it happened, or the other way round."""
        held, self.held = self.held or deque(), None
        for event in reversed(held) if is_reversed else held:
            self.tell(event)

    def dispatch(self, session: Session, event: Event) -> None:
        """To one session: at once, or when it comes back."""
        session.seq += 1
        data = event.data if event.blank is None or session.sees_content else event.blank
        session.kept.append((session.seq, event, data))
        if session.connection is not None:
            self._bring(session, session.connection, session.seq, event, data, is_replay=False)

    def replay(self, session: Session, connection: Connection, seq: int) -> bool:
        """What came after; False where it is not known any more."""
        if session.seq > seq and (not session.kept or session.kept[0][0] > seq + 1):
            return False
        for number, event, data in list(session.kept):
            if number > seq:
                self._bring(session, connection, number, event, data, is_replay=True)
        return True

    def _bring(
        self, session: Session, connection: Connection, seq: int, event: Event, data: JsonObject, *, is_replay: bool
    ) -> None:
        connection.send({"op": 0, "t": event.name, "s": seq, "d": data})
        if not connection.is_mute:
            about = str(data.get("id") or data.get("message_id") or "")
            where = event.channel_id or str(data.get("channel_id") or "")
            shard = session.shard[0]
            self.told.append(
                Told(time.monotonic(), connection.id, session.id, shard, seq, event.name, where, about, is_replay)
            )
        self.world.changes.happen()


def size_of(payload: object) -> int:
    return len(as_json(payload))
