"""What there is to see: messages with what they said before, channels, calls. Times are `time.monotonic()`."""

import re
from dataclasses import dataclass

from pydantic import TypeAdapter

from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_slack.blocks import elements_of, labels_of

#: What reaches people or links channels, wherever a message says it.
_FIRING = re.compile(r"<(?:!(?:channel|here|everyone)|!subteam\^|@[UW]|#C)[^<>]*>")


@dataclass(frozen=True, slots=True)
class VersionSeen:
    """What a message said from a time on."""

    at: float
    #: As it was sent.
    text: str
    blocks: tuple[JsonObject, ...] = ()
    is_markdown: bool = False
    tasks: dict[str, JsonObject] | None = None

    @property
    def said(self) -> str:
        """As it was sent. Where there are blocks, the text is only what notifications say."""
        written = [str(block.get("text", "")) for block in self.blocks if block.get("type") == "markdown"]
        return "\n\n".join(written) if written and not self.is_markdown else self.text

    @property
    def shown(self) -> str:
        """As people read it."""
        return self.said.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


@dataclass(frozen=True, slots=True)
class StreamSeen:
    began: float
    #: streaming, completed, stopped (by a person), expired
    state: str
    recipient_user_id: str = ""
    recipient_team_id: str = ""
    appends: int = 0


@dataclass(frozen=True, slots=True)
class MessageSeen:
    ts: str
    user: str
    team: str
    #: Oldest first; an edit or an append adds one.
    versions: tuple[VersionSeen, ...]
    thread_ts: str = ""
    subtype: str = ""
    #: The installation whose token wrote it; "" for people.
    install: str = ""
    bot_id: str = ""
    app_id: str = ""
    files: tuple[JsonObject, ...] = ()
    metadata: JsonObject | None = None
    stream: StreamSeen | None = None
    edited_ts: str = ""
    client_msg_id: str = ""
    deleted_at: float | None = None
    #: The only one who sees it; "" for all.
    only_for: str = ""
    reactions: dict[str, list[str]] | None = None
    unfurls: bool = True

    @property
    def root_ts(self) -> str:
        return self.thread_ts or self.ts

    @property
    def text(self) -> str:
        """As people read it."""
        return self.versions[-1].shown

    @property
    def raw(self) -> str:
        """As it was sent."""
        return self.versions[-1].said

    @property
    def texts(self) -> list[str]:
        """Everything that it ever said."""
        return [version.shown for version in self.versions]

    @property
    def times(self) -> list[float]:
        """When it was sent, and each of its changes."""
        return [version.at for version in self.versions]

    @property
    def blocks(self) -> tuple[JsonObject, ...]:
        return self.versions[-1].blocks

    @property
    def tasks(self) -> dict[str, JsonObject]:
        return self.versions[-1].tasks or {}

    @property
    def actions(self) -> list[str]:
        """The action ids of all that can be pressed."""
        return [str(element["action_id"]) for _, element in elements_of(list(self.blocks))]

    @property
    def labels(self) -> list[str]:
        """What stands on all that can be pressed."""
        return [label for _, element in elements_of(list(self.blocks)) for label in labels_of(element)]

    @property
    def is_bots(self) -> bool:
        return bool(self.bot_id)

    @property
    def is_live(self) -> bool:
        """More text may come."""
        return self.stream is not None and self.stream.state == "streaming"

    @property
    def fires(self) -> list[str]:
        """What of it reaches people or links channels."""
        return _FIRING.findall(self.raw)


@dataclass(frozen=True, slots=True)
class SessionSeen:
    status: str
    title: str = ""
    history: tuple[tuple[float, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ThreadSeen:
    session: SessionSeen | None = None
    title: str = ""
    statuses: tuple[tuple[float, str], ...] = ()
    prompts: tuple[JsonObject, ...] = ()


@dataclass(frozen=True, slots=True)
class ChannelSeen:
    """One look at a channel."""

    version: int
    id: str
    name: str
    kind: str
    members: tuple[str, ...]
    is_archived: bool
    #: All that ever were, deleted ones too, oldest first.
    all_messages: tuple[MessageSeen, ...]
    #: By the root's ts; "" is the whole DM.
    threads: dict[str, ThreadSeen]

    @property
    def messages(self) -> list[MessageSeen]:
        """What people see."""
        return [message for message in self.all_messages if message.deleted_at is None]

    @property
    def bots(self) -> list[MessageSeen]:
        """What the app wrote."""
        return [message for message in self.messages if message.is_bots]

    def in_thread(self, root_ts: str) -> list[MessageSeen]:
        """What the app wrote in one thread."""
        return [message for message in self.bots if message.root_ts == root_ts]

    def thread(self, root_ts: str) -> ThreadSeen:
        return self.threads.get(root_ts, ThreadSeen())


@dataclass(frozen=True, slots=True)
class CallSeen:
    method: str
    #: Whose token it was.
    install: str
    parameters: JsonObject
    began: float
    #: None while it is not answered.
    ended: float | None
    #: 0 where the connection was dropped.
    status: int
    answer: JsonObject
    fault: str


@dataclass(frozen=True, slots=True)
class AttemptSeen:
    at: float
    #: Which socket, or the URL.
    over: str
    is_ack: bool
    #: timeout, connection_failed, http_error
    reason: str
    status: int


@dataclass(frozen=True, slots=True)
class DeliverySeen:
    """An event, on its way to the app."""

    event_id: str
    install: str
    #: The event's type and subtype: `message.message_changed`.
    what: str
    channel: str
    ts: str
    body: JsonObject
    attempts: tuple[AttemptSeen, ...]
    #: pending, taken, lost
    state: str


@dataclass(frozen=True, slots=True)
class SocketSeen:
    id: str
    began: float
    ended: float | None
    is_open: bool
    sent: int
    acks: int
    is_mute: bool


@dataclass(frozen=True, slots=True)
class InstallSeen:
    """The app in a workspace, or in an organisation."""

    id: str
    name: str
    token: str
    bot_user_id: str
    bot_id: str
    team_ids: tuple[str, ...]
    enterprise_id: str
    is_enterprise: bool
    is_removed: bool


@dataclass(frozen=True, slots=True)
class StateSeen:
    """What is in no channel."""

    version: int
    api_url: str
    control_url: str
    #: Whether Slack is there.
    is_here: bool
    #: Its clock.
    now: float
    app_id: str
    app_token: str
    signing_secret: str
    client_id: str
    client_secret: str
    installs: tuple[InstallSeen, ...]
    #: Where the app asked for more than there is: the method (429), `text` (too long), `cut`; how often.
    excesses: dict[str, int]
    sockets: tuple[SocketSeen, ...]
    pending_events: int
    #: How many calls have yet to meet a fault.
    waiting_faults: int

    @property
    def open_sockets(self) -> list[SocketSeen]:
        return [socket for socket in self.sockets if socket.is_open]


_MESSAGE = TypeAdapter(MessageSeen)
_CHANNEL = TypeAdapter(ChannelSeen)
_STATE = TypeAdapter(StateSeen)
_CALLS = TypeAdapter(list[CallSeen])
_DELIVERIES = TypeAdapter(list[DeliverySeen])


def message_seen(told: object) -> MessageSeen:
    return _MESSAGE.validate_python(told)


def channel_seen(told: JsonObject) -> ChannelSeen:
    return _CHANNEL.validate_python({"all_messages": told.pop("messages"), **told})


def state_seen(told: JsonObject) -> StateSeen:
    return _STATE.validate_python(told)


def calls_seen(told: object) -> list[CallSeen]:
    return _CALLS.validate_python(told)


def deliveries_seen(told: object) -> list[DeliverySeen]:
    return _DELIVERIES.validate_python(told)
