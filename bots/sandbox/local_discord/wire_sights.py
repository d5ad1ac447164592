"""What there is to see between the app and Discord: requests, connections, heartbeats, events."""

from dataclasses import dataclass

from pydantic import TypeAdapter

from bots.sandbox.json_values import JsonObject


@dataclass(frozen=True, slots=True)
class CallSeen:
    """A request."""

    #: create_message, edit_message …
    operation: str
    #: The ids in its path: channel, message …
    where: dict[str, str]
    body: JsonObject
    query: dict[str, str]
    files: tuple[str, ...]
    began: float
    #: None while it is not answered.
    ended: float | None
    #: 0 where the connection was dropped.
    status: int
    answer: object
    fault: str
    #: The rate limit that it counted against, of which channel, and what was left.
    bucket: str
    of: str
    remaining: int
    #: user, shared, global: which limit it broke.
    scope: str


@dataclass(frozen=True, slots=True)
class ToldSeen:
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


@dataclass(frozen=True, slots=True)
class ConnectionSeen:
    id: str
    #: "" before IDENTIFY or RESUME.
    session: str
    shard: tuple[int, int]
    began: float
    ended: float | None
    is_resumed: bool
    is_mute: bool
    sent: int
    #: When each came.
    heartbeats: tuple[float, ...]
    asked: tuple[float, ...]
    #: With which Discord closed it; 0: it did not.
    close_code: int

    @property
    def is_open(self) -> bool:
        return self.ended is None

    def lateness_s(self, interval_s: float) -> list[float]:
        """How late each heartbeat came after the one before, without those that were asked for. Early ones: 0."""
        pairs = zip(self.heartbeats, self.heartbeats[1:], strict=False)
        late = [(before, at, at - before - interval_s) for before, at in pairs]
        return [max(0.0, by_s) for before, at, by_s in late if not any(before <= asked <= at for asked in self.asked)]


@dataclass(frozen=True, slots=True)
class GuildSeen:
    id: str
    name: str
    has_bot: bool


@dataclass(frozen=True, slots=True)
class IdentifySeen:
    #: Discord's time.
    at: float
    shard: int


@dataclass(frozen=True, slots=True)
class StateSeen:
    """What is in no channel."""

    version: int
    api_url: str
    gateway_url: str
    control_url: str
    #: Whether Discord is there.
    is_here: bool
    #: Its clock.
    now: float
    token: str
    application_id: str
    bot_id: str
    guilds: tuple[GuildSeen, ...]
    #: Where the app asked for more than there is, and how often: an operation (429), "global", "gateway", "content".
    excesses: dict[str, int]
    connections: tuple[ConnectionSeen, ...]
    heartbeat_s: float
    #: The IDENTIFYs that were taken.
    identifies: tuple[IdentifySeen, ...]
    #: Those that came too soon.
    identifies_refused: int
    session_starts: dict[str, int]
    #: How often there were so many that the token was reset.
    token_resets: int
    #: Application commands: "" for global ones, else by server.
    commands: dict[str, list[JsonObject]]
    #: How many requests have yet to meet a fault.
    waiting_faults: int

    @property
    def open_connections(self) -> list[ConnectionSeen]:
        """With a session."""
        return [one for one in self.connections if one.is_open and one.session]

    @property
    def heartbeats_late_s(self) -> list[float]:
        """Of all connections that there ever were."""
        return [late_s for one in self.connections for late_s in one.lateness_s(self.heartbeat_s)]


_STATE = TypeAdapter(StateSeen)
_CALLS = TypeAdapter(list[CallSeen])
_TOLD = TypeAdapter(list[ToldSeen])


def state_seen(told: JsonObject) -> StateSeen:
    return _STATE.validate_python(told)


def calls_seen(told: object) -> list[CallSeen]:
    return _CALLS.validate_python(told)


def told_seen(told: object) -> list[ToldSeen]:
    return _TOLD.validate_python(told)
