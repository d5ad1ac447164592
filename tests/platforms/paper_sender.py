"""The adapter of the platforms for tests: what goes out, what comes in, how a text is cut."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from adapters.text import Splitter
from core.dialogue import (
    Attachment,
    Called,
    Deletion,
    Edit,
    Feedback,
    Inbound,
    InboundMessage,
    Opinion,
    Person,
    SessionKey,
)
from core.errors import MessageGone, PlatformAway, PlatformError, PlatformRefused, RateLimited, SendUnclear, TooLate
from core.ports import Arrival, Capabilities, NewSplitter, Outgoing
from tests.platforms.kinds import PLACEHOLDER, Kind
from tests.platforms.paper_platform import CallFailed, PaperPlatform, Trouble, Words

BOT = "banter"


class Wire(Protocol):
    """How a call reaches the platform."""

    async def __call__(self, name: str, words: Words) -> str:
        """Raises CallFailed."""
        ...


def local_wire(platform: PaperPlatform) -> Wire:
    async def call(name: str, words: Words) -> str:
        return platform.call(name, words)

    return call


class PaperSender:
    """Implements `Sender`."""

    def __init__(self, kind: Kind, wire: Wire) -> None:
        self._kind = kind
        self._wire = wire

    def capabilities(self, key: SessionKey) -> Capabilities:
        return self._kind.capabilities

    async def open(self, part: Outgoing) -> str:
        if self._kind.capabilities.native_stream and not part.is_closed:
            return await self._call("start", part)
        return await self._call("post", part, text=part.markdown or PLACEHOLDER)

    async def update(self, handle: str, part: Outgoing) -> None:
        await self._call("edit", part, handle=handle, text=part.markdown)

    async def append(self, handle: str, part: Outgoing, text: str) -> None:
        await self._call("append", part, handle=handle, text=text)

    async def show_work(self, handle: str, part: Outgoing, status: str) -> None:
        await self._call("work", part, handle=handle, text=status)

    async def close(self, handle: str, part: Outgoing) -> None:
        name = "stop" if self._kind.capabilities.native_stream else "edit"
        await self._call(name, part, handle=handle, text=part.markdown)

    async def find(self, part: Outgoing) -> str | None:
        return await self._call("find", part) or None

    async def withdraw(self, handle: str, part: Outgoing) -> None:
        await self._call("delete", part, handle=handle)

    async def show_typing(self, key: SessionKey, reply_to_id: str, status: str) -> None:
        await self._type(key, reply_to_id, "yes", status)

    async def end_typing(self, key: SessionKey, reply_to_id: str) -> None:
        await self._type(key, reply_to_id, "", "")

    async def read(self, key: SessionKey, attachment: Attachment, limit_bytes: int) -> bytes:
        words = {"channel": _channel(key), "handle": attachment.handle}
        return (await _translated(self._wire, "read", words)).encode()[:limit_bytes]

    async def name_thread(self, key: SessionKey, title: str) -> None:
        await _translated(self._wire, "name", {"channel": _channel(key), "text": title})

    async def _type(self, key: SessionKey, reply_to_id: str, on: str, status: str) -> None:
        words = {"channel": _channel(key), "reply_to": reply_to_id, "on": on, "status": status}
        await _translated(self._wire, "typing", words)

    async def _call(self, name: str, part: Outgoing, **words: str) -> str:
        where = {
            "channel": _channel(part.session_key),
            "reply_to": part.reply_to_id,
            "nonce": part.nonce,
            "drawn": "yes" if part.is_drawn else "",
        }
        return await _translated(self._wire, name, where | words)


def _channel(key: SessionKey) -> str:
    return key.thread or key.channel


async def _translated(wire: Wire, name: str, words: Words) -> str:
    try:
        return await wire(name, words)
    except CallFailed as failed:
        raise _error(failed) from None


def _error(failed: CallFailed) -> PlatformError:
    if failed.trouble is Trouble.RATE_LIMITED:
        return RateLimited("too much was sent", failed.retry_after_s)
    if failed.trouble in (Trouble.UNANSWERED, Trouble.UNHEARD):
        return SendUnclear("the connection ended before the answer")
    if failed.trouble is Trouble.GONE:
        return MessageGone("the message was deleted")
    if failed.trouble is Trouble.TOO_LATE:
        return TooLate("the message can be answered no more")
    return PlatformRefused("the bot was kicked") if failed.trouble is Trouble.REFUSED else PlatformAway("it is away")


def new_splitter(kind: Kind) -> NewSplitter:
    def cut(borders: Sequence[int] = (), limit_chars: int = 0) -> Splitter:
        return Splitter(lambda markdown: len(markdown) <= (limit_chars or kind.limit_chars), borders)

    return cut


@dataclass(frozen=True, slots=True)
class PaperEvent:
    """Something that a person did there."""

    #: The platform's id of the message that it is, or is about.
    id: str
    channel: str
    text: str = ""
    person: str = "anna"
    #: "message", "edit", "deletion", or an `Opinion`.
    what: str = "message"
    #: Of an edit, a reaction or a press.
    event_id: str = ""

    def arrival(self, kind: Kind) -> Arrival:
        """As the receiver hands it in; an event without a channel is not understood."""
        raw = json.dumps({"id": self.id, "channel": self.channel, "text": self.text, "event": self.event_id})
        if not self.channel:
            return Arrival(raw, None, "the event names no channel")
        return Arrival(raw, self._inbound(kind))

    def _inbound(self, kind: Kind) -> Inbound:
        key = SessionKey(kind.platform, BOT, "w", self.channel)
        person = Person(kind.platform, "w", self.person, self.person.title())
        if self.what == "message":
            return InboundMessage(key, person, self.id, self.text, datetime.now(UTC), Called(directly=True))
        if self.what == "edit":
            return Edit(key, person, self.id, self.event_id, self.text)
        if self.what == "deletion":
            return Deletion(key, self.id)
        return Feedback(key, person, self.id, Opinion(self.what), self.event_id)
