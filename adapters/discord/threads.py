"""Where a reply's messages stand: in a channel, or in a thread, which may not be there yet.

A question in a channel's root is answered in a thread that is made from its message and has its id. Where none may be
made, the reply stands in the channel itself, below the question.
"""

import re
from collections import OrderedDict
from dataclasses import dataclass

from discord.http import Route

from adapters.discord.api import DiscordRest
from adapters.discord.outbound import PLACEHOLDER
from adapters.discord.paced_http import Manner
from adapters.discord.refusals import NO_THREAD, NOT_SEEN, THREAD_IS_THERE, Refused
from adapters.payloads import text_in
from adapters.remembered import keep
from core.dialogue import SessionKey
from core.errors import MessageGone, PlatformError

_MESSAGE = "/channels/{channel_id}/messages/{message_id}"
_THREADS_OF = f"{_MESSAGE}/threads"
#: Minutes without a message after which Discord puts a thread away.
_ARCHIVED_AFTER = 1440
_LONGEST_NAME_CHARS = 100
_FIRST_NAME_CHARS = 60
#: A mention, a channel, an emoji of the server's.
_SIGN = re.compile(r"<(?:@[!&]?|#|a?:\w+:)\d+>")


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a message of a reply goes."""

    #: A thread's own id, where it is one.
    channel: str
    #: The message that it replies to, which stands in the same channel; "" for none, None where it is not known.
    reference: str | None = ""
    #: Snowflake: an own message before it is none of the reply.
    after: str = ""


class Threads:
    """Of one account. Methods that ask raise PlatformError."""

    def __init__(self, rest: DiscordRest) -> None:
        self._rest = rest
        #: Threads that are there, by their ids, with their names where those are known.
        self._there: OrderedDict[str, str] = OrderedDict()
        #: Threads that can't be made: what belongs there stands in the channel.
        self._refused: OrderedDict[str, None] = OrderedDict()

    def spot(self, key: SessionKey, reply_to_id: str) -> Spot:
        """As far as it is known; no thread is made."""
        if key.thread and key.thread not in self._refused:
            reference = reply_to_id if reply_to_id != key.thread else ""
            return Spot(key.thread, reference, reply_to_id)
        return self.root(key, reply_to_id)

    def root(self, key: SessionKey, reply_to_id: str) -> Spot:
        return Spot(key.channel, reply_to_id, reply_to_id)

    def begins(self, key: SessionKey, reply_to_id: str) -> bool:
        """Whether the thread is one that is made of the question, if anybody makes it."""
        return bool(key.thread) and key.thread == reply_to_id

    def may_be_elsewhere(self, key: SessionKey, reply_to_id: str) -> bool:
        """Whether what belongs to the thread may stand in its channel, for all that is known."""
        return self.begins(key, reply_to_id) and key.thread not in self._refused

    def is_there(self, key: SessionKey, reply_to_id: str) -> bool:
        """As far as it is known."""
        return not self.begins(key, reply_to_id) or key.thread in self._there

    async def made(self, key: SessionKey, reply_to_id: str) -> Spot:
        """Where the reply goes; the thread is there by then."""
        if not self.is_there(key, reply_to_id) and key.thread not in self._refused:
            await self._make(key, "")
        return self.spot(key, reply_to_id)

    def found(self, key: SessionKey) -> None:
        """The thread is there, whatever its name."""
        keep(self._there, key.thread, "")

    def give_up(self, key: SessionKey) -> None:
        """Nothing can be said in the thread."""
        self._there.pop(key.thread, None)
        keep(self._refused, key.thread, None)

    async def name(self, key: SessionKey, title: str) -> None:
        """Gives the thread that name, and makes it where it is not there yet."""
        name = " ".join(title.split())[:_LONGEST_NAME_CHARS]
        if not name or not key.thread or key.thread in self._refused:
            return
        if key.thread not in self._there:
            await self._make(key, name)
        if key.thread in self._there and self._there[key.thread] != name:
            await self._change(key.thread, {"name": name})
            keep(self._there, key.thread, name)

    async def wake(self, channel: str) -> None:
        """A thread that was put away takes changes again."""
        await self._change(channel, {"archived": False})

    async def _change(self, channel: str, told: dict[str, object]) -> None:
        route = Route("PATCH", "/channels/{channel_id}", channel_id=channel)
        await self._rest.request(route, json=told, manner=Manner.SENT)

    async def _make(self, key: SessionKey, name: str) -> None:
        route = Route("POST", _THREADS_OF, channel_id=key.channel, message_id=key.thread)
        name = name or await self._first_name(key)
        told = {"name": name, "auto_archive_duration": _ARCHIVED_AFTER}
        try:
            await self._rest.request(route, json=told, manner=Manner.SENT)
        except Refused as refused:
            if refused.code != THREAD_IS_THERE and refused.code not in NO_THREAD:
                raise
            is_there, name = refused.code == THREAD_IS_THERE or await self._is_seen(key.thread), ""
        except MessageGone:  # the question was deleted; or it began a forum's post, and stands in the thread itself
            is_there, name = await self._is_seen(key.thread), ""
        else:
            is_there = True
        if is_there:
            keep(self._there, key.thread, name)
        else:
            self.give_up(key)

    async def _is_seen(self, channel: str) -> bool:
        route = Route("GET", "/channels/{channel_id}", channel_id=channel)
        try:
            await self._rest.request(route, manner=Manner.SENT)
        except Refused as refused:
            if refused.code not in NOT_SEEN:
                raise
            return False
        return True

    async def _first_name(self, key: SessionKey) -> str:
        """The question's first line, until the thread is named by those who understand it."""
        route = Route("GET", _MESSAGE, channel_id=key.channel, message_id=key.thread)
        try:
            question = await self._rest.request(route, manner=Manner.SENT)
        except PlatformError:
            return PLACEHOLDER
        lines = (" ".join(line.split()) for line in _SIGN.sub(" ", text_in(question, "content")).splitlines())
        line = next((line for line in lines if line), PLACEHOLDER)
        if len(line) <= _FIRST_NAME_CHARS:
            return line
        cut = line[: _FIRST_NAME_CHARS - 1]
        return f"{cut[: cut.rfind(' ')] if ' ' in cut[_FIRST_NAME_CHARS // 2 :] else cut}{PLACEHOLDER}"
