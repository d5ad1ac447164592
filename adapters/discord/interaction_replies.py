"""Answers to interactions, as long as Discord takes them: by the token that came with each, for 15 minutes.

An interaction keeps a place for one message, `@original`, that is changed as often as one likes. What does not fit it
goes to the channel, or to the asker alone as a follow-up, where the answer is theirs alone or the bot is not in the
channel. Follow-ups have no nonce and can't be looked for: one that was sent in doubt may be there twice.
"""

import time
from collections import OrderedDict
from enum import Enum

from discord.http import Route

from adapters.discord.api import DiscordRest
from adapters.discord.bodies import EPHEMERAL, Bodies
from adapters.discord.interaction_tokens import InteractionTokens
from adapters.discord.paced_http import Manner
from adapters.discord.places import is_elsewhere
from adapters.discord.posts import handle_in
from adapters.discord.refusals import INTERACTION_OVER, Refused
from adapters.discord.reply_ids import ReplyId
from adapters.payloads import text_in
from adapters.remembered import keep
from core.dialogue import SessionKey
from core.errors import MessageGone, PlatformAway, PlatformError, PlatformRefused, StorageError, TooLate
from core.ports import Outgoing

_ANSWERS = "/webhooks/{webhook_id}/{webhook_token}"
_ORIGINAL = "/webhooks/{webhook_id}/{webhook_token}/messages/@original"
_ANSWER = "/webhooks/{webhook_id}/{webhook_token}/messages/{message_id}"
#: Of the first try to answer it.
_ACKED_WITHIN_S = 4.0


class Way(Enum):
    """Where a part of an answer goes."""

    ORIGINAL = "original"
    FOLLOW_UP = "follow_up"
    CHANNEL = "channel"


class Over(TooLate):
    """Nothing can be answered by the interaction any more."""

    def __init__(self) -> None:
        super().__init__("the interaction is too old to be answered")


def way_of(reply: ReplyId, part: Outgoing) -> Way:
    is_absent = is_elsewhere(part.session_key)
    if part.part == 0 and (reply.beside is None or (is_absent and not reply.is_private)):
        return Way.ORIGINAL
    return Way.FOLLOW_UP if reply.is_private or is_absent else Way.CHANNEL


def is_for_one(reply: ReplyId, key: SessionKey) -> bool:
    """It can't be said in the channel: it is one person's alone, or the bot is not there."""
    return reply.is_private or is_elsewhere(key)


class InteractionReplies:
    """All methods raise PlatformError; Over where the time is over."""

    def __init__(self, rest: DiscordRest, tokens: InteractionTokens, bodies: Bodies) -> None:
        self._rest = rest
        self._tokens = tokens
        self._bodies = bodies
        #: Interaction → its `@original`.
        self._originals: OrderedDict[str, str] = OrderedDict()
        #: Interactions that Discord takes no answers to any more.
        self._over: OrderedDict[str, None] = OrderedDict()
        #: When each was tried first, by `time.monotonic`.
        self._tried_at: OrderedDict[str, float] = OrderedDict()

    async def open(self, reply: ReplyId, part: Outgoing) -> str:
        """Of what does not go to the channel. Raises MessageGone where somebody took `@original` away."""
        if way_of(reply, part) is not Way.ORIGINAL:
            return await self.follow_up(reply, part)
        handle = handle_in(await self._tell("PATCH", _ORIGINAL, reply, part))
        keep(self._originals, reply.interaction, handle)
        return handle

    async def follow_up(self, reply: ReplyId, part: Outgoing) -> str:
        return handle_in(await self._tell("POST", _ANSWERS, reply, part))

    async def edit(self, reply: ReplyId, handle: str, part: Outgoing, manner: Manner) -> None:
        await self._tell("PATCH", _ANSWER, reply, part, manner=manner, handle=handle)

    async def delete(self, reply: ReplyId, handle: str) -> None:
        await self._ask("DELETE", _ANSWER, reply, handle)

    async def original(self, reply: ReplyId) -> str:
        """The message that the interaction's first answer is; "" where that is not known."""
        if reply.interaction not in self._originals:
            try:
                answer = await self._ask("GET", _ORIGINAL, reply)
            except PlatformError:
                return ""
            keep(self._originals, reply.interaction, text_in(answer, "id"))
        return self._originals[reply.interaction]

    def may_be(self, reply: ReplyId, part: Outgoing, handle: str) -> bool:
        """Whether that message may be an answer of the interaction's own."""
        way = way_of(reply, part)
        return way is Way.FOLLOW_UP or (
            way is Way.ORIGINAL and self._originals.get(reply.interaction, handle) == handle
        )

    async def is_open(self, reply: ReplyId) -> bool:
        return reply.interaction not in self._over and bool(await self._token(reply))

    async def _tell(
        self, method: str, path: str, reply: ReplyId, part: Outgoing, *, manner: Manner = Manner.SENT, handle: str = ""
    ) -> object:
        key = part.session_key
        flags = EPHEMERAL if reply.is_private else 0
        body = self._bodies.of(part, key.thread or key.channel, flags)
        route = await self._route(method, path, reply, handle)
        try:
            return await body.go(self._rest, route, manner)
        except Refused as refused:
            raise self._meant(refused, reply) from None

    async def _ask(self, method: str, path: str, reply: ReplyId, handle: str = "") -> object:
        route = await self._route(method, path, reply, handle)
        try:
            return await self._rest.request(route, manner=Manner.SENT)
        except Refused as refused:
            raise self._meant(refused, reply) from None

    def _meant(self, refused: Refused, reply: ReplyId) -> PlatformError:
        """Discord knows nothing of an interaction before it is acked, and it may be answered at the same moment."""
        if refused.code not in INTERACTION_OVER:
            return refused
        if time.monotonic() - self._tried_at.get(reply.interaction, 0.0) < _ACKED_WITHIN_S:
            return PlatformAway("the interaction was not acked yet")
        keep(self._over, reply.interaction, None)
        return Over()

    async def _route(self, method: str, path: str, reply: ReplyId, handle: str) -> Route:
        token = None if reply.interaction in self._over else await self._token(reply)
        if not token:
            raise Over
        if reply.interaction not in self._tried_at:
            keep(self._tried_at, reply.interaction, time.monotonic())
        application = await self._rest.application_id()
        return Route(method, path, webhook_id=application, webhook_token=token, message_id=handle)

    async def _token(self, reply: ReplyId) -> str | None:
        try:
            return await self._tokens.of(reply.interaction)
        except StorageError:
            raise PlatformAway("it is not known how the interaction is answered: the database is away") from None


def gone_or_over(error: PlatformRefused) -> bool:
    """Whether another way is to be tried."""
    return isinstance(error, MessageGone | Over)
