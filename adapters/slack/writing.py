"""Native streams: begun without text, appended to, and ended with all that is left to say.

What a stream was sent is remembered, so an append never leaves a gap, whatever became of the one before it. Where it
can't be continued (too old, too long, stopped by a person, in doubt) it is shown no more, and its end makes it right.
"""

from collections.abc import Mapping
from typing import Any

from adapters.slack.calls import Calls, Errand
from adapters.slack.outbound import mark, said, said_so_far, status_title, task_chunk, text_chunk
from adapters.slack.posts import Posts
from adapters.slack.recipients import Recipients
from adapters.slack.refusals import BLOCKS_REFUSED, NO_STREAMS, STOPPED_ALL_THE_SAME, STREAM_OVER, UNSUITED, Refused
from adapters.slack.status import Status
from adapters.slack.streams import Stream, Streams
from core.errors import PlatformAway, RateLimited
from core.ports import Outgoing

_MISSING_RECIPIENT = frozenset({"missing_recipient_user_id", "missing_recipient_team_id"})


class Writing:
    """All methods raise PlatformError; what is merely shown raises PlatformAway where it can't be shown now."""

    def __init__(self, calls: Calls, streams: Streams, posts: Posts, status: Status) -> None:
        self._calls = calls
        self._streams = streams
        self._posts = posts
        self._status = status
        self._recipients = Recipients(calls)

    async def start(self, errand: Errand, part: Outgoing) -> str:
        """Gives its handle."""
        key, workspace = part.session_key, errand.workspace.id
        if not (key.thread and self._streams.are_native(workspace) and self._streams.suits(part.token)):
            raise PlatformAway("it can't be streamed there")
        try:
            with self._streams.starting(workspace):
                handle = await self._start(errand, part)
        except RateLimited:
            raise PlatformAway("Slack takes no more streams now") from None
        except Refused as refused:
            if refused.code in NO_STREAMS:
                self._streams.are_missing(workspace)
            elif refused.code in UNSUITED:
                self._streams.does_not_suit(part.token)
            else:
                raise
            raise PlatformAway(f"it can't be streamed there ({refused.code})") from None
        stream = Stream(workspace, part.nonce, self._calls.pace.clock())
        self._streams.begin(key.channel, handle, stream)
        return handle

    async def _start(self, errand: Errand, part: Outgoing) -> str:
        key = part.session_key
        where = {"channel": key.channel, "thread_ts": key.thread}
        is_direct = key.channel.startswith("D")
        if not (is_direct or part.asker_id):
            raise PlatformAway("nobody asked, so it is streamed to nobody")
        told = {} if is_direct else await self._recipients.arguments(errand, part.asker_id)
        try:
            answer = await self._calls.change(errand, "chat.startStream", {**where, **told})
        except Refused as refused:
            if not is_direct or refused.code not in _MISSING_RECIPIENT or not part.asker_id:
                raise
            told = await self._recipients.arguments(errand, part.asker_id)
            answer = await self._calls.change(errand, "chat.startStream", {**where, **told})
        return str(answer["ts"])

    async def append(self, errand: Errand, handle: str, part: Outgoing) -> None:
        """All that may be shown of the part and was not."""
        stream = self._streams.get(part.session_key.channel, handle)
        if stream is None or not stream.takes_text:
            return
        text = said_so_far(part)
        if not text.startswith(stream.sent):
            stream.is_sure = False
            return
        more = text[len(stream.sent) :]
        if not more:
            return
        chunks = [task_chunk(part, stream.card, is_done=True)] if stream.card else []
        if await self._add(errand, handle, part, stream, [*chunks, text_chunk(more)]):
            stream.sent, stream.card = text, ""

    async def show_work(self, errand: Errand, handle: str, part: Outgoing, status: str) -> None:
        stream, title = self._streams.get(part.session_key.channel, handle), status_title(status)
        if stream is None or not stream.takes_text or stream.sent or stream.card == title:
            return
        if await self._add(errand, handle, part, stream, [task_chunk(part, title, is_done=False)]):
            stream.card = title

    async def _add(
        self, errand: Errand, handle: str, part: Outgoing, stream: Stream, chunks: list[Mapping[str, Any]]
    ) -> bool:
        """Whether Slack took it."""
        self._streams.take_turn(stream)
        told = {"channel": part.session_key.channel, "ts": handle, "chunks": chunks}
        try:
            with stream.changing():
                await self._calls.change(errand, "chat.appendStream", told)
        except RateLimited:
            raise PlatformAway("Slack takes no more of it now") from None
        except Refused as refused:
            if refused.code not in STREAM_OVER | UNSUITED | BLOCKS_REFUSED:
                raise
            return False
        return True

    async def finish(self, errand: Errand, handle: str, part: Outgoing) -> None:
        """The part says what it is to say, and nothing is added to it any more. Raises MessageGone."""
        stream = self._streams.get(part.session_key.channel, handle)
        if stream is None or not await self._stop(errand, handle, part, stream):
            await self._posts.update(errand, handle, part)
        self._streams.end(part.session_key.channel, handle)

    async def _stop(self, errand: Errand, handle: str, part: Outgoing, stream: Stream) -> bool:
        """Whether it has ended with all of its text."""
        text = said(part)
        if not stream.takes_text or not text.startswith(stream.sent):
            return False
        more = text[len(stream.sent) :]
        chunks = [task_chunk(part, stream.card, is_done=True)] if stream.card else []
        chunks += [text_chunk(more)] if more else []
        told: dict[str, Any] = {"channel": part.session_key.channel, "ts": handle, "metadata": mark(part)}
        told |= {"chunks": chunks} if chunks else {}
        ends_session = part.is_last and self._status.is_shown(part.session_key)
        told |= {"session_status": "active"} if ends_session else {}
        below = self._posts.below(part)
        for blocks in ([below] if below else []) + [()]:
            try:
                with stream.changing():
                    await self._calls.change(errand, "chat.stopStream", told | ({"blocks": blocks} if blocks else {}))
            except Refused as refused:
                if refused.code not in BLOCKS_REFUSED | STREAM_OVER | STOPPED_ALL_THE_SAME | UNSUITED:
                    raise
                if refused.code not in BLOCKS_REFUSED:
                    return False
                stream.is_sure = True  # nothing was taken; without the blocks it may be
            else:
                if ends_session:
                    self._status.is_ended(part.session_key)
                return True
        return False
