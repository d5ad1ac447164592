"""A sender on the local Discord, with what tests send by it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TypeVar

from discord.http import Route

from adapters.discord.api import DiscordRest
from adapters.discord.buttons import Buttons
from adapters.discord.endpoint import speak_to
from adapters.discord.sender import DiscordSender, LongReplies
from adapters.opinion_values import OpinionValues
from bots.sandbox.local_discord.accounts import May
from bots.sandbox.local_discord.driver import LocalDiscord, local_discord
from bots.sandbox.local_discord.interaction_sights import AnswerSeen
from bots.sandbox.local_discord.limits import NO_RATES
from bots.sandbox.local_discord.options import Options
from bots.sandbox.local_discord.people import Person
from bots.sandbox.local_discord.places import Place, Server
from bots.sandbox.local_discord.sights import MessageSeen
from core.dialogue import Opinion, Platform, SessionKey
from core.errors import PlatformAway, RateLimited, SendUnclear
from core.ports import Outgoing

TOKEN = "0123456789abcdef0123"
OPINIONS = OpinionValues(b"a secret")

_Result = TypeVar("_Result")


class KnownTokens:
    """Implements `InteractionTokens`."""

    def __init__(self) -> None:
        self.known: dict[str, str] = {}

    async def keep(self, interaction_id: str, token: str) -> None:
        self.known[interaction_id] = token

    async def of(self, interaction_id: str) -> str | None:
        return self.known.get(interaction_id)


@dataclass
class Stage:
    discord: LocalDiscord
    anna: Person
    server: Server
    #: Where Anna asked, and what.
    place: Place
    question: MessageSeen
    rest: DiscordRest
    tokens: KnownTokens = field(default_factory=KnownTokens)
    long_replies: LongReplies = LongReplies.PARTS
    senders: list[DiscordSender] = field(default_factory=list)

    @property
    def sender(self) -> DiscordSender:
        return self.senders[-1]

    @property
    def is_direct(self) -> bool:
        return self.place.id == self.anna.dm.id

    @property
    def key(self) -> SessionKey:
        """Of the channel itself."""
        return SessionKey(
            Platform.DISCORD, self.discord.bot_id, "" if self.is_direct else self.server.id, self.place.id
        )

    @property
    def threaded(self) -> SessionKey:
        """Of the thread that the question is answered in."""
        return replace(self.key, thread=self.question.id)

    @property
    def thread(self) -> Place:
        return self.place.thread_of(self.question)

    def start_anew(self) -> DiscordSender:
        """As another process would: it knows nothing of what was sent."""
        self.senders.append(DiscordSender(self.rest, self.tokens, Buttons(OPINIONS), self.long_replies))
        return self.sender

    def part(self, markdown: str = "", number: int = 0, **more: object) -> Outgoing:
        """Open, and drawn by the model, in the channel, where nothing else is said."""
        part = Outgoing(self.key, self.question.id, TOKEN, number, markdown, is_drawn=True, asker_id=self.anna.id)
        return replace(part, **more)  # type: ignore[arg-type]

    def last(self, markdown: str, number: int = 0, **more: object) -> Outgoing:
        return self.part(markdown, number, is_closed=True, is_last=True, **more)

    async def sent(self, part: Outgoing) -> str:
        """Opened and closed."""
        handle = await self.sender.open(part)
        await self.sender.close(handle, part)
        return handle

    async def written(self, place: Place | None = None) -> list[MessageSeen]:
        """What the bot wrote there."""
        return (await (place or self.place).look()).bots

    async def patiently(self, call: Callable[[], Awaitable[_Result]]) -> _Result:
        """As the core does: again, whatever came of it but a refusal."""
        for _ in range(12):
            try:
                return await call()
            except (PlatformAway, SendUnclear):
                continue
            except RateLimited as limited:
                await asyncio.sleep(min(limited.retry_after_s, 2.0))
        raise AssertionError("it never went well")

    async def asked(self, *, is_private: bool = False, place: Place | None = None, acks: bool = True) -> str:
        """Anna says /ask; the id of what is answered."""
        application = self.discord.application_id
        commands = [
            {"name": "ask", "description": "Ask", "type": 1, "integration_types": [0, 1], "contexts": [0, 1, 2]}
        ]
        route = Route("PUT", "/applications/{application_id}/commands", application_id=application)
        await self.rest.request(route, json=commands)
        known = {seen.id for seen in await self.discord.interactions()}
        saying = asyncio.create_task(self.anna.commands("ask", place or self.place))
        async with asyncio.timeout(5):
            (seen,) = await self._new_interactions(known)
        await self.tokens.keep(seen.id, seen.token)
        if acks:
            await self.ack(seen, is_private=is_private)
        else:
            saying.cancel()
        await asyncio.gather(saying, return_exceptions=True)
        return f"{'e' if is_private else 'i'}{seen.id}"

    async def _new_interactions(self, known: set[str]) -> list[AnswerSeen]:
        """Once there is one."""
        while not (new := [seen for seen in await self.discord.interactions() if seen.id not in known]):
            pass
        return new

    async def ack(self, seen: AnswerSeen, *, is_private: bool = False) -> None:
        path = "/interactions/{webhook_id}/{webhook_token}/callback"
        told = {"type": 5, "data": {"flags": 64 if is_private else 0}}
        await self.rest.request(Route("POST", path, webhook_id=seen.id, webhook_token=seen.token), json=told)

    async def calls(self, operation: str) -> int:
        return len(await self.discord.calls(operation))


def opinions_of(message: MessageSeen, channel: str) -> list[Opinion | None]:
    """What its buttons say when they are pressed there."""
    return [OPINIONS.opinion(str(button["custom_id"]), channel) for button in message.buttons]


@asynccontextmanager
async def standing(
    options: Options | None = None,
    *,
    is_direct: bool = False,
    kind: str = "text",
    denied: May | int = 0,
    long_replies: LongReplies = LongReplies.PARTS,
) -> AsyncIterator[Stage]:
    """Anna has asked something in a channel, or in her own one."""
    before = Route.BASE
    async with local_discord(options or Options(rates=NO_RATES)) as discord:
        speak_to(discord.api_url)
        anna = await discord.person("Anna")
        server = await discord.guild("Friends", anna)
        place = anna.dm if is_direct else await server.channel("general", kind, denied=denied)
        question = await anna.says("what is rain?" if is_direct else f"{discord.mention} what is rain?", place)
        stage = Stage(discord, anna, server, place, question, DiscordRest(discord.token), long_replies=long_replies)
        stage.start_anew()
        try:
            yield stage
        finally:
            await stage.rest.aclose()
            speak_to(before)
