"""Was a part sent already? The channel is read behind the question.

Discord takes a nonce for a few minutes, and need not tell it afterwards. So a message is known by its buttons, which
name the part, or else by what it says and replies to: one without buttons was whole when it was sent.
"""

from collections.abc import AsyncIterator, Callable, Mapping

from discord.http import Route

from adapters.discord.api import DiscordRest
from adapters.discord.buttons import Buttons
from adapters.discord.outbound import said
from adapters.discord.paced_http import Manner
from adapters.discord.refusals import UNKNOWN_CHANNEL, Refused
from adapters.discord.snowflakes import number_in
from adapters.discord.threads import Spot
from adapters.payloads import list_in, text_in
from core.ports import Outgoing

_PAGE = 100
#: A channel in which more was said behind a question is not read to its end.
_MOST_PAGES = 10

#: Whether the message is known to be another part.
IsAnothers = Callable[[str], bool]


class ReadBack:
    """Of one account."""

    def __init__(self, rest: DiscordRest, buttons: Buttons) -> None:
        self._rest = rest
        self._buttons = buttons

    async def find(self, spot: Spot, part: Outgoing, is_anothers: IsAnothers) -> str | None:
        """Its handle; None where it is not there. Raises PlatformError."""
        equal = None
        async for message in self._said_since(spot):
            handle = text_in(message, "id")
            if text_in(message, "author", "id") != part.session_key.bot or not handle:
                continue
            if self._is_named(message, part, spot.channel):
                return handle
            if equal is None and not is_anothers(handle) and _is_equal(message, part, spot):
                equal = handle
        return equal

    def _is_named(self, message: object, part: Outgoing, channel: str) -> bool:
        if text_in(message, "nonce").rstrip("~") == part.nonce:
            return True
        return any(self._buttons.names(custom_id, part, channel) for custom_id in _custom_ids(message))

    async def _said_since(self, spot: Spot) -> AsyncIterator[Mapping[str, object]]:
        """Oldest first; where nobody was answered, the newest messages alone."""
        after = int(spot.after) if spot.after.isdecimal() else 0
        for _ in range(_MOST_PAGES if after else 1):
            page = await self._page(spot.channel, after)
            for message in sorted(page, key=lambda one: number_in(one, "id")):
                yield message
            after = max((number_in(message, "id") for message in page), default=after)
            if len(page) < _PAGE:
                return

    async def _page(self, channel: str, after: int) -> list[Mapping[str, object]]:
        params: dict[str, str | int] = {"limit": _PAGE} | ({"after": str(after)} if after else {})
        route = Route("GET", "/channels/{channel_id}/messages", channel_id=channel)
        try:
            page = await self._rest.request(route, params=params, manner=Manner.SENT)
        except Refused as refused:
            if refused.code == UNKNOWN_CHANNEL:
                return []
            raise
        return [message for message in list_in({"page": page}, "page") if isinstance(message, Mapping)]


def _custom_ids(message: object) -> list[str]:
    rows = list_in(message, "components")
    return [text_in(button, "custom_id") for row in rows for button in list_in(row, "components")]


def _is_equal(message: object, part: Outgoing, spot: Spot) -> bool:
    """What has buttons names its part, so it is another one."""
    if _custom_ids(message) or text_in(message, "content") != said(part):
        return False
    replied = text_in(message, "message_reference", "message_id")
    return spot.reference is None or replied in ("", spot.reference)
