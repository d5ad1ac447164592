"""A message as it stands in a channel, and what it said before."""

from dataclasses import asdict, dataclass, field
from enum import StrEnum

from bots.sandbox.json_values import JsonObject


class StreamState(StrEnum):
    STREAMING = "streaming"
    #: By chat.stopStream.
    COMPLETED = "completed"
    #: By the person who pressed Stop.
    STOPPED = "stopped"
    #: It got too old.
    EXPIRED = "expired"


@dataclass(frozen=True, slots=True)
class Version:
    """What a message said from a time on."""

    #: `time.monotonic()`, which all processes of this machine share.
    at: float
    text: str
    blocks: list[JsonObject] = field(default_factory=list)
    #: Said in Slack's own markup, or in Markdown.
    is_markdown: bool = False
    #: Tasks of a stream, by id, as they were told last.
    tasks: dict[str, JsonObject] = field(default_factory=dict)


@dataclass(slots=True)
class Stream:
    began: float
    state: StreamState = StreamState.STREAMING
    recipient_user_id: str = ""
    recipient_team_id: str = ""
    appends: int = 0


@dataclass(slots=True)
class Message:
    ts: str
    #: Who wrote it.
    user: str
    #: That person's workspace.
    team: str
    #: Oldest first; the last one is what it says now.
    versions: list[Version]
    #: "" at the root.
    thread_ts: str = ""
    subtype: str = ""
    #: The installation that wrote it; "" for people.
    install: str = ""
    bot_id: str = ""
    app_id: str = ""
    files: list[JsonObject] = field(default_factory=list)
    metadata: JsonObject | None = None
    stream: Stream | None = None
    #: `edited.ts`
    edited_ts: str = ""
    client_msg_id: str = ""
    deleted_at: float | None = None
    #: The only one who sees it; "" for all.
    only_for: str = ""
    #: By emoji, who reacted.
    reactions: dict[str, list[str]] = field(default_factory=dict)
    #: `unfurl_links`, `unfurl_media` as they were asked for.
    unfurls: bool = True

    @property
    def now(self) -> Version:
        return self.versions[-1]

    @property
    def root_ts(self) -> str:
        """Of the thread that it is in or would begin."""
        return self.thread_ts or self.ts

    def shown(self) -> JsonObject:
        """For people and tests: what it says, and what it said when."""
        told = asdict(self)
        told["stream"] = None if self.stream is None else asdict(self.stream)
        return told
