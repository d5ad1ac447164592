"""Where people talk on Discord: channels, and threads in them, of which each is a channel of its own to Discord.

A thread that was made from a message has that message's id. So the thread that a question will be answered in has a
name before it is there: a dialogue that begins with a mention in a channel is the same one as that in its thread.
"""

from dataclasses import dataclass, replace

from adapters.discord.snowflakes import snowflake_in, snowflake_or_none
from adapters.payloads import found_in, list_in, text_in
from core.dialogue import Platform, SessionKey

TEXT, DIRECT, VOICE, GROUP, CATEGORY, ANNOUNCEMENT = 0, 1, 2, 3, 4, 5
ANNOUNCEMENT_THREAD, PUBLIC_THREAD, PRIVATE_THREAD = 10, 11, 12
STAGE, FORUM, MEDIA = 13, 15, 16

THREADS = frozenset({ANNOUNCEMENT_THREAD, PUBLIC_THREAD, PRIVATE_THREAD})
#: Their threads are posts.
FORUMS = frozenset({FORUM, MEDIA})
#: A thread can be made from a message in them.
WITH_THREADS = frozenset({TEXT, ANNOUNCEMENT})
#: People write there.
WRITTEN_IN = frozenset({TEXT, DIRECT, VOICE, ANNOUNCEMENT, STAGE}) | THREADS


@dataclass(frozen=True, slots=True)
class Place:
    """A channel or a thread, as far as it is known."""

    #: Its own id: the thread's, not its parent's.
    id: str
    kind: int
    #: "" in direct messages.
    guild: str = ""
    #: Of a thread.
    parent: str = ""
    #: Of what kind the parent is; -1 where that is not known.
    parent_kind: int = -1
    #: Untrusted text.
    title: str = ""
    #: The names of a post's tags.
    tags: tuple[str, ...] = ()

    @property
    def is_thread(self) -> bool:
        return self.kind in THREADS and bool(self.parent)

    @property
    def is_post(self) -> bool:
        """A thread of a forum's: its first message has its id."""
        return self.is_thread and self.parent_kind in FORUMS

    @property
    def is_direct(self) -> bool:
        return self.kind == DIRECT

    @property
    def has_threads(self) -> bool:
        return self.kind in WITH_THREADS

    def key(self, bot: str, thread: str = "", person: str = "") -> SessionKey:
        """`thread` is what begins in the root of a channel."""
        if self.is_thread:
            return SessionKey(Platform.DISCORD, bot, self.guild, self.parent, self.id, person)
        return SessionKey(Platform.DISCORD, bot, self.guild, self.id, thread, person)


def is_elsewhere(key: SessionKey) -> bool:
    """Somebody brought the app along to where the bot is not, and talks with it there alone."""
    return bool(key.person) and not key.workspace


def place_in(channel: object, guild: str = "") -> Place:
    """Of a channel object, whole or partial. Raises NotUnderstood."""
    kind = found_in(channel, "type")
    return Place(
        snowflake_in(channel, "id"),
        kind if isinstance(kind, int) and not isinstance(kind, bool) else TEXT,
        guild or snowflake_or_none(found_in(channel, "guild_id")),
        snowflake_or_none(found_in(channel, "parent_id")),
        title=text_in(channel, "name"),
    )


def within(place: Place, parent_kind: int, tag_names: dict[str, str], channel: object) -> Place:
    """A thread, with what its parent tells of it."""
    tags = (tag_names.get(one, "") for one in list_in(channel, "applied_tags") if isinstance(one, str))
    return replace(place, parent_kind=parent_kind, tags=tuple(tag for tag in tags if tag))


def unknown(channel: str, guild: str, kind: int | None) -> Place:
    """Nobody tells what it is: in a server it is taken for a channel without threads of its own."""
    if kind is None or kind in THREADS:
        kind = VOICE if guild else DIRECT
    return Place(channel, kind, guild)
