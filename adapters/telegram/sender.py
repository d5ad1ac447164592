"""Speaks to Telegram: a placeholder first, then all content by edits, which can be made again.

A message that says already what it is to say is success. One that a person deleted while it was written is not written
any more; the core is told when its text is whole, for the answer is owed all the same.
"""

import contextlib
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from hashlib import blake2s
from typing import TypeVar

import telegram
from telegram import InlineKeyboardMarkup, LinkPreviewOptions, MessageEntity, ReplyParameters
from telegram.constants import ChatAction
from telegram.error import ChatMigrated
from telegramify_markdown import MessageEntity as Entity

from adapters.graphemes import grapheme_starts
from adapters.telegram.api import EntitiesRefused, NothingChanged, read_file, translated
from adapters.telegram.buttons import Buttons
from adapters.telegram.capabilities import capabilities, is_group
from adapters.telegram.outbound import Formatted, formatted
from adapters.telegram.pace import Pace
from adapters.telegram.places import message_name, message_number, topic_of
from core.dialogue import Attachment, SessionKey
from core.errors import MessageGone, PlatformRefused
from core.ports import Capabilities, Outgoing

logger = logging.getLogger(__name__)

_Key = TypeVar("_Key")
_Value = TypeVar("_Value")

_NO_PREVIEW = LinkPreviewOptions(is_disabled=True)
_LONGEST_TITLE_CHARS = 128
_REMEMBERED = 1000


@dataclass(frozen=True, slots=True)
class SenderOptions:
    #: In private chats what is written is shown as a draft beside its placeholder; clients draw that in their own ways.
    drafts: bool = False


class TelegramSender:
    """Implements `Sender`, for one account."""

    def __init__(
        self,
        bot: telegram.Bot,
        buttons: Buttons,
        moved: Callable[[str, str], None],
        options: SenderOptions = SenderOptions(),
        pace: Pace | None = None,
    ) -> None:
        """`moved` is told of a group's old and new id."""
        self._bot = bot
        self._buttons = buttons
        self._moved = moved
        self._options = options
        self._pace = Pace() if pace is None else pace
        #: Channel and handle of messages that were deleted.
        self._gone: OrderedDict[tuple[str, str], None] = OrderedDict()
        #: Chats that take no drafts.
        self._draftless: OrderedDict[str, None] = OrderedDict()

    def capabilities(self, key: SessionKey) -> Capabilities:
        return capabilities(key)

    async def open(self, part: Outgoing) -> str:
        return message_name(part.session_key, await self._send(part))

    async def update(self, handle: str, part: Outgoing) -> None:
        if self._is_gone(handle, part):
            return
        if self._takes_drafts(part.session_key):
            await self._draft(part)
            return
        try:
            await self._edit(handle, part, is_urgent=False)
        except MessageGone:
            _keep(self._gone, (part.session_key.channel, handle), None)

    async def append(self, handle: str, part: Outgoing, text: str) -> None:
        """Telegram has no native stream."""
        await self.update(handle, part)

    async def show_work(self, handle: str, part: Outgoing, status: str) -> None:
        """Telegram has no native stream."""

    async def close(self, handle: str, part: Outgoing) -> None:
        if self._is_gone(handle, part):
            raise MessageGone("the message was deleted")
        await self._edit(handle, part, is_urgent=True)

    async def find(self, part: Outgoing) -> str | None:
        """Telegram gives no history out."""
        return None

    async def withdraw(self, handle: str, part: Outgoing) -> None:
        key, number = part.session_key, message_number(handle)
        async with self._pace.turn(key.channel, part.token, is_urgent=True):
            with contextlib.suppress(MessageGone), self._calling(key):
                if key.workspace:
                    await self._bot.delete_business_messages(key.workspace, [number])
                else:
                    await self._bot.delete_message(key.channel, number)

    async def show_typing(self, key: SessionKey, reply_to_id: str, status: str) -> None:
        topic, direct_topic = topic_of(key.thread)
        if direct_topic is not None or self._pace.rests(key.channel):  # a channel's messages show no typing
            return
        with self._calling(key):
            await self._bot.send_chat_action(
                key.channel, ChatAction.TYPING, topic, business_connection_id=key.workspace or None
            )

    async def end_typing(self, key: SessionKey, reply_to_id: str) -> None:
        """It ends by itself, with the next message or after five seconds."""

    async def read(self, key: SessionKey, attachment: Attachment, limit_bytes: int) -> bytes:
        return await read_file(self._bot, attachment.handle, limit_bytes)

    async def name_thread(self, key: SessionKey, title: str) -> None:
        """As well as it goes: in a group the bot may not be allowed to, and nobody waits for it."""
        topic, name = topic_of(key.thread)[0], _cut(" ".join(title.split()))
        if topic is None or not name:
            return
        try:
            with self._calling(key):
                await self._bot.edit_forum_topic(key.channel, topic, name)
        except PlatformRefused as refusal:
            logger.info("a topic was not named: %s", refusal, extra={"action": "name"})

    async def _send(self, part: Outgoing) -> int:
        words = formatted(part.markdown)
        try:
            return await self._post(part, words)
        except EntitiesRefused:
            return await self._post(part, Formatted(words.text))
        except MessageGone:  # in some places a reply to what was deleted is refused all the same
            return await self._post(replace(part, reply_to_id=""), words)

    async def _edit(self, handle: str, part: Outgoing, *, is_urgent: bool) -> None:
        """Raises MessageGone."""
        words, number = formatted(part.markdown), message_number(handle)
        try:
            await self._rewrite(number, part, words, is_urgent=is_urgent)
        except EntitiesRefused:
            await self._rewrite(number, part, Formatted(words.text), is_urgent=is_urgent)

    async def _post(self, part: Outgoing, words: Formatted) -> int:
        key = part.session_key
        topic, direct_topic = topic_of(key.thread)
        async with self._pace.turn(key.channel, part.token, is_urgent=True):
            with self._calling(key):
                message = await self._bot.send_message(
                    key.channel,
                    words.text,
                    entities=_entities(words.entities),
                    link_preview_options=_NO_PREVIEW,
                    reply_markup=self._below(part),
                    reply_parameters=_reply_parameters(part),
                    message_thread_id=topic,
                    direct_messages_topic_id=direct_topic,
                    business_connection_id=key.workspace or None,
                    disable_notification=part.part > 0,
                )
        return message.message_id

    async def _rewrite(self, number: int, part: Outgoing, words: Formatted, *, is_urgent: bool) -> None:
        key = part.session_key
        async with self._pace.turn(key.channel, part.token, is_urgent=is_urgent):
            with contextlib.suppress(NothingChanged), self._calling(key):
                await self._bot.edit_message_text(
                    words.text,
                    key.channel,
                    number,
                    entities=_entities(words.entities),
                    link_preview_options=_NO_PREVIEW,
                    reply_markup=self._below(part),
                    business_connection_id=key.workspace or None,
                )

    async def _draft(self, part: Outgoing) -> None:
        key, words = part.session_key, formatted(part.markdown)
        try:
            async with self._pace.turn(key.channel, part.token, is_urgent=False):
                with self._calling(key):
                    await self._bot.send_message_draft(
                        int(key.channel),
                        _draft_id(part),
                        words.text,
                        topic_of(key.thread)[0],
                        entities=_entities(words.entities),
                    )
        except PlatformRefused as refusal:  # what is wrong with the chat itself is told by the next edit
            logger.info("a chat takes no drafts: %s", refusal, extra={"action": "show"})
            _keep(self._draftless, key.channel, None)

    def _takes_drafts(self, key: SessionKey) -> bool:
        is_private = not is_group(key.channel) and not key.workspace
        return self._options.drafts and is_private and key.channel not in self._draftless

    def _below(self, part: Outgoing) -> InlineKeyboardMarkup | None:
        """The buttons of a part that has a successor go away."""
        if not part.is_drawn or (part.is_closed and not part.is_last):
            return None
        if part.is_closed:
            return self._buttons.below(part.session_key, part.token)
        return self._buttons.while_written(part.session_key, part.token)

    def _is_gone(self, handle: str, part: Outgoing) -> bool:
        return (part.session_key.channel, handle) in self._gone

    @contextlib.contextmanager
    def _calling(self, key: SessionKey) -> Iterator[None]:
        with translated():
            try:
                yield
            except ChatMigrated as migrated:
                self._moved(key.channel, str(migrated.new_chat_id))
                raise


def _keep(known: "OrderedDict[_Key, _Value]", key: _Key, value: _Value) -> None:
    known[key] = value
    known.move_to_end(key)
    while len(known) > _REMEMBERED:
        known.popitem(last=False)


def _entities(entities: Sequence[Entity]) -> list[MessageEntity] | None:
    told = [
        MessageEntity(entity.type, entity.offset, entity.length, url=entity.url, language=entity.language)
        for entity in entities
    ]
    return told or None


def _reply_parameters(part: Outgoing) -> ReplyParameters | None:
    """In a group every part is a reply: that is what keeps it below a channel's post, or in a chain of replies."""
    if not part.reply_to_id or (part.part > 0 and not is_group(part.session_key.channel)):
        return None
    return ReplyParameters(message_number(part.reply_to_id), allow_sending_without_reply=True)


def _draft_id(part: Outgoing) -> int:
    """The same at every try, and never 0."""
    return int.from_bytes(blake2s(part.nonce.encode(), digest_size=4).digest()) >> 1 or 1


def _cut(title: str) -> str:
    """A title that Telegram takes."""
    if len(title) <= _LONGEST_TITLE_CHARS:
        return title
    ends = [start for start in grapheme_starts(title) if start < _LONGEST_TITLE_CHARS]
    return title[: ends[-1]].rstrip() + "…"
