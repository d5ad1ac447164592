"""What Slack shows of an answer that is being worked on: the agent session's status, with a Stop of Slack's own.

A session that is "processing" stays so until the app says otherwise, so none is begun whose end would find no turn.
Apps that are no agents have the status line of assistant threads instead, which goes with the next message.
"""

import logging
from collections import OrderedDict

from adapters.graphemes import grapheme_starts
from adapters.remembered import keep
from adapters.slack.calls import Calls, Errand
from adapters.slack.refusals import Refused
from core.dialogue import SessionKey
from core.errors import PlatformAway, PlatformRefused, RateLimited

logger = logging.getLogger(__name__)

#: Slack shows the status line of a thread for two minutes.
RENEWED_AFTER_S = 100.0
#: How the status line goes on after the app's name where nothing else is to be said.
_USUAL = "is thinking…"
_LONGEST_STATUS_CHARS = 100
_LONGEST_TITLE_CHARS = 200
_ASK_AGAIN_S = 3600.0
_SET = "agents.sessions.setStatus"
#: These are about the place; any other code means that the app has no sessions.
_ABOUT_PLACE = frozenset(
    {
        "channel_not_found",
        "not_in_channel",
        "is_archived",
        "invalid_thread_ts",
        "thread_not_found",
        "cannot_reply_to_message",
        "message_not_found",
        "channel_type_not_supported",
        "account_inactive",
        "token_revoked",
        "token_expired",
        "invalid_auth",
    }
)


class Status:
    """Of one app."""

    def __init__(self, calls: Calls) -> None:
        self._calls = calls
        #: Where a session is processing.
        self._processing: OrderedDict[SessionKey, None] = OrderedDict()
        #: Workspaces where the app has no sessions → until when that is believed.
        self._without: OrderedDict[str, float] = OrderedDict()

    async def show(self, errand: Errand, key: SessionKey, status: str) -> None:
        """Raises PlatformError."""
        if key in self._processing:
            return
        if self._has_sessions(key):
            room = self._calls.pace.room(key.workspace, _SET)
            if room <= sum(one.workspace == key.workspace for one in self._processing) + 1:
                raise PlatformAway("too many answers are worked on there to show it of one more")
            keep(self._processing, key, None)  # where it is in doubt, it is ended all the same
            try:
                await self._set(errand, key, "processing")
            except (PlatformAway, RateLimited):
                self.is_ended(key)
                raise
            except Refused as refused:
                self.is_ended(key)
                if refused.code in _ABOUT_PLACE:
                    raise
                keep(self._without, key.workspace, self._calls.pace.clock() + _ASK_AGAIN_S)
            else:
                return
        await self._say(errand, key, status or _USUAL)

    async def end(self, errand: Errand, key: SessionKey) -> None:
        """Raises PlatformError."""
        if key in self._processing:
            await self._set(errand, key, "active")
            self.is_ended(key)

    def is_shown(self, key: SessionKey) -> bool:
        """A session is processing there."""
        return key in self._processing

    def is_ended(self, key: SessionKey) -> None:
        """The stream's end has ended it too."""
        self._processing.pop(key, None)

    async def name(self, errand: Errand, key: SessionKey, title: str) -> None:
        """As well as it goes; nobody waits for it. Raises PlatformError."""
        name = _cut(" ".join(title.split()))
        if not name or not key.thread:
            return
        place = {"channel_id": key.channel, "thread_ts": key.thread}
        try:
            if self._has_sessions(key):
                await self._rename(errand, key, name)
            else:
                await self._calls.change(errand, "assistant.threads.setTitle", {**place, "title": name})
        except PlatformRefused as refusal:
            logger.info("a thread was not named: %s", refusal, extra={"action": "name"})

    async def _rename(self, errand: Errand, key: SessionKey, name: str) -> None:
        place = {"channel_id": key.channel, "thread_ts": key.thread}
        try:
            await self._calls.change(errand, "agents.sessions.rename", {**place, "title": name})
        except Refused as refused:
            if refused.code in _ABOUT_PLACE:
                raise
            status = "processing" if key in self._processing else "active"
            await self._set(errand, key, status, name)  # only now there is a session

    async def _set(self, errand: Errand, key: SessionKey, status: str, title: str = "") -> None:
        told = {"channel_id": key.channel, "thread_ts": key.thread, "status": status}
        await self._calls.change(errand, _SET, told | ({"title": title} if title else {}))

    async def _say(self, errand: Errand, key: SessionKey, status: str) -> None:
        line = " ".join(status.split())[:_LONGEST_STATUS_CHARS]
        told = {"channel_id": key.channel, "thread_ts": key.thread, "status": line}
        await self._calls.change(errand, "assistant.threads.setStatus", told)

    def _has_sessions(self, key: SessionKey) -> bool:
        return self._without.get(key.workspace, 0.0) <= self._calls.pace.clock()


def _cut(title: str) -> str:
    """A title that Slack takes."""
    if len(title) <= _LONGEST_TITLE_CHARS:
        return title
    ends = [start for start in grapheme_starts(title) if start < _LONGEST_TITLE_CHARS]
    return title[: ends[-1]].rstrip() + "…"
