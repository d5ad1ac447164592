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
import math
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import replace

from core.edge import Edge, Recipient
from core.errors import BanterError, DatabaseAway, LeaseLost, PlatformAway, PlatformError, PlatformRefused, RateLimited
from core.memory.outbox import Outbox
from core.memory.owed import WHOLE, Delivery, Progress, SentPart
from core.parts import first_words, merged
from core.ports import Capabilities, Outgoing
from core.sending import Send, Sending, is_there, pause_after
from core.typing_indicator import TypingIndicator

logger = logging.getLogger(__name__)

#: The first words are shown a little later, so that a quick reply is sent whole, and once.
_FIRST_SHOW_S = 0.15


class ReplyDelivery:
    """One reply. One task appends to it, and closes it in the end."""

    def __init__(self, edge: Edge, outbox: Outbox, to: Recipient, delivery: Delivery) -> None:
        self._sender = edge.sender
        self._outbox = outbox
        self._to = to
        self._can: Capabilities = edge.sender.capabilities(to.key)
        self._sending = Sending(to.holding, self._can.send_timeout_s, edge.limits)
        self.typing = TypingIndicator(edge.sender, self._can, to.key, to.reply_to_id)
        #: As it was last written down.
        self.delivery = delivery
        borders = [part.end for part in delivery.parts if part.end is not None]
        self._splitter = edge.splitter(borders, self._can.limit_chars)
        if delivery.text:
            self._splitter.append(delivery.text)
        if self._can.native_stream:  # what was seen of the open part stays its beginning
            self._splitter.release()
        self._text = delivery.text
        self._token_ids = delivery.token_ids
        #: Part → what it says on the platform; not known of one that an earlier process opened.
        self._seen: dict[int, str] = {}
        #: Part → when this process opened it, by `time.monotonic`.
        self._opened_at: dict[int, float] = {}
        #: Parts that may have been sent although they have no handle.
        self._doubtful = {part.part for part in delivery.parts if part.handle is None}
        self._refusal: PlatformRefused | None = None
        #: Held by whoever speaks to the platform: what is shown, a notice, and the end come one after another.
        self._turn = asyncio.Lock()
        self._changed = asyncio.Event()
        self._stopping = asyncio.Event()
        self._beginning: asyncio.TimerHandle | None = None
        self._showing: asyncio.Task[None] | None = None

    def append(self, text: str, token_ids: Sequence[int] = ()) -> None:
        """More of the reply; it is seen when the platform's pace allows. Raises PlatformRefused."""
        if self._refusal is not None:
            raise self._refusal
        self._text += text
        self._token_ids += tuple(token_ids)
        self._splitter.append(text)
        self._changed.set()
        if self._beginning is None and (self._can.edits or self._can.native_stream):
            self._beginning = asyncio.get_running_loop().call_later(_FIRST_SHOW_S, self._begin_showing)

    def _begin_showing(self) -> None:
        self._showing = asyncio.create_task(self._keep_showing())

    async def notice(self, markdown: str) -> None:
        """What is seen until the first word, which takes its place. What a stream says can't be taken back."""
        await self.remark(markdown)
        if self._can.edits and not self._can.native_stream:
            await self._say_first(markdown)

    async def remark(self, status: str) -> None:
        """Why it takes long, seen beside the reply where the platform can show that."""
        self.typing.say(status)
        if self._can.native_stream and self._can.shows_work:
            await self._say_first("", status)

    async def _say_first(self, markdown: str, beside: str = "") -> None:
        async with self._turn:
            if self._text or self._stopping.is_set():
                return
            with self._later_again("a notice was not shown"):
                await self._write(replace(self.delivery, parts=merged(self.delivery.parts, [SentPart(0)])))
                await self._bring(0, markdown, self._sending.once)
                if beside:
                    handle, shown = self.delivery.parts[0].handle or "", self._outgoing(0, "")
                    await self._sending.once(lambda: self._sender.show_work(handle, shown, beside))

    async def finish(self, text: str, record: Callable[[Delivery], Awaitable[Delivery]]) -> Delivery:
        """The reply is whole: `record` writes it down with its parts, then it is sent to the end.

        Raises PlatformError where it can't be sent now, or ever. It is recorded all the same.
        """
        await self._stop_showing()
        async with self._turn:
            if len(text) > len(self._text):
                self._splitter.append(text[len(self._text) :])
            self._splitter.finish()
            cut = [SentPart(number, end=part.end) for number, part in enumerate(self._splitter.closed)]
            parts = merged(self.delivery.parts, cut)
            if self.delivery.state != WHOLE:
                whole = replace(self.delivery, state=WHOLE, text=text, token_ids=(), parts=parts)
                self.delivery = await record(whole)
            elif parts != self.delivery.parts:  # its channel has moved, and nothing is known of its messages there
                await self._write(replace(self.delivery, parts=parts))
            await self._send_all()
        await self.typing.end()
        return self.delivery

    async def _send_all(self) -> None:
        parts = self._splitter.closed
        for number, part in enumerate(parts):
            is_last = number == len(parts) - 1
            await self._bring(number, part.text, self._sending.patiently, is_closed=True, is_last=is_last)
        for needless in self.delivery.parts[len(parts) :]:
            await self._withdraw(needless)

    async def _withdraw(self, part: SentPart) -> None:
        """The text turned out to be shorter than what was shown of it."""
        shown = self._outgoing(part.part, "", is_closed=True)
        handle = part.handle
        if handle is None and self._can.read_back:
            handle = await self._sending.patiently(lambda: self._sender.find(shown))
        if handle is not None and not part.is_closed:
            await self._sending.patiently(lambda: self._sender.withdraw(handle, shown))
            self._keep(replace(part, handle=handle, is_closed=True))

    def interrupt(self) -> None:
        """What is being sent is sent, and nothing more: `finish` raises ReplyInterrupted."""
        self._sending.interrupt()

    async def aclose(self) -> None:
        """Nothing more is shown; what was written down is enough to go on from."""
        try:
            await self._stop_showing()
        except BanterError as error:
            logger.info("a reply was given up: %s", error, extra={"action": "show"})
        finally:
            await self.typing.end()

    async def _stop_showing(self) -> None:
        """A send that is under way is waited for: its handle would be lost."""
        self._stopping.set()
        self._changed.set()
        if self._beginning is not None:
            self._beginning.cancel()
        task, self._showing = self._showing, None
        if task is not None:
            await task

    async def _keep_showing(self) -> None:
        pause_s = 0.0
        while not await self._stopped_within(pause_s):
            await self._changed.wait()
            if self._stopping.is_set():
                return
            self._changed.clear()
            pause_s = self._can.edit_interval_s
            try:
                async with self._turn:
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
        """What is known now is written down, then seen. A stream is ended before the platform finds it too old."""
        opened_at = self._opened_at.get(len(self._splitter.closed), math.inf)
        if self._can.stream_age_s and time.monotonic() - opened_at >= self._can.stream_age_s:
            self._splitter.roll_over()
        closed = self._splitter.closed
        visible = self._splitter.release() if self._can.native_stream else "".join(self._splitter.open()[:1])
        texts = [part.text for part in closed] + ([visible] if visible else [])
        if not texts:
            return
        ends = [*(part.end for part in closed), None]
        parts = [SentPart(number, end=ends[number]) for number in range(len(texts))]
        await self._write(
            replace(self.delivery, text=self._text, token_ids=self._token_ids, parts=merged(self.delivery.parts, parts))
        )
        for number, text in enumerate(texts):
            await self._bring(number, text, self._sending.once, is_closed=number < len(closed))

    async def _bring(
        self, number: int, text: str, send: Send, *, is_closed: bool = False, is_last: bool = False
    ) -> None:
        """Makes a part say `text` on the platform."""
        part = self.delivery.parts[number]
        if part.is_closed or not (is_closed or self._can.edits or self._can.native_stream):
            return
        if not is_closed and self._seen.get(number) == text:
            return
        shown = self._outgoing(number, text, is_closed=is_closed, is_last=is_last)
        if part.handle is None:
            part = await self._open(part, shown, send)
            if part.is_closed or (not is_closed and self._seen.get(number) == text):
                return
        handle = part.handle or ""
        if is_closed:
            await self._close(part, shown, send)
        elif not self._can.native_stream:
            await send(lambda: self._sender.update(handle, shown))
        elif number in self._seen:  # what an earlier process appended is not known: such a part is closed in one go
            await self._append(handle, shown, send)
        self._seen[number] = text

    def _outgoing(self, number: int, text: str, *, is_closed: bool = False, is_last: bool = False) -> Outgoing:
        to = self._to
        token = self.delivery.token
        return Outgoing(to.key, to.reply_to_id, token, number, text, is_closed, is_last, to.is_drawn, to.asker_id)

    async def _append(self, handle: str, shown: Outgoing, send: Send) -> None:
        """What may have been appended is not appended again: such a part is closed in one go as well."""
        seen = self._seen.pop(shown.part)
        try:
            await send(lambda: self._sender.append(handle, shown, shown.markdown[len(seen) :]))
        except (RateLimited, PlatformAway):
            self._seen[shown.part] = seen
            raise

    async def _close(self, part: SentPart, shown: Outgoing, send: Send) -> None:
        """One that somebody deleted is opened once more, for the answer is owed all the same."""
        handle = part.handle or ""
        if not await is_there(send(lambda: self._sender.close(handle, shown))):
            self._doubtful.add(part.part)  # an earlier process may have done it already, and died then
            part = await self._open(replace(part, handle=None), shown, send)
            again = part.handle or ""
            if not await is_there(send(lambda: self._sender.close(again, shown))):
                raise PlatformAway("somebody deletes what is sent there")  # and may leave off
        self._keep(replace(part, is_closed=True))

    async def _open(self, part: SentPart, shown: Outgoing, send: Send) -> SentPart:
        """A part that was sent before, by this process or another one, may say something else than it is to say."""
        is_first_try = part.part not in self._doubtful
        first = first_words(self._can, shown)
        part = replace(part, handle=await send(lambda: self._find_or_open(first)))
        self._opened_at[part.part] = time.monotonic()
        self._keep(part)
        is_changed_later = self._can.edits or self._can.native_stream
        if is_first_try or not is_changed_later or not (first.markdown or self._can.edits):
            self._seen[part.part] = first.markdown
            part = replace(part, is_closed=first.is_closed)
            self._keep(part)
        if not shown.is_last or not part.is_closed:  # the handle of a last part goes with the end of the reply
            await self._write(self.delivery)
        return part

    async def _find_or_open(self, part: Outgoing) -> str:
        if part.part in self._doubtful and self._can.read_back:
            found = await self._sender.find(part)
            if found is not None:
                return found
        self._doubtful.add(part.part)
        return await self._sender.open(part)

    def _keep(self, part: SentPart) -> None:
        parts = tuple(part if part.part == known.part else known for known in self.delivery.parts)
        self.delivery = replace(self.delivery, parts=parts)

    async def _write(self, delivery: Delivery) -> None:
        await self._outbox.progress(Progress(self._to.holding.lease, delivery))
        self.delivery = delivery

    @contextlib.contextmanager
    def _later_again(self, what: str) -> Iterator[None]:
        """What can be done without now, and is done again with the next words; whoever appends hears of a refusal."""
        try:
            yield
        except PlatformRefused as refusal:
            self._refusal = refusal
        except (PlatformError, DatabaseAway) as error:
            logger.debug("%s: %s", what, error, extra={"action": "show"})
