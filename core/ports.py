"""Where the core meets the platforms: what an adapter hands in, what it can do, and how it is asked to do it.

The core assumes nothing of a platform but what its `Capabilities` say.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from core.dialogue import Attachment, Inbound, Platform, SessionKey


@dataclass(frozen=True, slots=True)
class Arrival:
    """An event as the platform delivered it, and what it was understood as."""

    #: JSON; secrets are cut from it before it is stored.
    raw: str
    #: None where it could not be understood.
    inbound: Inbound | None
    #: Why it could not.
    error: str = ""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far the events of a platform were taken in."""

    platform: Platform
    bot: str
    #: "offset" (Telegram), a channel's id (Discord).
    name: str
    #: It only grows.
    value: int


class Accept(Protocol):
    """Keeps what came in. When it returns, all of it survives a crash, and the platform may be acked."""

    async def __call__(self, arrivals: Sequence[Arrival], cursor: Cursor | None = None) -> None:
        """The arrivals in their order, and the cursor behind them, or nothing: StorageError, and no ack."""
        ...


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What a platform can do for one reply."""

    #: A message that was sent can be changed.
    edits: bool = False
    #: A message is appended to while it is written, and is changed no more afterwards (`Sender.append`).
    native_stream: bool = False
    #: Sending the same nonce again gives the first message back.
    idempotent_send: bool = False
    #: `Sender.find` tells whether a part was sent.
    read_back: bool = False
    #: Least time between two edits or appends of one reply.
    edit_interval_s: float = 1.0
    #: An open part is closed after so long, and another one begun; 0: it may stay open.
    stream_age_s: float = 0.0
    #: A typing indicator has to be renewed so often; 0: there is none.
    typing_interval_s: float = 0.0
    #: Threads that want a name can be given one (`Sender.name_thread`).
    names_threads: bool = False
    #: A stream can show why it has no text yet (`Sender.show_work`).
    shows_work: bool = False
    #: A part holds at most so many characters, as the splitter counts them; 0: what the splitter usually lets it hold.
    limit_chars: int = 0
    #: No call takes longer.
    send_timeout_s: float = 30.0


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One part of a reply, as it shall be seen now."""

    session_key: SessionKey
    #: The platform's id of the message that is answered; "" where none is.
    reply_to_id: str
    #: Of the reply: opaque, safe to be shown to everybody, the same at every try.
    token: str
    #: 0 is the first.
    part: int
    markdown: str
    #: Nothing of the part changes any more.
    is_closed: bool = False
    #: The reply ends with this part: this is where buttons go.
    is_last: bool = False
    #: The model writes it; it can be stopped while it is written, and judged and drawn again afterwards.
    is_drawn: bool = False
    #: The platform's id of the person who is answered; "" where nobody asked.
    asker_id: str = ""

    @property
    def nonce(self) -> str:
        """At most 25 characters."""
        return f"{self.token}.{self.part}"


class Sender(Protocol):
    """Speaks to one platform, within its limits. Any call may be made again with the same words.

    Raises PlatformError: RateLimited and PlatformAway (try again), SendUnclear (it may have been carried out),
    PlatformRefused (never).
    """

    def capabilities(self, key: SessionKey) -> Capabilities:
        """For a reply that begins there now."""
        ...

    async def open(self, part: Outgoing) -> str:
        """Sends a part, a placeholder where it has no text yet, and gives its handle."""
        ...

    async def update(self, handle: str, part: Outgoing) -> None:
        """Makes an open part say this."""
        ...

    async def append(self, handle: str, part: Outgoing, text: str) -> None:
        """Writes on in a native stream; `text` is the end of `part.markdown`."""
        ...

    async def show_work(self, handle: str, part: Outgoing, status: str) -> None:
        """Says in a stream without text why it takes long (`shows_work`); with the first text that is over."""
        ...

    async def close(self, handle: str, part: Outgoing) -> None:
        """Makes a part say this and nothing else, for good. Raises MessageGone where somebody deleted it."""
        ...

    async def find(self, part: Outgoing) -> str | None:
        """The handle of a part that was sent; None where it was not (`read_back`)."""
        ...

    async def withdraw(self, handle: str, part: Outgoing) -> None:
        """Takes a part away that turned out to be needless."""
        ...

    async def show_typing(self, key: SessionKey, reply_to_id: str, status: str) -> None:
        """`status` says why it takes long; "" where it does not."""
        ...

    async def end_typing(self, key: SessionKey, reply_to_id: str) -> None: ...

    async def read(self, key: SessionKey, attachment: Attachment, limit_bytes: int) -> bytes:
        """The file, or the first `limit_bytes` of it."""
        ...

    async def name_thread(self, key: SessionKey, title: str) -> None:
        """`names_threads`; it is cut to what the platform allows."""
        ...


class Part(Protocol):
    """Markdown of its own, and which characters of the reply it carries."""

    @property
    def text(self) -> str: ...
    @property
    def start(self) -> int: ...
    @property
    def end(self) -> int: ...


class Splitter(Protocol):
    """Parts of a text that grows: closed ones never change, the open one goes on."""

    @property
    def closed(self) -> Sequence[Part]: ...

    def append(self, text: str) -> Sequence[Part]: ...

    def finish(self) -> Sequence[Part]: ...

    def open(self) -> list[str]: ...

    def release(self) -> str: ...

    def roll_over(self) -> Sequence[Part]:
        """Closes the open part as soon as it can be, now or while the text grows; it holds what was released."""
        ...


class NewSplitter(Protocol):
    """An adapter's splitter, cut again where an earlier one was."""

    def __call__(self, borders: Sequence[int] = (), limit_chars: int = 0) -> Splitter:
        """`Capabilities.limit_chars`; 0 is the adapter's usual limit."""
        ...
