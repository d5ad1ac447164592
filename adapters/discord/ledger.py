"""Up to where each channel was taken in, and whether what comes now follows on that without a gap.

A mark moves past a message when its accept was committed, and so was that of every message before it in its channel. So
what comes live moves its channel's mark only where nothing is missing before it: not before the server that the channel
belongs to was looked through since the session began, and not while the channel is behind.
"""

from collections.abc import Mapping

from adapters.discord.places import Place
from core.dialogue import Platform
from core.ports import Cursor

#: Channels stand in groups that are looked through together: a server's, or all direct messages.
DIRECT_GROUP = ""
#: Direct messages are in no list of Discord's: their marks have to tell that they are some.
_DIRECT_MARK = "@"


def mark_of(place: Place) -> str:
    """The name of its cursor."""
    return f"{_DIRECT_MARK}{place.id}" if place.is_direct else place.id


def direct_marks(marks: Mapping[str, int]) -> dict[str, int]:
    """Channels of direct messages → their marks, the newest first."""
    found = [(name.removeprefix(_DIRECT_MARK), mark) for name, mark in marks.items() if name.startswith(_DIRECT_MARK)]
    return dict(sorted(found, key=lambda one: -one[1]))


class Ledger:
    """Of one account."""

    def __init__(self, bot: str) -> None:
        self._bot = bot
        self.marks: dict[str, int] = {}
        #: Groups that were looked through, and the shard that tells of them.
        self._open: dict[str, int] = {}
        #: Channels of which something is missing; the number tells one time from the next.
        self._behind: dict[str, int] = {}
        self._numbers = 0
        #: Of each shard: how many sessions began.
        self._sessions: dict[int, int] = {}

    def learn(self, marks: Mapping[str, int]) -> None:
        for name, mark in marks.items():
            self.marks[name] = max(mark, self.marks.get(name, 0))

    def begin(self, shard: int) -> int:
        """A session begins: whatever was said before it may be missing. Gives the session's number."""
        self._open = {group: its_shard for group, its_shard in self._open.items() if its_shard != shard}
        self._sessions[shard] = self._sessions.get(shard, 0) + 1
        return self._sessions[shard]

    def session(self, shard: int) -> int:
        return self._sessions.get(shard, 0)

    def open(self, group: str, shard: int) -> None:
        """It was looked through, and where something is missing is known."""
        self._open[group] = shard

    def close(self, group: str) -> None:
        self._open.pop(group, None)

    def fall_behind(self, channel: str) -> int:
        """What settles this needs the number."""
        self._numbers += 1
        self._behind[channel] = self._numbers
        return self._numbers

    def is_behind(self, channel: str) -> bool:
        return channel in self._behind

    def settle(self, channel: str, number: int) -> bool:
        """What was missing then is there; false where something else is missing by now."""
        if self._behind.get(channel, number) != number:
            return False
        self._behind.pop(channel, None)
        return True

    def cursor_to(self, place: Place, message: int) -> Cursor:
        return Cursor(Platform.DISCORD, self._bot, mark_of(place), message)

    def live_cursor(self, place: Place, message: int) -> Cursor | None:
        """None where the mark may not move past it yet."""
        follows = place.guild in self._open and place.id not in self._behind
        return self.cursor_to(place, message) if message and follows else None

    def passed(self, cursor: Cursor | None) -> None:
        """It was committed."""
        if cursor is not None:
            self.learn({cursor.name: cursor.value})
