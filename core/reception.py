"""What adapters hand in → the inbox. When `accept` returns, a platform may be acked.

What is not for the bot moves the cursor and is not stored: messages that don't call it, and whatever is about messages
that were not stored, but for edits and deletions that may have overtaken theirs (`core.early`). What could not be
understood is stored as a dead letter, and blocks nothing.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from core.clean_text import clean_text, is_storable
from core.commands.command import Command, parse
from core.dialogue import (
    Attachment,
    Deletion,
    Edit,
    Feedback,
    Inbound,
    InboundMessage,
    Kind,
    Move,
    Opinion,
    Platform,
    SessionKey,
)
from core.early import EarlyRevisions
from core.memory.inbox import Entry, Inbox
from core.policy import Attention, Policy
from core.ports import Arrival, Cursor
from core.redaction import without_secrets

logger = logging.getLogger(__name__)

#: Carried out at once, beside the reply that they are about.
_URGENT_COMMANDS = frozenset({"stop"})
_URGENT_OPINIONS = frozenset({Opinion.GOOD, Opinion.BAD, Opinion.STOP})


#: Of what a message replies to.
_QUOTED_CHARS = 1000
#: The messages of an album come within so long.
_ALBUM_S = 1.0


class Reception:
    """Implements `Accept` for one account on one platform."""

    def __init__(
        self,
        account: tuple[Platform, str],
        inbox: Inbox,
        policy: Policy,
        wake: Callable[[bool], None],
        burst_s: float = 0.0,
    ) -> None:
        """`wake` is called after each commit; its argument says whether something urgent came."""
        self._platform, self._bot = account
        self._inbox = inbox
        self._policy = policy
        self._wake = wake
        self._burst_s = burst_s
        self._early = EarlyRevisions()
        #: Messages that are being stored just now, by channel and id.
        self._arriving: dict[tuple[str, str], InboundMessage] = {}

    async def __call__(self, arrivals: Sequence[Arrival], cursor: Cursor | None = None) -> None:
        """See `Accept`."""
        entries: list[Entry] = []
        mine: dict[tuple[str, str], InboundMessage] = {}
        try:
            for arrival in arrivals:
                entry = await self._entry(arrival)
                if entry is not None:
                    entries.append(entry)
                    mine |= _message_of(entry.inbound)
                    self._arriving |= mine
            entries = _one_late_message_a_channel(entries)
            new = await self._inbox.accept(entries, cursor)
        finally:
            for message in mine:
                self._arriving.pop(message, None)
        if new:
            self._wake(any(entry.urgent for entry in entries))

    async def _entry(self, arrival: Arrival) -> Entry | None:
        arrival = _cleaned(arrival)
        inbound = None if arrival.inbound is None else await self._kept(arrival.inbound)
        if inbound is None and (arrival.inbound is not None or not arrival.error):
            return None
        if arrival.error:
            logger.warning("an event was not understood", extra={"action": "dead_letter", "platform": self._platform})
        return Entry(
            platform=self._platform,
            bot=self._bot,
            inbound=inbound,
            raw=without_secrets(arrival.raw),
            reason=arrival.error,
            urgent=inbound is not None and is_urgent(inbound),
            settles_s=self._settles_s(inbound),
        )

    def _settles_s(self, inbound: Inbound | None) -> float:
        """For so long it waits for what may belong to it."""
        if not isinstance(inbound, InboundMessage) or inbound.is_overheard or is_urgent(inbound):
            return 0.0
        return max(self._burst_s, _ALBUM_S) if inbound.album else self._burst_s

    async def _kept(self, inbound: Inbound) -> Inbound | None:
        """As it is stored, at the place where it is taken care of; None where it is not for us."""
        if isinstance(inbound, InboundMessage):
            return await self._heard(inbound)
        if isinstance(inbound, Move):
            return inbound
        return await self._about_a_message(inbound)

    async def _heard(self, message: InboundMessage) -> InboundMessage | None:
        early = self._early.of(message)
        if isinstance(early, Deletion):
            return None
        if early is not None:
            message = replace(message, text=early.text)
        attention = self._policy.attention(message)
        if attention is Attention.IGNORE:
            return None
        received = self._policy.received(message)
        if attention is Attention.FOLLOW_UP:
            since = self._policy.expires_before(message.session_key, datetime.now(UTC))
            is_for_us = self._is_called_at(received.session_key) or await self._inbox.is_talking(
                received.session_key, since
            )
            attention = Attention.ANSWER if is_for_us else self._policy.aside(message)
        if attention is Attention.OVERHEAR:
            return replace(received, is_overheard=True)
        return received if attention is Attention.ANSWER else None

    def _is_called_at(self, key: SessionKey) -> bool:
        """Whether a message that is being stored begins a dialogue there."""
        return any(one.session_key == key and not one.is_overheard for one in self._arriving.values())

    async def _about_a_message(self, inbound: Edit | Deletion | Feedback) -> Inbound | None:
        """What is about a message that is not kept is nobody's business; nor what comes from somebody shut out."""
        key = inbound.session_key
        message = self._arriving.get((key.channel, inbound.message_id))
        place = message.session_key if message else await self._inbox.place_of_message(key, inbound.message_id)
        if place is None and isinstance(inbound, Feedback):
            place = await self._place_of_new_reply(inbound)
        if place is None:
            if isinstance(inbound, Edit | Deletion):
                self._early.keep(inbound)
            return None
        if isinstance(inbound, Feedback) and not self._policy.admits(place, inbound.person, inbound.roles):
            return None
        if isinstance(inbound, Edit):
            # edits don't tell the roles of who makes them, by which they may be allowed
            if self._policy.access.denies(place, inbound.person, frozenset()):
                return None
            inbound = self._policy.corrected(inbound)
        return replace(inbound, session_key=place)

    async def _place_of_new_reply(self, said: Feedback) -> SessionKey | None:
        """It may be about a reply that is so new that its messages are not known yet; then it waits for its end."""
        key = said.session_key
        if said.opinion is Opinion.STOP or await self._inbox.is_replying(key):
            return key
        return await self._inbox.place_of_message(key, said.message_id)  # it may have ended in between


def _cleaned(arrival: Arrival) -> Arrival:
    """Texts without what no database, prompt or screen can hold. An id is never changed: it would be another one."""
    inbound = arrival.inbound
    if inbound is None:
        return arrival
    if not is_storable("".join(_ids(inbound))):
        return replace(arrival, inbound=None, error="an id holds a NUL or half of a character")
    if isinstance(inbound, InboundMessage | Edit | Feedback):
        name = clean_text(inbound.person.name)
        if name != inbound.person.name:
            inbound = replace(inbound, person=replace(inbound.person, name=name))
    if isinstance(inbound, InboundMessage) and inbound.attachments:
        inbound = replace(inbound, attachments=tuple(_cleaned_file(file) for file in inbound.attachments))
    if isinstance(inbound, InboundMessage | Edit):
        text = clean_text(inbound.text)
        if text != inbound.text:
            inbound = replace(inbound, text=text)
    if isinstance(inbound, InboundMessage) and inbound.quotes:
        inbound = replace(inbound, quotes=clean_text(inbound.quotes)[:_QUOTED_CHARS])
    return arrival if inbound is arrival.inbound else replace(arrival, inbound=inbound)


def _cleaned_file(file: Attachment) -> Attachment:
    return replace(file, name=clean_text(file.name), media_type=clean_text(file.media_type))


def _ids(inbound: Inbound) -> Iterator[str]:
    yield from inbound.session_key.words
    yield from inbound.event_key.words
    if isinstance(inbound, InboundMessage):
        yield inbound.reply_to_id
        yield inbound.album
        for file in inbound.attachments:
            yield file.handle
    if isinstance(inbound, InboundMessage | Feedback):
        yield from inbound.roles
    if isinstance(inbound, InboundMessage | Edit | Feedback):
        yield from (inbound.person.workspace, inbound.person.platform_id)


def _one_late_message_a_channel(entries: Sequence[Entry]) -> list[Entry]:
    """The newest; what is merely overheard gets no answer, and is not in the way."""
    newest = {_late_in(entry.inbound): entry for entry in entries}
    return [entry for entry in entries if (channel := _late_in(entry.inbound)) is None or newest[channel] is entry]


def _late_in(inbound: Inbound | None) -> tuple[str, str] | None:
    """Where somebody spoke too long ago; None of everything else."""
    if isinstance(inbound, InboundMessage) and inbound.is_late and not inbound.is_overheard:
        return inbound.session_key.workspace, inbound.session_key.channel
    return None


def _message_of(inbound: Inbound | None) -> dict[tuple[str, str], InboundMessage]:
    if not isinstance(inbound, InboundMessage):
        return {}
    return {(inbound.session_key.channel, inbound.message_id): inbound}


def is_urgent(inbound: Inbound) -> bool:
    if isinstance(inbound, InboundMessage):
        said = parse(inbound.text)
        return isinstance(said, Command) and said.name in _URGENT_COMMANDS and not inbound.is_overheard
    if isinstance(inbound, Feedback):
        return inbound.opinion in _URGENT_OPINIONS
    return inbound.event_key.kind in (Kind.EDIT, Kind.DELETION, Kind.MOVE)
