"""Messages in channels and threads that are sent, changed and deleted."""

import contextlib
from collections import OrderedDict
from collections.abc import Mapping

from discord.http import Route

from adapters.discord.api import DiscordRest
from adapters.discord.bodies import Bodies, usual_flags
from adapters.discord.paced_http import Manner
from adapters.discord.refusals import ARCHIVED, NO_HISTORY, Gone, Refused
from adapters.discord.threads import Spot, Threads
from adapters.payloads import text_in
from adapters.remembered import keep
from core.errors import MessageGone, PlatformAway, SendUnclear
from core.ports import Outgoing

_MESSAGES = "/channels/{channel_id}/messages"
_MESSAGE = "/channels/{channel_id}/messages/{message_id}"
#: After a message of the same part that somebody deleted: Discord would look for that one.
_ONCE_MORE = "~"


class Posts:
    """All methods raise PlatformError."""

    def __init__(self, rest: DiscordRest, bodies: Bodies, threads: Threads) -> None:
        self._rest = rest
        self._bodies = bodies
        self._threads = threads
        #: Messages that somebody deleted.
        self._gone: OrderedDict[str, None] = OrderedDict()

    def is_gone(self, handle: str) -> bool:
        """As far as it is known."""
        return handle in self._gone

    async def post(self, spot: Spot, part: Outgoing) -> str:
        """Gives its handle; the same one where it was sent a short while ago, even if it was deleted since."""
        for nonce in (part.nonce, part.nonce + _ONCE_MORE):
            with contextlib.suppress(Gone):
                handle = await self._post(spot, part, nonce)
                if handle not in self._gone:
                    return handle
        raise PlatformAway("somebody deletes what is sent there")  # and may leave off

    async def _post(self, spot: Spot, part: Outgoing, nonce: str) -> str:
        """The question is not pointed at where the bot may not read what was said before."""
        named = {"nonce": nonce, "enforce_nonce": True}
        try:
            return await self._send(spot.channel, part, named | _reference(spot))
        except Refused as refused:
            if refused.code != NO_HISTORY or not spot.reference:
                raise
        return await self._send(spot.channel, part, named)

    async def _send(self, channel: str, part: Outgoing, more: Mapping[str, object]) -> str:
        route = Route("POST", _MESSAGES, channel_id=channel)
        return handle_in(await self._bodies.of(part, channel, usual_flags(part), more).go(self._rest, route))

    async def edit(self, channel: str, handle: str, part: Outgoing, manner: Manner = Manner.SENT) -> None:
        """A thread that was put away is opened again."""
        try:
            await self._edit(channel, handle, part, manner)
        except Gone:
            keep(self._gone, handle, None)
            raise

    async def _edit(self, channel: str, handle: str, part: Outgoing, manner: Manner) -> None:
        route = Route("PATCH", _MESSAGE, channel_id=channel, message_id=handle)
        body = self._bodies.of(part, channel, usual_flags(part))
        try:
            await body.go(self._rest, route, manner)
            return
        except Refused as refused:
            if refused.code != ARCHIVED:
                raise
        await self._threads.wake(channel)
        await body.go(self._rest, route, manner)

    async def delete(self, channel: str, handle: str) -> None:
        route = Route("DELETE", _MESSAGE, channel_id=channel, message_id=handle)
        try:
            await self._rest.request(route, manner=Manner.SENT)
        except MessageGone:
            return
        except Refused as refused:
            if refused.code != ARCHIVED:
                raise
            await self._threads.wake(channel)
            await self._rest.request(route, manner=Manner.SENT)


def handle_in(answer: object) -> str:
    """A message's id. Raises SendUnclear."""
    handle = text_in(answer, "id")
    if not handle:
        raise SendUnclear("Discord's answer could not be read")
    return handle


def _reference(spot: Spot) -> dict[str, object]:
    if not spot.reference:
        return {}
    return {"message_reference": {"message_id": spot.reference, "fail_if_not_exists": False}}
