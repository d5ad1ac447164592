"""What this process shows while it is written: native streams, and messages that are changed as they grow.

Each of them has to be ended, and ends have a tier too: so no more are begun than could be ended within a minute. What
was sent to a stream is known here; where that is in doubt, nothing more is, and the stream is ended in one go.
"""

import contextlib
from collections import Counter, OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from adapters.remembered import keep
from adapters.slack.pace import TIERS, Pace
from adapters.slack.refusals import STREAM_OVER, Refused
from core.errors import MessageGone, PlatformAway, RateLimited

#: Slack ends a stream about five minutes after it began.
LONGEST_AGE_S = 330.0
#: Of those that are changed, so that their ends find a turn.
MOST_EDITED = 15
#: Least time between two appends or changes of one reply.
APPEND_INTERVAL_S = 1.0
EDIT_INTERVAL_S = 1.5

#: A workspace that has no streams is asked again so much later.
_ASK_AGAIN_S = 3600.0
#: Changes a minute that are left to what is merely shown.
_EDITS_SHOWN = 30
#: Of the appends that are left to each stream; not all come when they may.
_SHARE = 1.1


@dataclass(slots=True)
class Stream:
    workspace: str
    nonce: str
    began: float
    #: It is a message that is posted and then changed.
    is_edited: bool = False
    #: As Slack has it, escaped.
    sent: str = ""
    #: Nothing of that is in doubt.
    is_sure: bool = True
    #: Slack takes nothing more.
    is_over: bool = False
    #: Somebody deleted it.
    is_gone: bool = False
    shown_at: float = float("-inf")
    #: What its task card says; "" where it has none that is open.
    card: str = ""

    @property
    def takes_text(self) -> bool:
        return self.is_sure and not self.is_over and not self.is_gone

    @contextlib.contextmanager
    def changing(self) -> Iterator[None]:
        """Around a call: what it came to decides what is known of the stream."""
        was_sure, self.is_sure = self.is_sure, False
        try:
            yield
        except (RateLimited, PlatformAway):
            self.is_sure = was_sure
            raise
        except MessageGone:
            self.is_gone = True
            raise
        except Refused as refused:
            self.is_over = self.is_over or refused.code in STREAM_OVER
            raise
        self.is_sure = was_sure


class Streams:
    """Of one app."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace
        #: Channel and handle → the stream; the oldest first.
        self._streams: OrderedDict[tuple[str, str], Stream] = OrderedDict()
        #: Workspaces that have no native streams → until when that is believed.
        self._without: OrderedDict[str, float] = OrderedDict()
        #: So many are begun just now.
        self._starting: Counter[str] = Counter()
        #: Replies that can't be streamed.
        self._unsuited: OrderedDict[str, None] = OrderedDict()

    def are_native(self, workspace: str) -> bool:
        return self._without.get(workspace, 0.0) <= self._pace.clock()

    def are_missing(self, workspace: str) -> None:
        """Slack has said so."""
        keep(self._without, workspace, self._pace.clock() + _ASK_AGAIN_S)

    def may_start(self, workspace: str) -> bool:
        """Whether one could begin now, and be ended whenever it wants to."""
        ends = self._pace.room(workspace, "chat.stopStream") - self._live(workspace, is_edited=False)
        return self._starting[workspace] < min(self._pace.room(workspace, "chat.startStream"), ends)

    def may_edit(self, workspace: str) -> bool:
        """Whether a message could be begun now that is changed as it grows."""
        return self._live(workspace, is_edited=True) < MOST_EDITED

    def interval_s(self, workspace: str, *, is_edited: bool = False) -> float:
        """Least time between two appends or changes, with those that are being written there now."""
        live = self._live(workspace, is_edited=is_edited)
        if is_edited:
            return max(EDIT_INTERVAL_S, live * 60.0 / _EDITS_SHOWN)
        return max(APPEND_INTERVAL_S, live * _SHARE * 60.0 / TIERS["chat.appendStream"].calls)

    def take_turn(self, stream: Stream) -> None:
        """Raises PlatformAway where it was shown too lately, for the others' sake."""
        now = self._pace.clock()
        if now < stream.shown_at + self.interval_s(stream.workspace, is_edited=stream.is_edited):
            raise PlatformAway("others are written there too")
        stream.shown_at = now

    def suits(self, token: str) -> bool:
        return token not in self._unsuited

    def does_not_suit(self, token: str) -> None:
        keep(self._unsuited, token, None)

    @contextlib.contextmanager
    def starting(self, workspace: str) -> Iterator[None]:
        """Around the call that starts one. Raises PlatformAway where there is no room for it."""
        if not self.may_start(workspace):
            raise PlatformAway("too many replies are streamed there now")
        self._starting[workspace] += 1
        try:
            yield
        finally:
            self._starting[workspace] -= 1
            self._starting += Counter()  # forgets those that are none

    def begin(self, channel: str, handle: str, stream: Stream) -> None:
        keep(self._streams, (channel, handle), stream)

    def get(self, channel: str, handle: str) -> Stream | None:
        """None where it was not begun by this process, or is ended."""
        return self._streams.get((channel, handle))

    def end(self, channel: str, handle: str) -> None:
        self._streams.pop((channel, handle), None)

    def _live(self, workspace: str, *, is_edited: bool) -> int:
        now = self._pace.clock()
        return sum(
            stream.workspace == workspace
            and stream.is_edited == is_edited
            and not (stream.is_over or stream.is_gone)
            and now - stream.began < LONGEST_AGE_S
            for stream in self._streams.values()
        )
