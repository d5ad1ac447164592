"""Where people talk: channels, group DMs, DMs."""

from dataclasses import dataclass, field
from enum import StrEnum

from bots.sandbox.changes import Changes
from bots.sandbox.json_values import JsonObject
from bots.sandbox.local_slack.messages import Message


class Kind(StrEnum):
    """As `channel_type` has them."""

    PUBLIC = "channel"
    PRIVATE = "group"
    MPIM = "mpim"
    IM = "im"


#: The event that tells of a message there.
MESSAGE_EVENTS = {
    Kind.PUBLIC: "message.channels",
    Kind.PRIVATE: "message.groups",
    Kind.MPIM: "message.mpim",
    Kind.IM: "message.im",
}


@dataclass(slots=True)
class Session:
    """Of an agent, in one thread."""

    status: str
    title: str = ""
    #: (`time.monotonic()`, status), oldest first.
    history: list[tuple[float, str]] = field(default_factory=list)


@dataclass(slots=True)
class Thread:
    """What is shown of a thread besides its messages."""

    session: Session | None = None
    #: assistant.threads.setTitle
    title: str = ""
    #: (`time.monotonic()`, what assistant.threads.setStatus said), oldest first.
    statuses: list[tuple[float, str]] = field(default_factory=list)
    prompts: list[JsonObject] = field(default_factory=list)


@dataclass(slots=True)
class Channel:
    id: str
    kind: Kind
    name: str
    #: The workspace that it belongs to.
    team_id: str
    members: list[str]
    #: Of other companies too.
    shared_team_ids: list[str] = field(default_factory=list)
    is_archived: bool = False
    #: All that ever were, deleted ones too, by ts.
    messages: dict[str, Message] = field(default_factory=dict)
    #: By the root's ts; "" is the whole DM.
    threads: dict[str, Thread] = field(default_factory=dict)
    #: Ids that it had before.
    old_ids: list[str] = field(default_factory=list)
    changes: Changes = field(default_factory=Changes)

    @property
    def is_ext_shared(self) -> bool:
        return bool(self.shared_team_ids)

    def thread(self, root_ts: str) -> Thread:
        return self.threads.setdefault(root_ts, Thread())

    def replies(self, root_ts: str) -> list[Message]:
        """The thread, root and all, oldest first."""
        return [
            message
            for message in self.messages.values()
            if root_ts in {message.ts, message.thread_ts} and not message.only_for and message.deleted_at is None
        ]

    def to_json(self, reader: str) -> JsonObject:
        """As conversations.info tells it to a member."""
        told: JsonObject = {
            "id": self.id,
            "is_channel": self.kind is Kind.PUBLIC,
            "is_group": self.kind is Kind.PRIVATE,
            "is_im": self.kind is Kind.IM,
            "is_mpim": self.kind is Kind.MPIM,
            "is_private": self.kind is not Kind.PUBLIC,
            "is_archived": self.is_archived,
            "context_team_id": self.team_id,
        }
        if self.kind is Kind.IM:
            return told | {"user": next((member for member in self.members if member != reader), reader)}
        return told | {
            "name": self.name,
            "is_member": reader in self.members,
            "is_shared": self.is_ext_shared,
            "is_ext_shared": self.is_ext_shared,
            "is_org_shared": False,
            "shared_team_ids": [self.team_id, *self.shared_team_ids],
            "num_members": len(self.members),
        }
