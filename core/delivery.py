"""The reply's life on the platform: opened, shown as it grows, cut into parts, finished, found again after a crash.

What is shown was written down before: a part before it is opened, text and tokens before they are seen, the handle of a
placeholder before its content. Which of these a platform needs is said by its `Capabilities`:

- a nonce (`idempotent_send`): a part is opened with its text, and again after a crash, which gives the same message;
- reading back (`read_back`): a part whose opening is in doubt is looked for before it is opened again;
- neither: a part is opened as a placeholder, and its text only ever comes by edits, which can be repeated.
"""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeVar

from core.dialogue import SessionKey
from core.dispatcher import Holding
from core.errors import DatabaseAway, LeaseLost, PlatformError, PlatformRefused
from core.memory.outbox import Outbox
from core.memory.owed import WHOLE, Delivery, Progress, SentPart
from core.ports import Capabilities, NewSplitter, Outgoing, Sender
from core.sending import Sending, SendLimits, pause_after
from core.typing_indicator import TypingIndicator

logger = logging.getLogger(__name__)

_Result = TypeVar("_Result")

#: The first words are shown a little later, so that a quick reply is sent whole, and once.
_FIRST_SHOW_S = 0.15


@dataclass(frozen=True, slots=True)
class Edge:
    """One account on one platform."""

    sender: Sender
    splitter: NewSplitter


@dataclass(frozen=True, slots=True)
class Recipient:
    """Where a reply goes."""

    key: SessionKey
    #: The message that is answered; "" where none is.
    reply_to_id: str
    holding: Holding


class _Send(Protocol):
    """`Sending.once` or `Sending.patiently`."""

    def __call__(self, call: Callable[[], Awaitable[_Result]], /) -> Awaitable[_Result]: ...


def whole_parts(edge: Edge, text: str) -> tuple[SentPart, ...]:
    """How a text that is known from the start is cut."""
    splitter = edge.splitter()
    splitter.append(text)
    splitter.finish()
    return tuple(SentPart(number, end=part.end) for number, part in enumerate(splitter.closed))


class ReplyDelivery:
    """One reply. One task appends to it, and closes it in the end."""

    def __init__(
        self,
        edge: Edge,
        outbox: Outbox,
        to: Recipient,
        delivery: Delivery,
        limits: SendLimits = SendLimits(),  # noqa: B008
    ) -> None:
        self._sender = edge.sender
        self._outbox = outbox
        self._to = to
        self._can: Capabilities = edge.sender.capabilities(to.key)
        self._sending = Sending(to.holding, self._can.send_timeout_s, limits)
        self.typing = TypingIndicator(edge.sender, self._can, to.key, to.reply_to_id)
        #: As it was last written down.
        self.delivery = delivery
        self._splitter = edge.splitter([part.end for part in delivery.parts if part.end is not None])
        self._splitter.append(delivery.text)
        self._text = delivery.text
        self._token_ids = delivery.token_ids
        #: Part → what it says on the platform; not known of one that an earlier process opened.
        self._seen: dict[int, str] = {}
        #: Parts that may have been sent although they have no handle.
        self._doubtful = {part.part for part in delivery.parts if part.handle is None}
        self._refusal: PlatformRefused | None = None
        self._changed = asyncio.Event()
        self._stopping = asyncio.Event()
        self._showing: asyncio.Task[None] | None = None

    def append(self, text: str, token_ids: Sequence[int] = ()) -> None:
        """More of the reply; it is seen when the platform's pace allows. Raises PlatformRefused."""
        if self._refusal is not None:
            raise self._refusal
        self._text += text
        self._token_ids += tuple(token_ids)
        self._splitter.append(text)
        self._changed.set()
        if self._showing is None and (self._can.edits or self._can.native_stream):
            self._showing = asyncio.create_task(self._keep_showing())

    async def notice(self, markdown: str) -> None:
        """What is seen until the first word, which takes its place. Raises PlatformRefused, StorageError."""
        self.typing.say(markdown)
        if self._text or not self._can.edits:
            return
        with _later_again("a notice was not shown"):
            await self._write(replace(self.delivery, parts=self._merged([SentPart(0)])))
            await self._bring(0, markdown, self._sending.once)

    async def finish(self, text: str, record: Callable[[Delivery], Awaitable[Delivery]]) -> Delivery:
        """The reply is whole: `record` writes it down with its parts, then it is sent to the end.

        Raises PlatformError where it can't be sent now, or ever. It is recorded all the same.
        """
        await self._stop_showing()
        self._splitter.append(text[len(self._text) :])
        self._splitter.finish()
        if self.delivery.state != WHOLE:
            parts = [SentPart(number, end=part.end) for number, part in enumerate(self._splitter.closed)]
            whole = replace(self.delivery, state=WHOLE, text=text, token_ids=(), parts=self._merged(parts))
            self.delivery = await record(whole)
        last = len(self._splitter.closed) - 1
        for number, part in enumerate(self._splitter.closed):
            await self._bring(number, part.text, self._sending.patiently, is_closed=True, is_last=number == last)
        await self.typing.end()
        return self.delivery

    async def aclose(self) -> None:
        """What is being sent is given up; what was written down is enough to go on from."""
        task, self._showing = self._showing, None
        if task is not None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        await self.typing.end()

    async def _stop_showing(self) -> None:
        """A send that is under way is waited for: its handle would be lost."""
        self._stopping.set()
        self._changed.set()
        task, self._showing = self._showing, None
        if task is not None:
            await task

    async def _keep_showing(self) -> None:
        pause_s = _FIRST_SHOW_S
        while not await self._stopped_within(pause_s):
            await self._changed.wait()
            self._changed.clear()
            pause_s = self._can.edit_interval_s
            try:
                await self._show()
            except PlatformRefused as refusal:
                self._refusal = refusal
                return
            except PlatformError as error:
                pause_s = pause_after(error, pause_s)
                self._changed.set()
            except LeaseLost:
                return  # whoever records the reply is told, and stops
            except DatabaseAway:
                self._changed.set()

    async def _stopped_within(self, seconds: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._stopping.wait()
        return self._stopping.is_set()

    async def _show(self) -> None:
        """One step: what is known now is written down, then seen."""
        closed, visible = self._splitter.closed, self._visible()
        texts = [part.text for part in closed] + ([visible] if visible else [])
        if not texts:
            return
        ends = [*(part.end for part in closed), None]
        parts = [SentPart(number, end=ends[number]) for number in range(len(texts))]
        await self._write(replace(self.delivery, text=self._text, token_ids=self._token_ids, parts=self._merged(parts)))
        for number, text in enumerate(texts):
            await self._bring(number, text, self._sending.once, is_closed=number < len(closed))

    def _visible(self) -> str:
        """What may be seen of the open part."""
        return self._splitter.release() if self._can.native_stream else "".join(self._splitter.open()[:1])

    async def _bring(
        self, number: int, text: str, send: _Send, *, is_closed: bool = False, is_last: bool = False
    ) -> None:
        """Makes a part say `text` on the platform."""
        part = self.delivery.parts[number]
        if part.is_closed or not (is_closed or self._can.edits or self._can.native_stream):
            return
        if not is_closed and self._seen.get(number) == text:
            return
        shown = Outgoing(self._to.key, self._to.reply_to_id, self.delivery.token, number, text, is_closed, is_last)
        if part.handle is None:
            is_first_try = number not in self._doubtful
            first = self._first_words(shown)
            part = replace(part, handle=await send(lambda: self._find_or_open(first)))
            self._keep(part)
            if is_first_try or not self._can.edits:
                self._seen[number] = first.markdown
            if first == shown and number in self._seen:
                self._keep(replace(part, is_closed=is_closed))
                return
            await self._write(self.delivery)
        handle = part.handle or ""
        if is_closed:
            await send(lambda: self._sender.close(handle, shown))
            self._keep(replace(part, is_closed=True))
        elif not self._can.native_stream:
            await send(lambda: self._sender.update(handle, shown))
        elif number in self._seen:  # what an earlier process appended is not known: such a part is closed in one go
            more = text[len(self._seen[number]) :]
            await send(lambda: self._sender.append(handle, shown, more))
        self._seen[number] = text

    def _first_words(self, shown: Outgoing) -> Outgoing:
        """What a part is opened with: its text, where opening it twice gives one message."""
        is_safe = self._can.idempotent_send or self._can.read_back
        is_changed_later = self._can.edits or self._can.native_stream
        if is_changed_later and (not is_safe or (self._can.native_stream and not shown.is_closed)):
            return replace(shown, markdown="", is_closed=False, is_last=False)
        return shown

    async def _find_or_open(self, part: Outgoing) -> str:
        if part.part in self._doubtful and self._can.read_back:
            found = await self._sender.find(part)
            if found is not None:
                return found
        self._doubtful.add(part.part)
        return await self._sender.open(part)

    def _merged(self, parts: Sequence[SentPart]) -> tuple[SentPart, ...]:
        """With the handles that are known; parts that are no longer there keep their place."""
        known = {part.part: part for part in self.delivery.parts}
        for part in parts:
            known[part.part] = replace(known.get(part.part, part), end=part.end)
        return tuple(known[number] for number in sorted(known))

    def _keep(self, part: SentPart) -> None:
        parts = tuple(part if part.part == known.part else known for known in self.delivery.parts)
        self.delivery = replace(self.delivery, parts=parts)

    async def _write(self, delivery: Delivery) -> None:
        await self._outbox.progress(Progress(self._to.holding.lease, delivery))
        self.delivery = delivery


@contextlib.contextmanager
def _later_again(what: str) -> Iterator[None]:
    """What can be done without now, and is done again with the next words."""
    try:
        yield
    except PlatformRefused:
        raise
    except (PlatformError, DatabaseAway) as error:
        logger.info("%s: %s", what, error, extra={"action": "show"})
