"""The messages that people ask about, until their question comes.

Discord shows such a message once, with the choice in its menu. It is remembered for a while, and fetched where it is
not known any more; the bot may not be where it stands, and then a question goes without it.
"""

import contextlib
import logging
from collections import OrderedDict
from collections.abc import Mapping

from discord.http import Route

from adapters.discord.attachments import attachments_of
from adapters.discord.interactions import Target
from adapters.discord.mentions import Named, plain
from adapters.discord.rest import Rest
from adapters.payloads import NotUnderstood, found_in, list_in, text_in
from core.errors import PlatformError

logger = logging.getLogger(__name__)

_MOST = 1000
#: More than the core keeps of what is pointed at.
_TEXT_CHARS = 4000


class Targets:
    def __init__(self, rest: Rest, bot_id: str) -> None:
        self._rest = rest
        self._named = Named(bot_id, "", lambda _: "")
        #: By the id of the message; the longest known first.
        self._known: OrderedDict[str, Target] = OrderedDict()

    def show(self, message: Mapping[str, object], channel: str, message_id: str) -> Target:
        """One that Discord tells."""
        self._known[message_id] = target = _target_of(message, channel, self._named)
        self._known.move_to_end(message_id)
        while len(self._known) > _MOST:
            self._known.popitem(last=False)
        return target

    async def of(self, channel: str, message_id: str) -> Target:
        """Empty where it can't be had. Raises nothing but TimeoutError."""
        if message_id in self._known:
            return self._known[message_id]
        route = Route("GET", "/channels/{channel_id}/messages/{message_id}", channel_id=channel, message_id=message_id)
        try:
            message = await self._rest.request(route)
        except PlatformError as error:
            logger.info("a message that was asked about is not there: %s", error, extra={"action": "interaction"})
            return Target()
        return self.show(message, channel, message_id) if isinstance(message, Mapping) else Target()


def _target_of(message: Mapping[str, object], channel: str, named: Named) -> Target:
    """What of it can't be read is left out."""
    said = ""
    with contextlib.suppress(NotUnderstood):
        said = "\n".join(plain(words, message, named) for words in _words_in(message))
    with contextlib.suppress(NotUnderstood):
        return Target(said[:_TEXT_CHARS], attachments_of(message, channel))
    return Target(said[:_TEXT_CHARS])


def _words_in(message: Mapping[str, object]) -> list[str]:
    """Its own, those of messages that it passes on, and what stands in its frames."""
    shown = [message, *(found_in(shot, "message") for shot in list_in(message, "message_snapshots"))]
    told = [text_in(one, "content") for one in shown]
    for one in shown:
        for frame in list_in(one, "embeds"):
            told += [text_in(frame, "title"), text_in(frame, "description")]
    return [words for words in told if words]
