"""Edits and deletions that came before the message that they are about, as platforms deliver them now and then.

Most of what is about unknown messages is about messages that were never for the bot, so little is kept, in memory and
for a short while.
"""

import time
from collections import OrderedDict
from collections.abc import Callable

from core.dialogue import Deletion, Edit, InboundMessage

_LIMIT = 1000
_KEPT_S = 600.0

_Place = tuple[str, str]


class EarlyRevisions:
    """Of one account."""

    def __init__(
        self, limit: int = _LIMIT, kept_s: float = _KEPT_S, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limit = limit
        self._kept_s = kept_s
        self._clock = clock
        #: Channel and message → what came last, and when; the oldest first.
        self._kept: OrderedDict[_Place, tuple[Edit | Deletion, float]] = OrderedDict()

    def keep(self, revision: Edit | Deletion) -> None:
        """The last edit counts; what was deleted stays deleted."""
        place = (revision.session_key.channel, revision.message_id)
        if isinstance(self._known(place), Deletion):
            return
        self._kept.pop(place, None)
        self._kept[place] = revision, self._clock()
        while len(self._kept) > self._limit:
            self._kept.popitem(last=False)

    def of(self, message: InboundMessage) -> Edit | Deletion | None:
        """What happened to the message before it came. It is told as often as the message comes."""
        return self._known((message.session_key.channel, message.message_id))

    def _known(self, place: _Place) -> Edit | Deletion | None:
        revision, at = self._kept.get(place, (None, 0.0))
        return revision if self._clock() - at < self._kept_s else None
