"""Speaks to Discord: messages that are sent, and changed as they grow.

Every message carries a nonce that is the same at every try, and Discord gives the first message back for a while. Later
it is looked for: by its buttons, which name the part, or by what it says.
"""

import contextlib
from collections import OrderedDict
from enum import StrEnum

from discord.http import Route

from adapters.discord.api import DiscordRest
from adapters.discord.bodies import Bodies
from adapters.discord.buttons import Buttons
from adapters.discord.files import read_file
from adapters.discord.interaction_replies import InteractionReplies, Over, Way, is_for_one, way_of
from adapters.discord.interaction_tokens import InteractionTokens
from adapters.discord.outbound import LONG_LIMIT_CHARS
from adapters.discord.paced_http import Manner
from adapters.discord.places import is_elsewhere
from adapters.discord.posts import Posts
from adapters.discord.read_back import ReadBack
from adapters.discord.refusals import MAY_NOT_WRITE, NO_TEXT_CHANNEL, UNKNOWN_CHANNEL, Refused
from adapters.discord.reply_ids import ReplyId, reply_id
from adapters.discord.threads import Spot, Threads
from adapters.remembered import keep
from core.dialogue import Attachment, SessionKey
from core.errors import MessageGone, PlatformRefused
from core.ports import Capabilities, Outgoing

#: Least time between two changes of one reply, and the most that Discord's headers stretch it to.
EDIT_INTERVAL_S = 1.2
_LONGEST_INTERVAL_S = 10.0
#: Discord shows for ten seconds that somebody writes.
_TYPING_INTERVAL_S = 8.0
SEND_TIMEOUT_S = 30.0


class LongReplies(StrEnum):
    """How a reply is sent that does not fit one message."""

    PARTS = "parts"
    #: Its beginning, with the whole of it as a file.
    FILE = "file"


class DiscordSender:
    """Implements `Sender`, for one bot."""

    def __init__(
        self,
        rest: DiscordRest,
        tokens: InteractionTokens,
        buttons: Buttons,
        long_replies: LongReplies = LongReplies.PARTS,
    ) -> None:
        self._rest = rest
        self._long_replies = long_replies
        bodies = Bodies(buttons)
        self._threads = Threads(rest)
        self._posts = Posts(rest, bodies, self._threads)
        self._replies = InteractionReplies(rest, tokens, bodies)
        self._read_back = ReadBack(rest, buttons)
        #: Message → the nonce of the part that it is.
        self._parts: OrderedDict[str, str] = OrderedDict()

    def capabilities(self, key: SessionKey) -> Capabilities:
        """Where the bot is not in the channel it can say no more than one message."""
        is_long = is_elsewhere(key) or self._long_replies is LongReplies.FILE
        channel = key.thread or key.channel
        change = Route("PATCH", "/channels/{channel_id}/messages/{message_id}", channel_id=channel, message_id="0")
        return Capabilities(
            edits=True,
            idempotent_send=True,
            read_back=True,
            edit_interval_s=min(max(EDIT_INTERVAL_S, self._rest.window_s(change)), _LONGEST_INTERVAL_S),
            typing_interval_s=0.0 if is_elsewhere(key) else _TYPING_INTERVAL_S,
            names_threads=bool(key.thread),
            limit_chars=LONG_LIMIT_CHARS if is_long else 0,
            send_timeout_s=SEND_TIMEOUT_S,
        )

    async def open(self, part: Outgoing) -> str:
        reply = reply_id(part.reply_to_id)
        handle = await (self._open(part) if reply is None else self._open_answer(reply, part))
        keep(self._parts, handle, part.nonce)
        return handle

    async def _open(self, part: Outgoing) -> str:
        """In the channel, where nothing can be said in a thread that was made for the question."""
        key, threads = part.session_key, self._threads
        try:
            return await self._posts.post(await threads.made(key, part.reply_to_id), part)
        except Refused as refused:
            if refused.code not in MAY_NOT_WRITE or not threads.may_be_elsewhere(key, part.reply_to_id):
                raise
        threads.give_up(key)
        return await self._posts.post(threads.spot(key, part.reply_to_id), part)

    async def _open_answer(self, reply: ReplyId, part: Outgoing) -> str:
        """In the channel, where Discord's time for the interaction is over."""
        is_alone = is_for_one(reply, part.session_key)
        if way_of(reply, part) is not Way.CHANNEL:
            try:
                return await self._replies.open(reply, part)
            except MessageGone:
                if is_alone:
                    return await self._replies.follow_up(reply, part)
            except Over:
                if is_alone:
                    raise
        return await self._posts.post(await self._beside(reply, part), part)

    async def _beside(self, reply: ReplyId, part: Outgoing) -> Spot:
        """In the channel, below what the interaction was answered first."""
        goes_on = part.part and reply.beside is None
        original = await self._replies.original(reply) if goes_on else ""
        return Spot(_channel_of(part.session_key), original, reply.interaction)

    async def update(self, handle: str, part: Outgoing) -> None:
        """One that was deleted is told of when the part is whole."""
        if self._posts.is_gone(handle):
            return
        with contextlib.suppress(MessageGone):
            await self._edit(handle, part, Manner.SHOWN)

    async def append(self, handle: str, part: Outgoing, text: str) -> None:
        """Discord has no streams."""
        await self.update(handle, part)

    async def show_work(self, handle: str, part: Outgoing, status: str) -> None:
        """It is shown as typing."""

    async def close(self, handle: str, part: Outgoing) -> None:
        if self._posts.is_gone(handle):
            raise MessageGone("the message was deleted")
        await self._edit(handle, part, Manner.SENT)

    async def _edit(self, handle: str, part: Outgoing, manner: Manner) -> None:
        key, reply = part.session_key, reply_id(part.reply_to_id)
        if reply is not None:
            if await self._edit_answer(reply, handle, part, manner):
                return
            await self._posts.edit(_channel_of(key), handle, part, manner)
            return
        try:
            await self._posts.edit(self._threads.spot(key, part.reply_to_id).channel, handle, part, manner)
        except PlatformRefused as refused:
            if not self._may_be_in_root(refused, part):
                raise
        else:
            return
        await self._posts.edit(key.channel, handle, part, manner)
        self._threads.give_up(key)

    async def _edit_answer(self, reply: ReplyId, handle: str, part: Outgoing, manner: Manner) -> bool:
        """Whether it was changed by the interaction's token."""
        if not self._replies.may_be(reply, part, handle):
            return False
        try:
            await self._replies.edit(reply, handle, part, manner)
        except (MessageGone, Over):
            if is_for_one(reply, part.session_key):
                raise
            return False
        return True

    def _may_be_in_root(self, refused: PlatformRefused, part: Outgoing) -> bool:
        """Whether an earlier process may have said it in the channel, since it could make no thread."""
        is_missing = isinstance(refused, MessageGone) or getattr(refused, "code", 0) == UNKNOWN_CHANNEL
        return is_missing and self._threads.may_be_elsewhere(part.session_key, part.reply_to_id)

    async def find(self, part: Outgoing) -> str | None:
        reply = reply_id(part.reply_to_id)
        handle = await (self._find(part) if reply is None else self._find_answer(reply, part))
        if handle is not None:
            keep(self._parts, handle, part.nonce)
        return handle

    async def _find(self, part: Outgoing) -> str | None:
        key, threads = part.session_key, self._threads
        found = await self._look(threads.spot(key, part.reply_to_id), part)
        if found is None and threads.may_be_elsewhere(key, part.reply_to_id):
            found = await self._look(threads.root(key, part.reply_to_id), part)
            if found is not None:
                threads.give_up(key)
        return found

    async def _find_answer(self, reply: ReplyId, part: Outgoing) -> str | None:
        """What goes to the interaction's own place goes there again: it is the same message. Where somebody took that
        away, it may stand in the channel.
        """
        is_own = way_of(reply, part) is not Way.CHANNEL
        if is_own and is_for_one(reply, part.session_key):
            return None
        try:
            return await self._look(Spot(_channel_of(part.session_key), None, reply.interaction), part)
        except PlatformRefused:
            if is_own and await self._replies.is_open(reply):  # its own place can be had where the bot may read nothing
                return None
            raise

    async def _look(self, spot: Spot, part: Outgoing) -> str | None:
        return await self._read_back.find(spot, part, lambda one: self._parts.get(one, part.nonce) != part.nonce)

    async def withdraw(self, handle: str, part: Outgoing) -> None:
        key, reply = part.session_key, reply_id(part.reply_to_id)
        if reply is not None and self._replies.may_be(reply, part, handle):
            with contextlib.suppress(MessageGone, Over):
                await self._replies.delete(reply, handle)
                return
            if is_for_one(reply, key):
                return
        channel = _channel_of(key) if reply is not None else self._threads.spot(key, part.reply_to_id).channel
        await self._posts.delete(channel, handle)

    async def show_typing(self, key: SessionKey, reply_to_id: str, status: str) -> None:
        """Below an interaction Discord shows it by itself. No thread is made for it; a forum's post is one already."""
        if is_elsewhere(key) or reply_id(reply_to_id) is not None:
            return
        if self._threads.is_there(key, reply_to_id):
            await self._type(self._threads.spot(key, reply_to_id).channel)
            return
        try:
            await self._type(key.channel)
        except Refused as refused:
            if refused.code != NO_TEXT_CHANNEL:
                raise
            await self._type(key.thread)
            self._threads.found(key)

    async def _type(self, channel: str) -> None:
        await self._rest.request(
            Route("POST", "/channels/{channel_id}/typing", channel_id=channel), manner=Manner.SHOWN
        )

    async def end_typing(self, key: SessionKey, reply_to_id: str) -> None:
        """It ends by itself, at once where a message comes."""

    async def read(self, key: SessionKey, attachment: Attachment, limit_bytes: int) -> bytes:
        return await read_file(self._rest, attachment.handle, limit_bytes)

    async def name_thread(self, key: SessionKey, title: str) -> None:
        await self._threads.name(key, title)


def _channel_of(key: SessionKey) -> str:
    return key.thread or key.channel
