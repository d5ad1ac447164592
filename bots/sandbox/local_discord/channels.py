"""Where people talk: DMs, channels of servers, and threads, which are channels too."""

from dataclasses import dataclass, field
from enum import IntEnum

from bots.sandbox.changes import Changes
from bots.sandbox.local_discord.accounts import User
from bots.sandbox.local_discord.messages import Message


class Kind(IntEnum):
    """By Discord's numbers."""

    TEXT = 0
    DM = 1
    VOICE = 2
    GROUP_DM = 3
    CATEGORY = 4
    ANNOUNCEMENT = 5
    ANNOUNCEMENT_THREAD = 10
    PUBLIC_THREAD = 11
    PRIVATE_THREAD = 12
    STAGE = 13
    FORUM = 15
    MEDIA = 16


PRIVATE = frozenset({Kind.DM, Kind.GROUP_DM})
THREADS = frozenset({Kind.ANNOUNCEMENT_THREAD, Kind.PUBLIC_THREAD, Kind.PRIVATE_THREAD})
FORUMS = frozenset({Kind.FORUM, Kind.MEDIA})
WITH_THREADS = frozenset({Kind.TEXT, Kind.ANNOUNCEMENT})
VOICES = frozenset({Kind.VOICE, Kind.STAGE})


@dataclass(slots=True)
class Thread:
    """What only threads have."""

    owner_id: str
    created: float
    #: Minutes.
    auto_archive: int = 1440
    is_archived: bool = False
    is_locked: bool = False
    archived_at: float = 0.0
    member_ids: list[str] = field(default_factory=list)
    #: Of a forum post.
    tag_ids: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Channel:
    id: str
    kind: Kind
    name: str = ""
    #: "" for DMs.
    guild_id: str = ""
    parent_id: str = ""
    topic: str = ""
    #: What @everyone may not do here, the bot included.
    denied: int = 0
    #: Of a DM or group DM.
    recipients: list[User] = field(default_factory=list)
    #: Of a forum: tag id → name.
    tags: dict[str, str] = field(default_factory=dict)
    thread: Thread | None = None
    #: All that ever were, deleted ones too, by id.
    messages: dict[str, Message] = field(default_factory=dict)
    #: (`time.monotonic()`, user id), oldest first.
    typing: list[tuple[float, str]] = field(default_factory=list)
    #: (`time.monotonic()`, name), oldest first.
    names: list[tuple[float, str]] = field(default_factory=list)
    deleted_at: float | None = None
    changes: Changes = field(default_factory=Changes)

    @property
    def is_private(self) -> bool:
        """No server's."""
        return self.kind in PRIVATE

    @property
    def visible(self) -> list[Message]:
        """To everybody, oldest first."""
        return [one for one in self.messages.values() if one.deleted_at is None and not one.only_for]

    @property
    def last_message_id(self) -> str | None:
        """Of the newest one, which may be deleted by now."""
        public = [one.id for one in self.messages.values() if not one.only_for]
        return public[-1] if public else None
