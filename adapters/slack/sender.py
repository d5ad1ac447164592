"""Speaks to Slack: native streams, messages that are changed as they grow where a workspace has none, or one post where
its tiers leave no room for more.

Every message says in its metadata which part it is, and is looked for before it is sent again. A stream can't say so
before it is stopped; it begins without text, so one that was begun in doubt is known by that.
"""

import contextlib
from collections import OrderedDict

from adapters.remembered import keep
from adapters.slack.buttons import Buttons
from adapters.slack.calls import Calls, Errand
from adapters.slack.downloads import read_file
from adapters.slack.outbound import EDITED_LIMIT_UNITS, LIMIT_UNITS, OPEN, state
from adapters.slack.posts import Posts
from adapters.slack.read_back import Found, find_part
from adapters.slack.status import RENEWED_AFTER_S, Status
from adapters.slack.streams import Stream, Streams
from adapters.slack.workspaces import Workspaces
from adapters.slack.writing import Writing
from core.dialogue import Attachment, SessionKey
from core.errors import MessageGone, PlatformAway, PlatformRefused, RateLimited
from core.ports import Capabilities, Outgoing

#: Slack ends a stream about five minutes after it began, appended to or not.
STREAM_AGE_S = 235.0
#: Two calls, each after its turn.
SEND_TIMEOUT_S = 30.0


class SlackSender:
    """Implements `Sender`, for one app in all its workspaces."""

    def __init__(self, calls: Calls, workspaces: Workspaces, buttons: Buttons) -> None:
        self._calls = calls
        self._workspaces = workspaces
        self._streams = Streams(calls.pace)
        self._posts = Posts(calls, buttons)
        self._status = Status(calls)
        self._writing = Writing(calls, self._streams, self._posts, self._status)
        #: Channel and handle → what the message says for good.
        self._finished: OrderedDict[tuple[str, str], tuple[str, str, int]] = OrderedDict()
        #: Parts of which nothing was sent, for certain.
        self._absent: OrderedDict[str, None] = OrderedDict()

    def capabilities(self, key: SessionKey) -> Capabilities:
        if is_whispered(key):
            return Capabilities(limit_chars=LIMIT_UNITS, send_timeout_s=SEND_TIMEOUT_S)
        workspace = key.workspace
        is_native = self._streams.are_native(workspace)
        streams = bool(key.thread) and is_native and self._streams.may_start(workspace)
        edits = not is_native and self._streams.may_edit(workspace)
        return Capabilities(
            edits=edits,
            native_stream=streams,
            read_back=True,
            edit_interval_s=self._streams.interval_s(workspace, is_edited=not streams),
            stream_age_s=STREAM_AGE_S if streams else 0.0,
            typing_interval_s=RENEWED_AFTER_S if key.thread else 0.0,
            names_threads=bool(key.thread),
            shows_work=streams,
            limit_chars=EDITED_LIMIT_UNITS if edits else LIMIT_UNITS,
            send_timeout_s=SEND_TIMEOUT_S,
        )

    async def open(self, part: Outgoing) -> str:
        """A part without text begins as a stream."""
        try:
            handle = await self._open(part)
        except (PlatformAway, RateLimited):
            keep(self._absent, part.nonce, None)
            raise
        except BaseException:
            self._absent.pop(part.nonce, None)
            raise
        self._absent.pop(part.nonce, None)
        return handle

    async def _open(self, part: Outgoing) -> str:
        key = part.session_key
        if is_whispered(key):
            return await self._posts.whisper(await self._errand(part), part)
        if not part.is_closed and not part.markdown:
            return await self._writing.start(await self._errand(part, is_urgent=False), part)
        handle = await self._posts.post(await self._errand(part), part)
        if part.is_closed:
            self._is_finished(handle, part)
        else:
            stream = Stream(key.workspace, part.nonce, self._calls.pace.clock(), is_edited=True)
            self._streams.begin(key.channel, handle, stream)
        return handle

    async def update(self, handle: str, part: Outgoing) -> None:
        """Of a message that is changed as it grows. One that was deleted is told of when the part is whole."""
        stream = self._streams.get(part.session_key.channel, handle)
        if stream is not None:
            if stream.is_gone:
                return
            self._streams.take_turn(stream)
        try:
            await self._posts.update(await self._errand(part, is_urgent=False), handle, part)
        except RateLimited:
            raise PlatformAway("Slack takes no more changes now") from None
        except MessageGone:
            if stream is not None:
                stream.is_gone = True

    async def append(self, handle: str, part: Outgoing, text: str) -> None:
        """What the stream has is known here, so `text` need not be."""
        with contextlib.suppress(MessageGone):  # it is told of when the part is whole
            await self._writing.append(await self._errand(part, is_urgent=False), handle, part)

    async def show_work(self, handle: str, part: Outgoing, status: str) -> None:
        with contextlib.suppress(MessageGone):
            await self._writing.show_work(await self._errand(part, is_urgent=False), handle, part, status)

    async def close(self, handle: str, part: Outgoing) -> None:
        channel = part.session_key.channel
        if self._finished.get((channel, handle)) == _says(part):
            return
        stream = self._streams.get(channel, handle)
        if stream is not None and stream.is_gone:
            self._streams.end(channel, handle)
            raise MessageGone("the message was deleted")
        errand = await self._errand(part)
        if stream is None or stream.is_edited:
            await self._posts.update(errand, handle, part)
            self._streams.end(channel, handle)
        else:
            await self._writing.finish(errand, handle, part)
        self._is_finished(handle, part)

    async def find(self, part: Outgoing) -> str | None:
        """Of a closed part: a message that says all of it by now, whatever it said when it was found."""
        if part.nonce in self._absent:
            return None
        found = await find_part(self._calls, await self._errand(part), part)
        if found is None or self._is_anothers(found, part):
            keep(self._absent, part.nonce, None)
            return None
        if part.is_closed and found.state != OPEN and found.state == state(part):
            self._is_finished(found.handle, part)
        elif part.is_closed:
            await self.close(found.handle, part)
        else:
            self._find_stream(found.handle, part)
        return found.handle

    def _is_anothers(self, found: Found, part: Outgoing) -> bool:
        """A stream that does not tell whose it is may be one that is known here."""
        stream = self._streams.get(part.session_key.channel, found.handle)
        return not found.is_named and stream is not None and stream.nonce != part.nonce

    def _find_stream(self, handle: str, part: Outgoing) -> None:
        """An empty stream, or a message that is changed as it grows."""
        channel, workspace = part.session_key.channel, part.session_key.workspace
        if self._streams.get(channel, handle) is None:
            now = self._calls.pace.clock()
            stream = Stream(workspace, part.nonce, now, is_edited=bool(part.markdown))
            self._streams.begin(channel, handle, stream)

    async def withdraw(self, handle: str, part: Outgoing) -> None:
        key, errand = part.session_key, await self._errand(part)
        with contextlib.suppress(MessageGone):
            stream = self._streams.get(key.channel, handle)
            if stream is not None and not stream.is_edited:
                await self._posts.stop(errand, key, handle)
            await self._posts.delete(errand, key, handle)
        self._streams.end(key.channel, handle)

    async def show_typing(self, key: SessionKey, reply_to_id: str, status: str) -> None:
        if key.thread:
            await self._status.show(await self._errand_to(key, is_urgent=False), key, status)

    async def end_typing(self, key: SessionKey, reply_to_id: str) -> None:
        if self._status.is_shown(key):
            await self._status.end(await self._errand_to(key), key)

    async def read(self, key: SessionKey, attachment: Attachment, limit_bytes: int) -> bytes:
        if not attachment.handle:
            raise PlatformRefused("Slack gives nothing out for it")
        return await read_file(self._calls, await self._errand_to(key), attachment.handle, limit_bytes)

    async def name_thread(self, key: SessionKey, title: str) -> None:
        await self._status.name(await self._errand_to(key), key, title)

    async def _errand(self, part: Outgoing, *, is_urgent: bool = True) -> Errand:
        return Errand(await self._workspaces.of(part.session_key.workspace), part.nonce, is_urgent)

    async def _errand_to(self, key: SessionKey, *, is_urgent: bool = True) -> Errand:
        return Errand(await self._workspaces.of(key.workspace), "\0".join(key.words), is_urgent)

    def _is_finished(self, handle: str, part: Outgoing) -> None:
        keep(self._finished, (part.session_key.channel, handle), _says(part))


def is_whispered(key: SessionKey) -> bool:
    """What is said there is for one person's eyes: a slash command, a window, App Home."""
    return not key.thread and bool(key.person)


def _says(part: Outgoing) -> tuple[str, str, int]:
    return part.nonce, state(part), hash(part.markdown)
